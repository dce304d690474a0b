"""A run that records Jacobians: its tables, and that it trains as one that does not."""

import functools
import io
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import yaml
from jsonschema import Draft202012Validator
from rich.console import Console
from safetensors.numpy import load_file

import rnnlab
from rnnlab.cells import dynamics_of
from rnnlab.config.json_schema import config_schema
from rnnlab.config.sweep import load_experiment
from rnnlab.engine import execution, programs, work
from rnnlab.report.findings import standard_findings
from rnnlab.report.rounding import in_form
from rnnlab.report.tables import comparison_tables
from rnnlab.results.intervals import Estimate
from rnnlab.support.errors import UserError
from rnnlab.training.objective import Batch, Objective
from rnnlab.training.options import Record, Training
from rnnlab.training.program import EVALUATION_EXAMPLES, Program, random_streams
from rnnlab.training.quantities.gradients import adjoint_statistics
from rnnlab.training.quantities.jacobian_paths import path_statistics

CONFIG = """
task: {kind: adding, length: 12}
cell: {kind: lstm, hidden: 4}
training: {steps: 25, batch: 4}
record: {every: 5, jacobians: {every: 10, examples: 2}}
"""
CELLS = [
    {"kind": "lstm", "hidden": 4},
    {"kind": "lstm", "hidden": 3, "layers": 2},
    {"kind": "peephole.py:Peephole", "hidden": 3},
]
NAMES = ["lstm", "stack", "peephole"]
TABLES = ("jacobians", "lyapunov", "eigenvalues")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("record")
    (folder / "tiny.yaml").write_text(CONFIG)
    page = (Path(__file__).parents[2] / "docs" / "extending.md").read_text()
    (folder / "peephole.py").write_text(page.split("```python\n")[1].split("```")[0])
    return folder


@pytest.fixture(scope="module")
def results(folder):
    """Two seeds of every cell."""
    overrides = {"sweep.cell": CELLS, "seeds": 2}
    results = rnnlab.run(folder / "tiny.yaml", overrides, out=folder / "all")
    assert list(results.runs["status"]) == ["finished"] * 6
    return results


@pytest.fixture(scope="module")
def plain(folder):
    """The LSTM without Jacobians."""
    overrides = {"cell": CELLS[0], "seeds": 2, "record.jacobians": None}
    return rnnlab.run(folder / "tiny.yaml", overrides, out=folder / "plain")


def execute(folder, *overrides):
    run = load_experiment(folder / "tiny.yaml", overrides).runs[0]
    return run, execution.execute(run, lambda _: None)


def of_run(table, run):
    return table[table["run"] == run]


def named(tree):
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(p, simple=True, separator="."): leaf for p, leaf in leaves}


class Expected:
    """Parameters and inputs of a run at its start and end, from its seed and its folder."""

    def __init__(self, run, stored):
        settings, streams = run.settings, random_streams(run.seed)
        self.cell = dynamics_of(settings.cell)
        self.examples = settings.record.jacobians.examples
        objective = Objective(settings.cell, settings.task)
        start = objective.init(streams.init)
        end = {name: jnp.asarray(stored[name]) for name in named(start)}
        end = jax.tree.unflatten(jax.tree.structure(start), end.values())
        program = Program(Objective(self.cell, settings.task), settings.training, settings.record)
        steps = settings.training.steps
        self.params = {0: start["cell"], steps: end["cell"]}
        batches = {step: program.batch(streams.data, jnp.asarray(step)) for step in (0, steps)}
        self.inputs = {step: batch.inputs[:, : self.examples] for step, batch in batches.items()}
        evaluation = objective.sample(streams.evaluation, EVALUATION_EXAMPLES)
        self.evaluation = evaluation.inputs[:, : self.examples]

    def jacobians(self, step):
        """By layer and t, means over examples."""
        found = self.cell, self.params[step], self.inputs[step]
        summary = rnnlab.jacobians(*found).summary(spectral_radius=True)
        means = summary.groupby(["layer", "t"]).mean().drop(columns="example")
        sensitivity = rnnlab.sensitivity(*found)
        if sensitivity.log10_direct is not None:
            excess = np.asarray(sensitivity.log10_total) - np.asarray(sensitivity.log10_direct)
            means = means.assign(direct_zero_fraction=0.0, log10_excess=excess.mean(-1).ravel())
        for name, norms in sensitivity._asdict().items():
            column = {"log10_total": "log10_sensitivity", "log10_stack": "log10_stack_sensitivity"}
            column |= {"log10_direct": "log10_direct_product"}
            if norms is not None:
                means[column.get(name, name)] = np.asarray(norms).mean(-1).ravel()
        return means.assign(zero_fraction=0.0)


@pytest.mark.parametrize("index", range(3), ids=NAMES)
def test_tables_are_those_of_the_parameters_at_the_start_and_the_end(results, folder, index):
    run = load_experiment(folder / "tiny.yaml", {"sweep.cell": CELLS, "seeds": 2}).runs[2 * index]
    tables = {name: of_run(getattr(results, name), run.id) for name in TABLES}
    assert sorted(set(tables["jacobians"]["step"])) == [0, 10, 20, 25]
    expected = Expected(run, load_file(folder / "all" / "runs" / run.id / "params.safetensors"))
    for step in (0, 25):
        own = tables["jacobians"].query("step == @step").dropna(axis=1).set_index(["layer", "t"])
        means = expected.jacobians(step)
        assert set(own) == {*means, "run", "setting", "seed", "step", "quantity"}
        tight = means.columns.drop("spectral_radius")
        pd.testing.assert_frame_equal(
            own[tight].sort_index(),
            means[tight],
            rtol=2e-4,
            atol=2e-6,
            check_dtype=False,
            check_index_type=False,
        )
        np.testing.assert_allclose(
            own["spectral_radius"].sort_index(), means["spectral_radius"], rtol=5e-3, atol=2e-3
        )
        params, inputs = expected.params[step], expected.evaluation
        exponents = rnnlab.lyapunov_exponents(expected.cell, params, inputs).exponents
        lyapunov = tables["lyapunov"].query("step == @step").sort_values(["example", "index"])
        np.testing.assert_allclose(lyapunov["exponent"], np.ravel(exponents), atol=2e-3)
        if index == 0:
            (matrix,) = rnnlab.jacobians(expected.cell, params, inputs).state[6, :1]
            eigenvalues = tables["eigenvalues"].query("step == @step")
            assert set(eigenvalues["t"]) == {6}
            assert_same_eigenvalues(eigenvalues["real"] + 1j * eigenvalues["imag"], matrix)
    moved = tables["lyapunov"].groupby(["example", "index"])["exponent"].nunique()
    assert set(moved) == {2}


def assert_same_eigenvalues(found, matrix):
    found, expected = list(found), list(np.linalg.eigvals(np.asarray(matrix, float)))
    assert len(found) == len(expected)
    for value in expected:
        nearest = min(found, key=lambda z: abs(z - value))
        assert abs(nearest - value) < 2e-3
        found.remove(nearest)


@pytest.mark.default_flags
def test_recording_does_not_change_training(folder):
    """Bit for bit."""
    shared = {"cell": CELLS[0], "seeds": 2}
    results, plain = (
        rnnlab.run(folder / "tiny.yaml", shared | {"record.jacobians": jacobians}, out=folder / out)
        for out, jacobians in (("with", {"every": 10, "examples": 2}), ("without", None))
    )
    ids = list(zip(results.runs["run"], plain.runs["run"], strict=True))
    for name in ("training", "gradients", "gates"):
        for one, other in ids:
            frames = [
                of_run(getattr(r, name), run).drop(columns=["run", "setting"])
                for r, run in ((results, one), (plain, other))
            ]
            frames = [frame.reset_index(drop=True).dropna(axis=1, how="all") for frame in frames]
            pd.testing.assert_frame_equal(*frames, check_exact=True, check_dtype=False)
    for one, other in ids:
        params = [
            load_file(r.stores[0].run_folder(run) / "params.safetensors")
            for r, run in ((results, one), (plain, other))
        ]
        assert params[0].keys() == params[1].keys()
        assert all(np.array_equal(params[0][name], params[1][name]) for name in params[0])


def test_short_chunks_record_at_the_same_steps_in_float64(folder, monkeypatch):
    monkeypatch.setattr(execution, "OPERATIONS_PER_CALL", 1.0)
    original = programs.Program
    monkeypatch.setattr(programs, "Program", lambda *args: original(*args, longest_chunk=4))
    settings = ("cell.kind=gru", "training.precision=float64", "training.steps=24")
    run, output = execute(folder, *settings)
    jacobians = output.tables["jacobians"]
    assert sorted(set(jacobians["step"])) == [0, 10, 20, 24]
    assert set(jacobians["quantity"]) == {"h"}
    assert jacobians["total_spectral"].dtype == np.float64
    with jax.enable_x64(True):
        expected = Expected(run, output.params)
        for step in (0, 24):
            own = jacobians.query("step == @step").set_index(["layer", "t"])
            means = expected.jacobians(step)
            pd.testing.assert_frame_equal(
                own[means.columns],
                means,
                rtol=1e-8,
                atol=1e-10,
                check_dtype=False,
                check_index_type=False,
            )


DIVERGING = (
    *("cell.kind=rnn", "cell.activation=relu", "training.optimizer=sgd", "training.steps=40"),
    *("training.learning_rate=8", "training.schedule={kind: warmup, steps: 40}"),
)


@pytest.fixture(scope="module")
def diverged(folder):
    return execute(folder, *DIVERGING)[1]


def test_a_diverging_run_keeps_its_tables(diverged):
    last = diverged.summary["last_step"]
    assert diverged.status == "diverged"
    assert 10 < last < 40
    assert last % 10
    assert sorted(set(diverged.tables["jacobians"]["step"])) == list(range(0, last, 10))
    jacobians = diverged.tables["jacobians"]
    assert np.isfinite(jacobians["total_spectral"]).all()
    assert not [column for column in jacobians if "direct_" in column and "indirect" not in column]
    for name in ("lyapunov", "eigenvalues"):
        assert sorted(set(diverged.tables[name]["step"])) == [0, last]


def test_figures_of_a_run_that_diverged_between_records(diverged, folder, monkeypatch):
    monkeypatch.setattr(work, "execute", lambda *_: diverged)
    results = rnnlab.run(folder / "tiny.yaml", list(DIVERGING), out=folder / "diverged")
    assert "lyapunov" in standard_findings(results).figures


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("every=7", "record: jacobians.every, 7, must be a multiple of record.every, 5"),
        ("every=0", "record.jacobians.every: 0 is not valid: must be greater than 0"),
        ("every=10.5", "record.jacobians.every: 10.5 is not valid: must be a valid integer"),
        ("examples=5", "record.jacobians.examples: 5 is more than training.batch, 4"),
        ("examples=two", "record.jacobians.examples: 'two' is not valid"),
        ("exmples=2", "record.jacobians.exmples: unknown key (value 2); did you mean 'examples'?"),
    ],
)
def test_mistakes(folder, override, message):
    with pytest.raises(UserError) as raised:
        load_experiment(folder / "tiny.yaml", [f"record.jacobians.{override}"])
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("jacobians", "message"),
    [
        ({"examples": 2}, "record.jacobians.every: missing"),
        (10, "record.jacobians: 10 is not valid: must be keys and values"),
    ],
)
def test_other_mistakes(tmp_path, jacobians, message):
    config = yaml.safe_load(CONFIG)
    config["record"]["jacobians"] = jacobians
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(UserError, match=message):
        load_experiment(tmp_path / "tiny.yaml")


def test_defaults_follow_the_batch_and_the_schema_knows(folder):
    validator = Draft202012Validator(config_schema())
    config = yaml.safe_load(CONFIG)
    for jacobians, valid in (
        ({"every": 10}, True),
        (None, True),
        ({"evry": 1}, False),
        ({}, False),
    ):
        config["record"]["jacobians"] = jacobians
        assert validator.is_valid(config) == valid
    for batch, examples in ((3, 3), (8, 4)):
        overrides = {"training.batch": batch, "record.jacobians.every": 40, "sweep": {}, "seeds": 1}
        (run,) = load_experiment("forget_bias", overrides).runs
        assert run.settings.resolved["record"]["jacobians"] == {"every": 40, "examples": examples}


# The copy task's memory loss


TASK = rnnlab.Copying(length=150, symbols=3)
OBJECTIVE = Objective(rnnlab.LSTM(hidden=3), TASK)


def whole(gate):
    return gate


@functools.cache
def passes():
    """One record, the ordinary gradient, and the ordinary backward pass of the memory loss."""
    config = Record(every=1, examples=3)
    program = Program(OBJECTIVE, Training(steps=1, batch=5), config)
    return (
        jax.jit(program.record_step),
        jax.jit(OBJECTIVE.gradient),
        jax.jit(
            functools.partial(OBJECTIVE.observed_gradient, TASK.memory_loss, gate_statistic=whole)
        ),
    )


@pytest.mark.parametrize(("forget_bias", "reads_zero"), [(1.0, False), (-3.0, True)])
def test_the_copy_tasks_memory_loss(forget_bias, reads_zero):
    """As the ordinary pass of float32 where that does not read zero, and else as of float64."""
    params = OBJECTIVE.init(jax.random.key(0))
    params["cell"]["bias_f"] = jnp.full(3, forget_bias)
    batch = OBJECTIVE.sample(jax.random.key(1), 5)
    record, gradient, observed = passes()
    trained_on, records, _ = record(params, batch, batch, 0)
    statistics, gates = records["gradients"], records["gates"]
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-8),
        *(trained_on, gradient(params, batch)),
    )
    single = observed(params, batch)[1]
    with jax.enable_x64(True):
        inputs, targets = batch
        double = jax.tree.map(lambda a: jnp.asarray(a, float), (params, inputs))
        double = double[0], Batch(double[1], targets)
        exact = {k: np.asarray(v) for k, v in observed(*double)[1].log10_norms.items()}
    for quantity in "hc":
        assert np.isneginf(single.log10_norms[quantity][0, 20]).all() == reads_zero
        assert (statistics[quantity]["zero_fraction"] == 0).all()
        mean = exact[quantity][:, :, :3].mean(-1)
        np.testing.assert_allclose(statistics[quantity]["log10_mean"], mean, rtol=1e-5, atol=1e-3)
        if reads_zero:
            assert mean[0, 20] < -60
            continue
        expected = adjoint_statistics(single.log10_norms[quantity][:, :, :3])
        for name, values in statistics[quantity].items():
            np.testing.assert_allclose(values, expected[name], atol=1e-4)
    for name, values in gates.items():
        mean = np.asarray(single.gates[name])[:, :, :3].mean((-1, -2))
        np.testing.assert_allclose(values["mean"], mean, rtol=1e-5)


# Reading back, and the comparison


def test_nothing_was_recorded(plain):
    assert not plain.has_jacobians
    for name in TABLES:
        with pytest.raises(UserError, match=r"no run recorded Jacobians; set record\.jacobians"):
            getattr(plain, name)
    table = rnnlab.compare(plain)
    assert not [c for c in table if c.startswith(("sensitivity", "indirect", "top_exponent"))]
    assert len(comparison_tables(table, "tiny")) == 2


def test_frames_have_run_setting_and_seed_in_front(results):
    for name in TABLES:
        frame = getattr(results, name)
        assert list(frame.columns[:4]) == ["run", "setting", "seed", "step"]
        assert list(frame["setting"].cat.categories) == results.settings
        assert set(frame["run"]) == set(results.runs["run"])


def test_compare(results):
    table = rnnlab.compare(results).set_index("setting")
    for setting in results.settings:
        for end, step in (("first", 0), ("last", 25)):
            decay, share, exponent, left, norms = [], [], [], [], []
            for seed in (0, 1):
                chosen = f"setting == @setting and seed == {seed} and step == {step}"
                record = results.jacobians.query(chosen).query("layer == layer.max()")
                distance = 11 - record["t"]
                decay.append(np.polyfit(distance, record["log10_sensitivity"], 1)[0])
                share.append(record.query("t > 0")["share"].mean())
                later = record.query("t > 0")[["total_spectral", "indirect_spectral"]]
                norms.append(later.to_numpy().mean(axis=0))
                left.append(record.set_index("t")["log10_sensitivity"][0])
                top = results.lyapunov.query(chosen).query("index == 0")
                exponent.append(top["exponent"].mean())
            row = table.loc[setting]
            assert row[f"sensitivity_decay_{end}"] == pytest.approx(np.mean(decay), rel=1e-4)
            half_life = np.log10(0.5) / np.mean(decay) if np.mean(decay) < 0 else np.inf
            assert row[f"sensitivity_half_life_{end}"] == pytest.approx(half_life, rel=1e-4)
            assert row[f"indirect_share_{end}"] == pytest.approx(np.mean(share), rel=1e-5)
            numbers = [row[f"{name}_{end}"] for name in ("one_step_norm", "indirect_norm")]
            assert numbers == pytest.approx(np.mean(norms, axis=0), rel=1e-5)
            assert row[f"left_at_first_{end}"] == pytest.approx(np.mean(left), rel=1e-5)
            assert row[f"top_exponent_{end}"] == pytest.approx(np.mean(exponent), rel=1e-5)


def test_the_table_in_the_terminal(results):
    table = rnnlab.compare(results)
    console = Console(width=120, record=True, file=io.StringIO())
    for part in comparison_tables(table, "tiny"):
        console.print(part)
    text = console.export_text()
    row = table.iloc[1]
    for end in ("first", "last"):
        for column, form in (
            ("one_step_norm", "{:.3g}"),
            ("indirect_norm", "{:.3g}"),
            ("left_at_first", "{:.3g}"),
            ("indirect_share", "{:.2g}"),
            ("top_exponent", "{:+.2g}"),
        ):
            ends = Estimate(*(row[f"{column}_{end}{side}"] for side in ("", "_low", "_high")))
            assert in_form(ends, form) in text
    one_step, whole = text.index("one step, ∂c_t/∂c_{t−1}"), text.index("the whole sequence, from")
    for label in ("one-step norm", "indirect part", "share indirect"):
        assert one_step < text.index(label) < whole
    for label in ("left at the first", "half-life", "top exponent"):
        assert label in text[whole:]


def test_runs_with_and_without(results, plain):
    both = rnnlab.load(results.stores[0].folder, plain.stores[0].folder)
    assert set(both.jacobians["run"]) == set(results.runs["run"])
    assert set(both.training["run"]) == set(results.runs["run"]) | set(plain.runs["run"])


def test_no_decomposition_waits_for_threads_that_another_has():
    """As those of several matrices do in jaxlib 0.10: two at once hang on two threads."""
    cell = rnnlab.LSTM(hidden=3, layers=2)
    inputs = jnp.ones((5, 4, 2))
    measure = jax.jit(functools.partial(path_statistics, cell))
    lowered = measure.lower(cell.init(jax.random.key(0), 2), inputs)
    calls = [line for line in lowered.as_text().splitlines() if "custom_call @lapack" in line]
    assert len(calls) >= 2
    for call in calls:
        assert re.search(r"\} : \(tensor<\d+x\d+xf32>\) ->", call), call
