"""What a config measures before training, beside what it trains."""

import json
import re

import pytest
from in_process import rnnlab
from pandas.testing import assert_frame_equal

from rnnlab.config.model import load_config
from rnnlab.config.sweep import load_experiment
from rnnlab.results.read import load
from rnnlab.support.errors import UserError

CONFIG = """
task: {kind: adding, length: 12}
cell: {kind: lstm, hidden: 4}
training: {steps: 20, batch: 5}
record: {every: 10, examples: 3, jacobians: {every: 10, examples: 2}}
sweep: {cell: {forget_bias: [0, 2]}}
seeds: 2
before_training:
  seeds: [0, 1, 5]
  sweep: {task: {length: [12, 30]}, cell: {forget_bias: [0, 2]}}
analysis: own.py:analyse
"""
ANALYSIS = """
import pandas as pd
import rnnlab
from rnnlab.results.comparison import compare

def analyse(results):
    before = results.before_training.runs
    numbers = pd.DataFrame({"quantity": ["runs"], "value": [len(before)]})
    verdict = rnnlab.Verdict(rnnlab.Answer.SUPPORTED, f"{len(before)} runs ≥ 12")
    return rnnlab.Findings(compare(results), numbers=numbers, verdict=verdict)
"""
WITHOUT_JACOBIANS = CONFIG.replace(", jacobians: {every: 10, examples: 2}", "")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("before_training")
    (folder / "own.py").write_text(ANALYSIS)
    (folder / "tiny.yaml").write_text(CONFIG)
    code, output = rnnlab("run", folder / "tiny.yaml", "--out", folder / "out", "--workers", 0)
    assert code == 0, output
    return folder, output


def test_two_results_folders(finished):
    results = load(finished[0] / "out")
    assert len(results.runs) == 4
    assert set(results.runs["training.steps"]) == {20}
    before = results.before_training
    assert before.name == "tiny_before_training"
    assert len(before.runs) == 12
    assert set(before.runs["training.steps"]) == {0}
    assert set(before.runs["seed"]) == {0, 1, 5}
    assert set(before.runs["task.length"]) == {12, 30}
    assert set(before.runs["status"]) == {"finished"}
    assert set(before.jacobians["step"]) == {0}
    assert set(load(finished[0] / "out" / "before_training").runs["run"]) == set(before.runs["run"])


@pytest.mark.parametrize("table", ["gradients", "gates", "jacobians", "lyapunov"])
def test_before_training_is_step_0_of_training(finished, table):
    """Of the settings and seeds that both have."""
    results = load(finished[0] / "out")
    trained, before = getattr(results, table), getattr(results.before_training, table)
    keys = ["cell.forget_bias", "seed"]

    def rows(frame, runs):
        runs = runs[(runs["task.length"] == 12) & runs["seed"].isin([0, 1])]
        frame = frame[frame["step"] == 0].drop(columns=["setting", "seed"])
        joined = frame.merge(runs[["run", *keys]], on="run").drop(columns="run")
        order = [
            *keys,
            *(k for k in ("layer", "quantity", "gate", "t", "example", "index") if k in joined),
        ]
        return joined.sort_values(order, ignore_index=True)

    one, other = rows(trained, results.runs), rows(before, results.before_training.runs)
    assert len(one) > 0
    assert_frame_equal(one, other, rtol=1e-5, atol=1e-6)


def test_the_part_that_trains_is_as_without_it(tmp_path, finished):
    whole = load_experiment(finished[0] / "tiny.yaml")
    (tmp_path / "own.py").write_text(ANALYSIS)
    (tmp_path / "tiny.yaml").write_text(
        CONFIG.replace("before_training:", "before_training: null\nbefore_training_:")
    )
    with pytest.raises(
        UserError, match=r"before_training_: unknown key .*; did you mean 'before_training'"
    ):
        load_experiment(tmp_path / "tiny.yaml")
    alone = load_experiment(finished[0] / "tiny.yaml", {"before_training": None})
    assert alone.before_training is None
    assert [run.id for run in alone.runs] == [run.id for run in whole.runs]


def test_what_is_not_said_is_as_in_training(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(CONFIG.split("before_training:")[0] + "before_training: {task: {length: 9}}\n")
    before = load_config(path)[0].before_training_config()
    assert before.seeds == 2
    assert before.sweep == {"cell": {"forget_bias": [0, 2]}}
    assert before.task == {"kind": "adding", "length": 9}
    assert before.training == {"steps": 0, "batch": 5}
    assert before.record["jacobians"] == {"every": 10, "examples": 2}


def test_verdicts(finished):
    """Printed last, and written."""
    folder, output = finished
    assert output.rstrip().endswith("Verdict: supported\n  12 runs ≥ 12")
    verdict = json.loads((folder / "out" / "verdict.json").read_text())
    assert verdict == {"answer": "supported", "evidence": "12 runs ≥ 12", "called": ""}
    assert (folder / "out" / "numbers.csv").read_text() == "quantity,value\nruns,12\n"


def test_a_run_says_when_it_goes_on_to_measuring(finished):
    """Runs that are only measured learn nothing: their loss is not told."""
    said = [line for line in finished[1].splitlines() if re.match(r"\[|.*runs to do$", line)]
    assert (said[0], said[5]) == (
        "training: 4 runs to do",
        "measuring before training: 12 runs to do",
    )
    ends = r"\[\d+/(?:4|12)\] .*: finished{}(?:, \d+:\d\d left)?"
    for lines, detail in ((said[1:5], ": evaluation loss [\\d.]+"), (said[6:], "")):
        assert all(re.fullmatch(ends.format(detail), line) for line in lines), lines
    assert len(said) == 18


def test_commands_tell_of_both(finished, tmp_path):
    folder = finished[0]
    again = rnnlab("run", folder / "tiny.yaml", "--out", folder / "out", "--workers", 0)
    assert again[1].splitlines()[:2] == [
        "training: 4 of 4 runs are stored already",
        "measuring before training: 12 of 12 runs are stored already",
    ]
    assert rnnlab("rerun", folder / "out", "--workers", 0)[0] == 0
    shown = rnnlab("show", folder / "out")[1]
    assert "tiny_before_training" in shown
    assert "12 finished" in shown
    checked = rnnlab("check", folder / "out")[1]
    assert checked.count("every file is as it was written") == 2
    foreseen = rnnlab("run", folder / "tiny.yaml", "--out", tmp_path / "new", "--dry-run")[1]
    assert "0 of 4 runs" in foreseen
    assert "0 of 12 runs" in foreseen
    config = tmp_path / "plain.yaml"
    config.write_text(CONFIG.split("analysis:")[0])
    preview = rnnlab("show", config)[1]
    assert "4 runs: settings 2, seeds 2" in preview
    assert "12 runs: settings 4, seeds 3" in preview


def test_damage_inside_is_found(tmp_path):
    config = tmp_path / "tiny.yaml"
    config.write_text(
        WITHOUT_JACOBIANS.split("before_training:")[0] + "before_training: {seeds: 1}\n"
    )
    out = tmp_path / "out"
    assert rnnlab("run", config, "--out", out, "--workers", 0)[0] == 0
    damaged = next((out / "before_training" / "runs").glob("*/gates.parquet"))
    damaged.write_bytes(b"")
    code, output = rnnlab("check", out)
    assert code == 1
    assert str(damaged) in output
    assert rnnlab("check", out, "--repair")[0] == 0
    assert rnnlab("run", config, "--out", out, "--workers", 0)[0] == 0
    assert rnnlab("check", out)[0] == 0


def test_what_fails_before_training_is_told(tmp_path):
    (tmp_path / "own.py").write_text(
        "import rnnlab\n"
        "class Mine(rnnlab.LSTM):\n"
        "    def step(self, params, state, x, observe=lambda name, value: value):\n"
        "        if self.hidden == 5:\n"
        "            raise ValueError('five is too many')\n"
        "        return super().step(params, state, x, observe)\n"
    )
    config = tmp_path / "tiny.yaml"
    text = WITHOUT_JACOBIANS.split("before_training:")[0].replace("kind: lstm", "kind: own.py:Mine")
    config.write_text(text + "before_training: {seeds: 1, sweep: {cell: {hidden: [4, 5]}}}\n")
    code, output = rnnlab("run", config, "--out", tmp_path / "out", "--workers", 0)
    assert code == 1
    assert "failed: hidden = 5, seed 0" in output
    assert "five is too many" in output


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("{seed: 3}", "before_training.seed: unknown key (value 3); did you mean 'seeds'"),
        ("{seeds: 0}", "before_training.seeds: "),
        ("{seeds: [1, 1]}", "before_training.seeds: [1, 1] names a seed twice"),
        (
            "{sweep: {cel: {hidden: [1]}}}",
            "tiny.yaml (before_training): sweep.cel: did you mean 'cell'",
        ),
        (
            "{sweep: {cell: {hiden: [1]}}}",
            "(before_training) (sweep: cell.hiden=1): cell.hiden: unknown",
        ),
        ("{task: {length: x}}", "tiny.yaml (before_training) (sweep: "),
        ("5", "before_training: 5 is not valid: must be keys and values"),
    ],
)
def test_mistakes_name_the_block(tmp_path, block, message):
    path = tmp_path / "tiny.yaml"
    path.write_text(CONFIG.split("before_training:")[0] + f"before_training: {block}\n")
    with pytest.raises(UserError) as error:
        load_experiment(path)
    assert message in str(error.value)


def test_none_was_measured(finished, tmp_path):
    with pytest.raises(
        UserError, match="nothing was measured before training; set before_training"
    ):
        _ = load(finished[0] / "out" / "before_training").before_training
