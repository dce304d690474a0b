"""The claim about tanh and relu, on made-up results."""

import math

import numpy as np
import pandas as pd
import pytest

from rnnlab.config.sweep import load_experiment
from rnnlab.report.claims.evidence import numbers_frame
from rnnlab.report.claims.learning import EARLIER
from rnnlab.report.claims.words import estimate
from rnnlab.support.bundled import folder
from rnnlab.support.plugins import load_analysis

SEEDS = 6
NETWORKS = [("adding", "rnn", 1), ("adding", "lstm", 1), ("adding", "lstm", 2), ("copy", "lstm", 1)]


def part(name):
    return load_analysis(f"activation.py:{name}", "analysis", folder("configs"))


def decide(numbers):
    return part("analyse").decide(numbers, settings=pd.DataFrame())


def runs(solved_at, diverges=()):
    """Runs that solve the task at these steps, by activation, one a seed (None: never)."""
    rows = []
    for task, kind, layers in NETWORKS:
        for activation in ("tanh", "relu"):
            for seed in range(SEEDS):
                row = {"task.kind": task, "cell.kind": kind, "cell.layers": layers, "seed": seed}
                row |= {"run": f"{task} {kind} {layers} {activation} {seed}"}
                row |= {"cell.activation": activation, "solved_at": solved_at[activation][seed]}
                status = "diverged" if activation in diverges else "finished"
                row |= {"status": status, "final_loss": 0.1 + 0.01 * seed, "decay_first": -0.1}
                rows.append(row)
    return pd.DataFrame(rows)


def numbers_of(*arguments, **options):
    frame = runs(*arguments, **options)
    norms = [
        {"run": run, "step": step, "gradient_norm": norm}
        for run in frame["run"]
        for step, norm in enumerate([1.0, 100.0, math.inf, math.nan])
    ]
    return numbers_frame(part("compared")(part("of_networks")(frame, pd.DataFrame(norms))))


EARLY, LATE, MIXED = range(100, 106), range(200, 206), [90, 110, 120, 150, 300, None]
NEVER = [None] * SEEDS


@pytest.mark.parametrize(
    ("tanh", "relu", "diverges", "answer"),
    [
        (EARLY, LATE, (), "supported"),
        (EARLY, NEVER, (), "supported"),
        (LATE, EARLY, (), "refuted"),
        (EARLY, MIXED, (), "undecided"),
        (NEVER, NEVER, (), "undecided"),
        (LATE, EARLY, ("relu",), "supported"),
        (EARLY, LATE, ("tanh",), "refuted"),
        (EARLY, LATE, ("tanh", "relu"), "undecided"),
    ],
)
def test_each_side_and_the_fence(tanh, relu, diverges, answer):
    numbers = numbers_of({"tanh": tanh, "relu": relu}, diverges)
    assert decide(numbers).answer == answer


def test_one_task_on_the_other_side_refutes():
    numbers = numbers_of({"tanh": EARLY, "relu": LATE})
    of = (numbers["quantity"] == EARLIER) & (numbers["of"] == "copy: LSTM, 1 layer, tanh − relu")
    assert of.sum() == 1
    numbers.loc[of, ["value", "low", "high"]] = [0.1, 0.0, 0.4]
    assert decide(numbers).answer == "refuted"


def test_deeper_networks_are_not_judged():
    numbers = numbers_of({"tanh": EARLY, "relu": LATE})
    others = numbers["of"].str.contains("2 layers|RNN")
    numbers.loc[others & (numbers["quantity"] == EARLIER), ["value", "low", "high"]] = 0.0
    assert decide(numbers).answer == "supported"


def test_a_task_that_was_not_run_is_said_to_be_so():
    numbers = numbers_of({"tanh": EARLY, "relu": LATE})
    verdict = decide(numbers[~numbers["of"].str.startswith("copy")])
    assert verdict.answer == "undecided"
    assert verdict.evidence.endswith("; copy: LSTM, 1 layer: not run")


def test_numbers():
    numbers = numbers_of({"tanh": EARLY, "relu": MIXED}, diverges=("relu",))
    of = "adding: LSTM, 2 layers"
    assert estimate(numbers, "share diverged", f"{of}, relu").mean == 1
    assert math.isnan(estimate(numbers, "final loss", f"{of}, relu").mean)
    losses = 0.1 + 0.01 * np.arange(SEEDS)
    assert estimate(numbers, "final loss", f"{of}, tanh").mean == pytest.approx(np.median(losses))
    norm = estimate(numbers, "log10 of the greatest gradient norm", f"{of}, tanh")
    assert norm == pytest.approx((2, 2, 2))
    lines = part("text")(numbers).splitlines()
    assert len(lines) == 2 * len(NETWORKS)
    assert lines[0].startswith("adding: RNN, U = I, tanh: solved in 100% of runs")


def test_networks_of_the_config():
    cells = [settings.resolved["cell"] for settings in load_experiment("activation").settings]
    assert {cell["activation"] for cell in cells} == {"tanh", "relu"}
    assert sorted({cell["layers"] for cell in cells if cell["kind"] == "lstm"}) == [1, 2, 3, 4]
    assert {cell["recurrent_kernel"] for cell in cells if cell["kind"] == "rnn"} == {"identity"}
    assert {cell["forget_bias"] for cell in cells if cell["kind"] == "lstm"} == {1.0}
