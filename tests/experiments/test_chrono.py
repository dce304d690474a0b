"""The claim about the tie b_i = −b_f, on made-up results."""

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

SEEDS, STEPS = 8, 1000
PLACES = [("adding", 100), ("adding", 200), ("copy", 40)]
BIASES = {
    "b_f = 1": (1.0, 0.0),
    "constant b_f, untied": (3.9, 0.0),
    "constant b_f, tied": (3.9, "tied"),
    "spread b_f, untied": ("chrono", 0.0),
    "spread b_f, tied": ("chrono", "tied"),
}


def part(name):
    return load_analysis(f"chrono.py:{name}", "analysis", folder("configs"))


def runs(medians, spread=0.05, places=PLACES):
    """Runs that solve the task at about these steps, by (baseline, untied, tied)."""
    rng = np.random.default_rng(0)
    rows = []
    for task, length in places:
        for start, (forget, input_bias) in BIASES.items():
            which = {"b_f = 1": 0}.get(start, 1 if "untied" in start else 2)
            median = medians.get((task, length), medians["else"])[which]
            for seed in range(SEEDS):
                at = median * math.exp(spread * rng.normal())
                row = {"task.kind": task, "task.length": length, "seed": seed, "status": "finished"}
                row |= {"cell.forget_bias": forget, "cell.input_bias": input_bias}
                row |= {"solved_at": at if at <= STEPS else None, "training.steps": STEPS}
                rows.append(row | {"top_exponent_first": -0.1 * which + 0.001 * seed})
    return pd.DataFrame(rows)


def numbers_of(medians, **options):
    frame = part("of_starts")(runs(medians, **options))
    return numbers_frame([*part("compared")(frame), *part("exponents")(frame)])


def decide(numbers, places=PLACES):
    columns = ["task.kind", "task.length"]
    settings = pd.DataFrame(places, columns=columns).assign(before_training=False)
    return part("analyse").decide(numbers, settings)


HELPS, NEVER = (600, 900, 300), math.inf


@pytest.mark.parametrize(
    ("medians", "options", "answer"),
    [
        ({"else": HELPS}, {}, "supported"),
        ({"else": (NEVER, NEVER, 300)}, {}, "undecided"),
        ({"else": (600, NEVER, 300)}, {}, "supported"),
        ({"else": HELPS, ("adding", 100): (300, 200, 500)}, {}, "supported"),
        ({"else": HELPS, ("copy", 40): (800, 300, 500)}, {}, "refuted"),
        ({"else": HELPS, ("copy", 40): (800, 500, 300)}, {}, "refuted"),
        ({"else": HELPS, ("copy", 40): (300, 900, 500)}, {}, "refuted"),
        ({"else": HELPS, ("copy", 40): (NEVER, NEVER, NEVER)}, {}, "undecided"),
        ({"else": (600, 600, 500)}, {"spread": 0.5}, "undecided"),
    ],
)
def test_each_side_and_the_fence(medians, options, answer):
    assert decide(numbers_of(medians, **options)).answer == answer


def test_only_the_longest_lag_of_each_task_is_judged():
    numbers = numbers_of({"else": HELPS})
    judged = numbers.loc[numbers["quantity"] == EARLIER, "of"].str.partition(":")[0]
    assert list(dict.fromkeys(judged)) == ["adding, T = 200", "copy, T = 40"]
    assert len(judged) == 12
    shorter = numbers.loc[numbers["quantity"].str.endswith("shorter lag"), "of"]
    assert len(shorter) == 6
    assert shorter.str.startswith("adding, T = 100: ").all()


def test_the_longest_lag_is_that_of_the_config_not_of_what_has_ended():
    rows = runs({"else": HELPS})
    rows.loc[rows["task.length"] == 200, "status"] = "missing"
    numbers = numbers_frame(part("compared")(part("of_starts")(rows)))
    judged = set(numbers.loc[numbers["quantity"] == EARLIER, "of"].str.partition(":")[0])
    assert judged == {"copy, T = 40"}
    verdict = decide(numbers)
    assert verdict.answer == "undecided"
    assert "adding, T = 200: no run solves it; copy, T = 40: constant" in verdict.evidence


def test_one_task_alone_can_be_judged():
    places = [("adding", 500)]
    verdict = decide(numbers_of({"else": HELPS}, places=places), places)
    assert verdict.answer == "supported"
    assert (
        "adding, T = 500: spread b_f, tied before spread b_f, untied in 1.00 [" in verdict.evidence
    )


def test_what_is_solved_at_shorter_lags_is_told():
    """And where nothing is, that is all that is said of the longest."""
    evidence = decide(numbers_of({"else": HELPS, ("copy", 40): (NEVER,) * 3})).evidence
    assert "; copy, T = 40: no run solves it; " in evidence
    assert "adding, T = 100, solved (not judged): b_f = 1: 100%, constant b_f, untied: " in evidence
    unsolved = decide(numbers_of({"else": HELPS, ("adding", 100): (NEVER,) * 3})).evidence
    assert "adding, T = 200: " in unsolved
    assert "adding, T = 100" not in unsolved


def test_numbers():
    numbers = numbers_of({"else": (NEVER, NEVER, 300)})
    of = "copy, T = 40: spread b_f, untied"
    assert estimate(numbers, "share solved", of).mean == 0
    exponent = "top Lyapunov exponent before training"
    assert estimate(numbers, exponent, of).mean == pytest.approx(-0.1 + 0.001 * 3.5)
    difference = estimate(numbers, exponent, "copy, T = 40: spread b_f, tied − spread b_f, untied")
    assert difference == pytest.approx((-0.1,) * 3)
    lines = part("text")(numbers).splitlines()
    assert len(lines) == 15
    assert lines[0].startswith("adding, T = 100: b_f = 1: solved in 0% of runs, top")


@pytest.mark.parametrize("name", ["chrono", "chrono_long"])
def test_constant_biases_are_the_median_of_chrono(name):
    """log u, u ~ U[1, T_max − 1], has the median log(T_max/2); five starts at each place."""
    experiment = load_experiment(name)
    for part_of in (experiment, experiment.before_training):
        places = {}
        for settings in part_of.settings:
            bias, tie = settings.cell.forget_bias, settings.cell.input_bias
            places.setdefault(settings.task, set()).add((bias, tie))
            if bias not in (1, "chrono"):
                assert bias == pytest.approx(math.log(settings.task.t_max / 2), abs=5e-4)
        for starts in places.values():
            assert len(starts) == 5
            assert {("chrono", "tied"), ("chrono", 0), (1, 0)} <= starts
    assert experiment.before_training.settings[0].training.steps == 0
