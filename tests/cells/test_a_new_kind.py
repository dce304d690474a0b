"""A new built-in kind is one class and one line in the registry: all else follows from it."""

from typing import Annotated, ClassVar

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import pytest
from jax.nn import sigmoid

import rnnlab
from rnnlab import HiddenState, UserError, affine, theory
from rnnlab.cells import CELLS
from rnnlab.cells.cell import AtInit
from rnnlab.cells.facts import GateBias, Linearisation, double
from rnnlab.cells.kernels import KernelCell
from rnnlab.config.json_schema import config_schema
from rnnlab.config.sweep import load_experiment
from rnnlab.engine.execution import program_of
from rnnlab.engine.progress import PlainLines
from rnnlab.measure.subjects import of_config, of_results
from rnnlab.measure.survey import survey
from rnnlab.report.findings import find, write_findings
from rnnlab.report.survey_files import write_survey
from rnnlab.results.export import export


class Leaky(KernelCell):
    """h_t = k ⊙ h_{t−1} + (1 − k) ⊙ tanh(x_t W + h_{t−1} U), k = σ(b_k), and no fact about it."""

    gates: ClassVar = ("k",)
    direct: ClassVar = "k"

    keep_bias: Annotated[float, AtInit] = 0.0

    def init(self, key, input_size):
        return (
            self.input_kernels(key, "n", input_size)
            | self.recurrent_kernels(key, "n")
            | self.biases(k=self.keep_bias, n=0.0)
        )

    def step(self, params, state, x, observe=lambda name, value: value):
        (a_n,) = affine(params, "n", x, state.h)
        k = observe("k", jnp.broadcast_to(sigmoid(params["bias_k"]), state.h.shape))
        return HiddenState(observe("h", k * state.h + (1 - k) * jnp.tanh(a_n)))


class Described(Leaky):
    """The same, with all facts."""

    label: ClassVar = "leaky RNN"
    gate_biases: ClassVar = (GateBias("keep_bias", "k"),)
    against_explosion: ClassVar = "scale U_n down"

    def linearised(self, params):
        k = 1 / (1 + jnp.exp(-params["bias_k"]))
        return Linearisation(double(k), double(1 - k), "U_n", double(params["U_n"]), ("bias_n",))

    @classmethod
    def against_vanishing(cls, wanted, decay, is_linearised):
        return f"raise b_k to reach {wanted} steps."


KINDS = {"leaky": Leaky, "described": Described}
CONFIG = """
task: {{kind: adding, length: 8}}
cell: {{kind: {kind}, hidden: 4}}
training: {{steps: 12, batch: 6}}
record: {{every: 6, means: true, jacobians: {{every: 12, examples: 2}}}}
sweep: {{cell: {{keep_bias: [0.0, 3.0]}}}}
seeds: 2
"""


@pytest.fixture(scope="module", params=KINDS)
def made(request, tmp_path_factory):
    """The kind, its config, and the results of the runs."""
    folder = tmp_path_factory.mktemp(request.param)
    config = folder / "tiny.yaml"
    config.write_text(CONFIG.format(kind=request.param))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CELLS, request.param, KINDS[request.param])
        yield request.param, config, rnnlab.run(config, out=folder / "out")


def test_it_trains_and_its_labels_follow_from_its_class(made):
    kind, _, results = made
    assert set(results.runs["status"]) == {"finished"}
    symbol = "b_k" if kind == "described" else "keep_bias"
    assert results.settings == [f"{symbol} = 0", f"{symbol} = 3"]
    runs = results.runs.drop_duplicates("setting")
    assert runs["decay_first"].iloc[0] < runs["decay_first"].iloc[1] < 0


def test_runs_that_differ_in_its_initial_bias_share_a_program(made):
    _, config, _ = made
    settings = load_experiment(config).settings
    assert len({program_of(one) for one in settings}) == 1


def test_the_comparison_and_every_figure(made, tmp_path):
    kind, _, results = made
    findings = find(results)
    assert len(findings.table) == 2
    names = {path.stem for path in write_findings(findings, tmp_path)}
    gate = "keep_gate" if kind == "described" else "gate_k"
    assert {gate, "jacobian_paths", "eigenvalues", "lyapunov", "sensitivity"} <= names
    assert ("indirect_share" in names) == (kind == "described")
    plt.close("all")


def test_the_diagnosis(made, tmp_path):
    kind, config, results = made
    for subjects in (of_config(load_experiment(config)), of_results(results.stores[0].folder)):
        found = survey(subjects, None, 1000, PlainLines())
        text = " ".join(found.text.split())
        assert text.count("along the direct path alone") == 2
        if kind == "described":
            assert text.count("raise b_k to reach 1000 steps.") == 2
            assert text.count("U_n is scaled to a spectral radius of") == 2
        else:
            assert text.count("no formula is known") == 2
        assert write_survey(found, tmp_path)
    plt.close("all")


def test_the_schema_and_exports(made, tmp_path):
    kind, _, results = made
    kinds = [one for one in config_schema()["properties"]["cell"]["anyOf"] if "required" in one]
    assert kind in [one["properties"]["kind"].get("const") for one in kinds]
    assert {path.name for path in export(results, "csv", tmp_path)} >= {
        "gates.csv",
        "jacobians.csv",
    }


def test_what_is_not_known_of_it_is_said(made):
    kind, _, _ = made
    cell = KINDS[kind](hidden=4)
    params = cell.init(jax.random.key(0), 2)
    with pytest.raises(ValueError, match=f"PyTorch has no counterpart of {KINDS[kind].__name__}"):
        rnnlab.from_torch(cell, {})
    if kind == "leaky":
        with pytest.raises(ValueError, match=r"eigenvalues are known for .*, not for Leaky"):
            theory.fixed_point_eigenvalues(cell, params)
    else:
        eigenvalues = theory.fixed_point_eigenvalues(cell, params)
        assert eigenvalues.shape == (4,)


def test_a_slip_in_its_options_is_told(made):
    _, config, _ = made
    hint = r"cell\.keep_bais: unknown key .* did you mean 'keep_bias'"
    with pytest.raises(UserError, match=hint):
        load_experiment(config, {"sweep": {}, "cell.keep_bais": 1})
