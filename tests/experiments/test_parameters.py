"""The claim that the GRU is smaller, faster and as good, on made-up results."""

import jax
import numpy as np
import pandas as pd
import pytest

from rnnlab.config.sweep import load_experiment
from rnnlab.report.claims.evidence import numbers_frame
from rnnlab.report.claims.words import estimate
from rnnlab.support.bundled import folder
from rnnlab.support.plugins import load_analysis
from rnnlab.training.objective import Objective

SEEDS, STEPS = 10, 1000
COUNTS = {"lstm 8": 352, "gru 8": 272, "gru 9": 333}


def part(name):
    return load_analysis(f"parameters.py:{name}", "analysis", folder("configs"))


def decide(numbers):
    return part("analyse").decide(numbers, settings=pd.DataFrame())


def runs(solved_at, seconds, spread=0.02, compiling=0):
    """Runs of which a cell solves at about this step, taking about so long for all of them."""
    rng = np.random.default_rng(0)
    rows = []
    for task in ("adding", "copy"):
        for cell, count in COUNTS.items():
            kind, hidden = cell.split()
            for seed in range(SEEDS):
                at = solved_at[cell] * np.exp(spread * rng.normal())
                took = seconds[cell] * np.exp(0.01 * rng.normal()) + 5 * (seed < compiling)
                row = {
                    "task.kind": task,
                    "task.length": 20,
                    "cell.kind": kind,
                    "status": "finished",
                }
                row |= {"cell.hidden": int(hidden), "training.steps": STEPS, "last_step": STEPS}
                row |= {"seed": seed, "parameters": count, "seconds": took}
                rows.append(row | {"solved_at": at if at <= STEPS else None})
    return pd.DataFrame(rows)


def numbers_of(*arguments, **options):
    return numbers_frame(part("compared")(part("of_cells")(runs(*arguments, **options))))


SLOWER, ALIKE = {"lstm 8": 500, "gru 8": 700, "gru 9": 500}, dict.fromkeys(COUNTS, 500)
NEVER = {"lstm 8": 500, "gru 8": 2000, "gru 9": 2000}
ALL_NEVER = dict.fromkeys(COUNTS, 2000)
FAST, SLOW = {"lstm 8": 10, "gru 8": 8, "gru 9": 11}, {"lstm 8": 10, "gru 8": 13, "gru 9": 13}


@pytest.mark.parametrize(
    ("solved_at", "seconds", "options", "answer"),
    [
        (ALIKE, FAST, {}, "supported"),
        (ALIKE, FAST, {"compiling": 3}, "supported"),
        (ALIKE, FAST, {"spread": 0.5}, "undecided"),
        (SLOWER, FAST, {}, "refuted"),
        (ALIKE, SLOW, {}, "refuted"),
        (ALIKE, dict.fromkeys(COUNTS, 10), {}, "undecided"),
        (NEVER, FAST, {}, "refuted"),
        (ALL_NEVER, FAST, {}, "undecided"),
    ],
)
def test_each_side_and_the_fence(solved_at, seconds, options, answer):
    assert decide(numbers_of(solved_at, seconds, **options)).answer == answer


def test_numbers():
    numbers = numbers_of({"lstm 8": 400, "gru 8": 300, "gru 9": 200}, FAST, spread=0.0, compiling=2)
    name = "adding: GRU / LSTM"
    assert estimate(numbers, "updates until solved", name) == pytest.approx((0.75,) * 3)
    seconds = estimate(numbers, "seconds per update", name)
    assert seconds.mean == pytest.approx(0.8, rel=0.02)
    assert estimate(numbers, "seconds until solved", name).mean == pytest.approx(
        0.75 * seconds.mean
    )
    shares = numbers.loc[numbers["quantity"].str.startswith("share of pairs"), ["of", "value"]]
    assert list(shares["value"]) == [1.0] * 4
    assert list(shares["of"])[1] == "adding: GRU with as many parameters − LSTM"
    assert "0.773 of the parameters" in decide(numbers).evidence
    assert len(part("text")(numbers).splitlines()) == 6


def test_what_was_not_run_is_unknown():
    rows = runs(SLOWER, FAST)
    left = rows[(rows["cell.kind"] == "lstm") | (rows["task.kind"] == "copy")]
    numbers = numbers_frame(part("compared")(part("of_cells")(left[left["cell.hidden"] == 8])))
    verdict = decide(numbers)
    assert verdict.answer == "refuted"
    assert "adding: with as many units unknown of the parameters, unknown of the seconds" in str(
        verdict
    )


def test_runs_that_compile_are_left_out_of_the_seconds():
    cells = part("of_cells")(runs(ALIKE, FAST, compiling=4))
    assert cells["seconds per update"].isna().groupby(cells["seed"]).all().sum() == 4


def test_one_fast_run_leaves_out_none_of_the_others():
    rows = runs(ALIKE, FAST, compiling=2)
    rows.loc[rows["seed"] == SEEDS - 1, "seconds"] *= 0.7
    cells = part("of_cells")(rows)
    assert set(cells.loc[cells["seconds per update"].isna(), "seed"]) == {0, 1}


def closed_form(kind, d, n):
    """Weights and one bias a gate; reset after: also that of the candidate's recurrent product."""
    return 4 * n * (d + n + 1) if kind == "lstm" else 3 * n * (d + n + 1) + n


def test_counts_of_the_config():
    """By the closed forms; the second GRU is the one nearest to the LSTM."""
    lstm = {}
    for settings in load_experiment("parameters").settings:
        cell, task = settings.cell, settings.task
        params = jax.eval_shape(Objective(cell, task).init, jax.random.key(0))["cell"]
        count = sum(leaf.size for leaf in jax.tree.leaves(params))
        kind = settings.resolved["cell"]["kind"]
        assert count == closed_form(kind, task.input_size, cell.hidden)
        if kind == "lstm":
            lstm[task] = (cell.hidden, count)
        elif cell.hidden != lstm[task][0]:
            nearest = min(
                range(1, 200),
                key=lambda n: abs(closed_form("gru", task.input_size, n) - lstm[task][1]),
            )
            assert cell.hidden == nearest
    assert len(lstm) == 2
