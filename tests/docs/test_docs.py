"""The text of README and docs, run as it stands."""

import importlib.util
import re
from pathlib import Path

import jax
import pytest

import rnnlab
from rnnlab.config.model import load_config
from rnnlab.config.sweep import load_experiment
from rnnlab.report.claims.verdict import is_above, is_below
from rnnlab.report.findings import find, write_findings
from rnnlab.results.intervals import median_interval
from rnnlab.training.quantities import QUANTITIES

ROOT = Path(__file__).parents[2]


def blocks(page, language):
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The files of docs/extending.md, each named in its first line."""
    monkeypatch.chdir(tmp_path)
    for block in blocks("docs/extending.md", "python") + blocks("docs/extending.md", "yaml"):
        Path(block.split("\n", 1)[0].removeprefix("# ")).write_text(block, encoding="utf-8")
    return tmp_path


def test_own_files_are_under_40_lines(own):
    files = list(own.glob("*.py"))
    assert len(files) == 6
    assert all(len(path.read_text().splitlines()) < 40 for path in files)


def test_own_cell_and_task_train(own):
    results = rnnlab.run("own.yaml", ["training.steps=20", "cell.hidden=4", "seeds=1"])
    assert list(results.runs["status"]) == ["finished"] * 2
    assert results.settings == ["peephole = 0", "peephole = 0.1"]
    assert set(results.gradients["quantity"]) == {"h", "c"}


def test_own_analysis_ends_with_a_verdict(own):
    overrides = ["training.steps=20", "cell.hidden=4", "seeds=6", "analysis=faster.py:analyse"]
    results = rnnlab.run("own.yaml", overrides)
    findings = find(results)
    losses = results.runs.pivot_table(
        index="seed", columns="setting", values="final_loss", observed=True
    ).astype(float)
    expected = median_interval(losses["peephole = 0"] - losses["peephole = 0.1"])
    (row,) = findings.numbers.to_dict("records")
    assert (row["value"], row["low"], row["high"]) == pytest.approx(expected)
    assert findings.verdict.answer == is_above(expected, 0)
    assert findings.verdict.evidence.startswith("the loss falls by ")


def test_own_figure_is_written_with_the_standard_ones(own):
    overrides = ["training.steps=20", "cell.hidden=4", "seeds=1"]
    results = rnnlab.run("own.yaml", [*overrides, "analysis=loss_figure.py:analyse"])
    findings = find(results)
    assert {"evaluation_loss", "gradient_decay"} <= set(findings.figures)
    recorded = results.training.dropna(subset="eval_loss")
    drawn = findings.figures["evaluation_loss"].axes[0].get_lines()
    for setting, line in zip(results.settings, drawn, strict=True):
        own_loss = recorded.loc[recorded["setting"] == setting, "eval_loss"]
        assert list(line.get_ydata()) == list(own_loss)
    written = write_findings(findings, own / "out")
    assert own / "out" / "figures" / "evaluation_loss.png" in written


def test_own_claim_comes_to_the_same_verdict(own):
    overrides = ["training.steps=20", "cell.hidden=4", "seeds=6", "analysis=peepholes.py:analyse"]
    results = rnnlab.run("own.yaml", overrides)
    findings = find(results)
    losses = results.runs.pivot_table(
        index="seed", columns="setting", values="final_loss", observed=True
    ).astype(float)
    expected = median_interval(losses["peephole = 0.1"] - losses["peephole = 0"])
    (row,) = findings.numbers.to_dict("records")
    assert (row["value"], row["low"], row["high"]) == pytest.approx(expected)
    assert findings.verdict.answer == is_below(expected, 0)
    sentence = "peepholes lower the final loss: final_loss, peephole = 0.1 − peephole = 0: "
    assert findings.verdict.evidence.startswith(sentence)


def test_own_cell_is_an_lstm_without_its_peepholes(own):
    experiment = load_experiment("own.yaml")
    cell = experiment.settings[0].cell
    assert cell.peephole == 0
    inputs = jax.random.normal(jax.random.key(1), (5, 3, 1))
    params = cell.init(jax.random.key(0), input_size=1)
    lstm = rnnlab.LSTM(hidden=cell.hidden)
    expected = rnnlab.unroll(lstm, params, inputs).c
    assert jax.numpy.allclose(rnnlab.unroll(cell, params, inputs).c, expected)
    stacked = cell.model_copy(update={"layers": 2})
    params = stacked.init(jax.random.key(0), input_size=1)
    flow = rnnlab.gradient_flow(stacked, params, inputs, lambda h: h[-1].sum(-1))
    assert flow.log10_norm["c"].shape == (2, 5, 3)


def test_python_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    library, experiment = blocks("README.md", "python")
    names = {}
    exec(library, names)
    assert names["flow"].log10_norm["c"].shape == (100, 32)
    assert names["j"].total.shape == (100, 32, 64, 64)
    small = '{"seeds": 2, "training.steps": 20, "record.every": 10, "before_training": None}'
    exec(experiment.replace('{"seeds": 2}', small), names)
    assert len(names["results"].settings) == 6
    assert len(rnnlab.compare(names["results"])) == 6


def test_the_documented_config_is_what_the_defaults_are(tmp_path):
    whole = blocks("docs/config.md", "yaml")[0]
    (tmp_path / "forget_bias.yaml").write_text(whole, encoding="utf-8")
    (tmp_path / "least.yaml").write_text(
        "task: {kind: adding}\ncell: {kind: lstm}\n"
        "sweep: {cell: {forget_bias: [0, 1, 3, 5, chrono]}}\nseeds: 3\n"
    )
    documented = load_experiment(tmp_path / "forget_bias.yaml")
    least = load_experiment(tmp_path / "least.yaml")
    assert [run.id for run in documented.runs] == [run.id for run in least.runs]


def test_sweeps_of_the_docs_are_valid(tmp_path):
    for index, sweep in enumerate(blocks("docs/config.md", "yaml")[1:]):
        path = tmp_path / f"sweep{index}.yaml"
        path.write_text("task: {kind: adding}\ncell: {kind: lstm}\n" + sweep)
        assert len(load_experiment(path).settings) == 2


def test_commands_of_the_readme_name_bundled_configs():
    commands = re.findall(r"^rnnlab run (\S+)(.*)$", (ROOT / "README.md").read_text(), re.M)
    assert commands
    for name, rest in commands:
        overrides = [word.strip("'") for word in rest.split(" --out")[0].split()]
        load_config(name, overrides)
        assert load_experiment(name, overrides).runs


def test_own_data_train(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(blocks("docs/howto/data.md", "python")[0], {})
    (config,) = blocks("docs/howto/data.md", "yaml")
    Path("my.yaml").write_text(config, encoding="utf-8")
    results = rnnlab.run("my.yaml", ["training.steps=20", "cell.hidden=4", "seeds=1"])
    assert list(results.runs["status"]) == ["finished"] * 2
    assert set(results.runs["metric"]) == {"accuracy"}


def test_the_tables_of_the_results_page_are_those_of_the_registry():
    spec = importlib.util.spec_from_file_location("quantities_page", ROOT / "docs/quantities.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = module.PAGE.read_text(encoding="utf-8")
    assert module.page(text) == text
    assert text.count("| column | meaning |") == len(QUANTITIES)
