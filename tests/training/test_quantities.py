"""A quantity of one file and one line in the registry, everywhere that quantities are found."""

import importlib.util
import io
import re
import shutil
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy.special import expit

import rnnlab
from rnnlab.config.sweep import load_experiment
from rnnlab.engine import execution
from rnnlab.report.rounding import with_interval
from rnnlab.report.tables import comparison_tables
from rnnlab.results.export import export
from rnnlab.results.intervals import Estimate
from rnnlab.results.params import read_params
from rnnlab.results.summary import summarize_run
from rnnlab.support.errors import UserError
from rnnlab.training.objective import Objective
from rnnlab.training.program import random_streams
from rnnlab.training.quantities import QUANTITIES
from rnnlab.training.quantities.summary import Facts

ROOT = Path(__file__).parents[2]
STEPS, LENGTH, EXAMPLES = 23, 7, 3
CONFIG = f"""
task: {{kind: adding, length: {LENGTH}}}
cell: {{kind: lstm, hidden: 4, layers: 2}}
training: {{steps: {STEPS}, batch: 5}}
record: {{every: 10, examples: {EXAMPLES}}}
sweep: {{cell: {{forget_bias: [0, 2]}}}}
seeds: 2
"""


def module_of(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def generator():
    """What writes the tables of docs/results.md."""
    return module_of(ROOT / "docs" / "quantities.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A config, and the file of the quantity as docs/extending.md has it."""
    folder = tmp_path_factory.mktemp("quantities")
    (folder / "tiny.yaml").write_text(CONFIG)
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(# carry_size\.py\n.*?)```", page, re.DOTALL)
    (folder / "carry_size.py").write_text(code, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def earlier(folder):
    """The folder of a run from before the quantity was there."""
    rnnlab.run(folder / "tiny.yaml", {"seeds": 1, "sweep": {}}, out=folder / "earlier")
    return folder / "earlier"


@pytest.fixture(scope="module")
def _registered(folder, earlier):
    """The one line."""
    with pytest.MonkeyPatch.context() as patch:
        own = module_of(folder / "carry_size.py").CarrySize()
        patch.setitem(QUANTITIES, own.name, own)
        yield


@pytest.fixture(scope="module")
def results(folder, _registered):
    return rnnlab.run(folder / "tiny.yaml", out=folder / "results")


def carry_sizes(params, inputs):
    """The mean of |c_t| (layers, time) of an LSTM, in a plain loop."""
    sizes = []
    for layer in range(2):
        p = {k: np.asarray(v, float) for k, v in params[layer].items()}
        h = c = np.zeros((inputs.shape[1], 4))
        outputs, cells = [], []
        for x in inputs:
            a = {k: x @ p[f"W_{k}"] + h @ p[f"U_{k}"] + p[f"bias_{k}"] for k in "ifgo"}
            c = expit(a["f"]) * c + expit(a["i"]) * np.tanh(a["g"])
            h = expit(a["o"]) * np.tanh(c)
            outputs.append(h)
            cells.append(c)
        inputs = np.array(outputs)
        sizes.append(abs(np.array(cells)).mean(axis=(1, 2)))
    return np.array(sizes)


def expected(folder, run, step):
    """The quantity at the start or at the end of a run, from its seed or its stored parameters."""
    objective = Objective(run.settings.cell, run.settings.task)
    streams = random_streams(run.seed)
    params = objective.init(streams.init)["cell"]
    if step > 0:
        path = folder / "results" / "runs" / run.id / "params.safetensors"
        params = read_params(path, run.settings.cell, run.settings.task.input_size)
    program = execution.program_of(run.settings)
    inputs = program.batch(streams.data, jnp.asarray(step)).inputs[:, :EXAMPLES]
    return carry_sizes(params, np.asarray(inputs, float))


def test_its_table_is_stored(results, folder):
    for run in load_experiment(folder / "tiny.yaml").runs:
        path = folder / "results" / "runs" / run.id / "carry_size.parquet"
        table = pd.read_parquet(path)
        assert list(table) == ["step", "layer", "t", "mean_abs"]
        assert sorted(set(table["step"])) == [0, 10, 20, STEPS]
        for step in (0, STEPS):
            own = table[table["step"] == step].sort_values(["layer", "t"])
            found = own["mean_abs"].to_numpy().reshape(2, LENGTH)
            np.testing.assert_allclose(found, expected(folder, run, step), rtol=1e-5)


def test_results_have_it(results):
    frame = results.carry_size
    assert list(frame.columns[:4]) == ["run", "setting", "seed", "step"]
    assert len(frame) == 4 * 4 * 2 * LENGTH
    assert set(frame["run"]) == set(results.runs["run"])
    assert results.has("carry_size")
    assert "carry_size" in dir(results)


def test_exports_have_it(results, tmp_path):
    written = {path.stem: path for path in export(results, "csv", tmp_path)}
    read = pd.read_csv(written["carry_size"], dtype={"run": str})
    np.testing.assert_array_equal(
        read["mean_abs"].to_numpy(np.float32), results.carry_size["mean_abs"]
    )


def test_compare_has_its_numbers(results, folder):
    table = rnnlab.compare(results).set_index("setting")
    runs = load_experiment(folder / "tiny.yaml").runs
    for index, setting in enumerate(results.settings):
        own = runs[2 * index : 2 * index + 2]
        for end, step in (("first", 0), ("last", STEPS)):
            mean = np.mean([expected(folder, run, step)[1].mean() for run in own])
            assert table.loc[setting, f"carry_size_{end}"] == pytest.approx(mean, rel=1e-5)
    assert list(results.runs["carry_size_last"].notna()) == [True] * 4


def test_the_terminal_shows_its_numbers(results):
    table = rnnlab.compare(results)
    console = Console(width=120, record=True, file=io.StringIO())
    for part in comparison_tables(table, "tiny"):
        console.print(part)
    text = console.export_text()
    assert "mean |c|" in text
    for end in ("first", "last"):
        values = (table.iloc[0][f"carry_size_{end}{side}"] for side in ("", "_low", "_high"))
        assert with_interval(Estimate(*values)) in text


def test_docs_have_it(results):
    page = generator().page((ROOT / "docs" / "results.md").read_text(encoding="utf-8"))
    assert r"| `mean_abs` | mean of \|c_t\| |" in page
    assert "| `carry_size_first`, `carry_size_last` | `carry_size` | mean over t of" in page


def test_runs_from_before_lack_it(results, earlier):
    found = rnnlab.load(earlier)
    assert not found.has("carry_size")
    with pytest.raises(UserError, match="earlier: no run recorded carry_size"):
        _ = found.carry_size
    assert rnnlab.compare(found)["carry_size_first"].isna().all()
    both = rnnlab.load(results.stores[0].folder, earlier)
    assert set(both.carry_size["run"]) == set(results.runs["run"])


def test_a_name_that_is_no_quantity(earlier):
    with pytest.raises(AttributeError, match="no 'gradint'; did you mean 'gradients'"):
        _ = rnnlab.load(earlier).gradint
    assert not hasattr(rnnlab.load(earlier), "carry_sizes")


OTHERS = ("ComplexDiagonal", "Delta", "TwoShapes")


@pytest.mark.parametrize("kind", ["lstm", "rnn", *(f"general_states.py:{name}" for name in OTHERS)])
def test_any_cell_is_recorded_in_documented_columns(folder, kind):
    """And an LSTM has every documented column."""
    shutil.copy(ROOT / "tests" / "general_states.py", folder)
    overrides = [f"cell.kind={kind}", "sweep={}", "training.steps=3", "record.every=2"]
    overrides += ["record.means=true", "record.jacobians.every=2"]
    run = load_experiment(folder / "tiny.yaml", overrides).runs[0]
    output = execution.execute(run, lambda _: None)
    for name, quantity in QUANTITIES.items():
        patterns = [re.compile(re.sub("<.*?>", ".+", column)) for column in quantity.columns]
        table = output.tables[name]
        for column in table:
            assert any(pattern.fullmatch(column) for pattern in patterns), column
        if kind == "lstm":
            assert all(any(map(pattern.fullmatch, table)) for pattern in patterns), name
    cell = run.settings.cell
    assert set(output.tables["gradients"]["quantity"]) == set(cell.State._fields)
    assert set(output.tables["gates"]["gate"]) == set(cell.gates)
    assert output.summary["decay_of"] == cell.carry
    assert np.isfinite([output.summary["decay_first"], output.summary["decay_last"]]).all()


def test_summary_of_a_cell_with_other_parts_and_other_columns():
    """Nothing that a cell lacks makes a summary fail; it has no number then."""
    empty = pd.DataFrame(columns=["step", "t", "layer", "gate"])
    gradients = pd.DataFrame(
        {"step": 0, "t": range(3), "layer": 0, "quantity": "S", "log10_mean": [-2.0, -1.0, 0.0]}
    )
    jacobians = pd.DataFrame({"step": [0, 0], "layer": 0, "t": [0, 1], "quantity": "S"})
    tables = {"gates": empty, "gradients": gradients, "jacobians": jacobians}
    found = summarize_run(tables, Facts(threshold=0.1, read_step=2, carry="S", direct=None))
    assert found["decay_of"] == "S"
    assert found["decay_first"] == found["decay_last"] == pytest.approx(-1)
    for name in ("gate_first", "sensitivity_decay_last", "indirect_share_first"):
        assert np.isnan(found[name])
    found = summarize_run(tables, Facts(threshold=0.1, read_step=2, carry="C", direct="f"))
    assert np.isnan(found["decay_first"])
