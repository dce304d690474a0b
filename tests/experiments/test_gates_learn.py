"""The claim about what training does to the forget gate, on made-up results."""

import math

import numpy as np
import pandas as pd
import pytest

from rnnlab.config.sweep import load_experiment
from rnnlab.report.claims.evidence import numbers_frame
from rnnlab.report.claims.words import estimate
from rnnlab.support.bundled import folder
from rnnlab.support.plugins import load_analysis

SEEDS, TIME = 7, 5
LENGTHS = (25, 50, 100)
STARTS = {0.0: 2, 1.0: 4, 3.0: 20, 5.0: 150}


def part(name):
    return load_analysis(f"gates_learn.py:{name}", "analysis", folder("configs"))


def decide(numbers):
    return part("analyse").decide(numbers, settings=pd.DataFrame())


def made_up(end, noise=0.02, unsolved=()):
    """Gates and runs whose upper tenth ends at a time scale of ``end(length, start)``."""
    rng = np.random.default_rng(0)
    runs, gates = [], []
    for length in LENGTHS:
        for bias, start in {**STARTS, "chrono": 0.9 * length}.items():
            for seed in range(SEEDS):
                run = f"{length} {bias} {seed}"
                solved = None if (length, bias) in unsolved else 500
                runs.append({"run": run, "seed": seed, "task.length": length, "status": "finished"})
                runs[-1] |= {"cell.forget_bias": bias, "solved_at": solved}
                last = end(length, start) * 10 ** (noise * rng.normal())
                for step, scale in ((0, start), (50, last), (100, last)):
                    # About the same geometric mean over t, at the f of 1/(1 − f).
                    scales = scale * 2.0 ** np.linspace(-1, 1, TIME)
                    frame = {"run": run, "seed": seed, "setting": "any", "step": step, "layer": 0}
                    frame |= {"t": range(TIME), "gate": "f"}
                    gates.append(pd.DataFrame(frame | {"q90": 1 - 1 / scales, "q10": 0.5}))
    return pd.concat(gates), pd.DataFrame(runs)


def numbers_of(*arguments, **options):
    scales = part("time_scales")(*made_up(*arguments, **options))
    ends = part("at_ends")(scales)
    return numbers_frame([*part("judged")(ends), *part("by_setting")(ends)])


@pytest.mark.parametrize(
    ("end", "options", "answer"),
    [
        (lambda length, start: 0.7 * length, {}, "supported"),
        (lambda length, start: 5 * length**0.8, {}, "supported"),
        (lambda length, start: 20, {}, "refuted"),
        (lambda length, start: 10 * length**0.3, {}, "refuted"),
        (lambda length, start: start + 2, {}, "refuted"),
        (lambda length, start: start * length / 50, {}, "refuted"),
        (lambda length, start: 5 * length**0.55, {"noise": 0.2}, "undecided"),
        (lambda length, start: start**0.45 * length, {"noise": 0.2}, "undecided"),
    ],
)
def test_each_side_and_the_fence(end, options, answer):
    assert decide(numbers_of(end, **options)).answer == answer


def test_by_hand():
    """Time scales start^¼ · T^¾: the slope is ¾ over constant b_f, and the spread falls to ¼."""
    numbers = numbers_of(lambda length, start: start**0.25 * length**0.75, noise=0.0)
    of = "runs that solved the task"
    names = list(dict.fromkeys(numbers["quantity"]))[:3]
    assert estimate(numbers, names[0], of) == pytest.approx((0.75,) * 3)
    assert estimate(numbers, names[1], of) == pytest.approx((0.0,) * 3, abs=1e-9)
    assert estimate(numbers, names[2], of) == pytest.approx((0.25,) * 3)
    upper = "time scale of the upper tenth in steps, at the end of training"
    expected = 20**0.25 * 50**0.75
    assert estimate(numbers, upper, "T = 50, b_f = 3").mean == pytest.approx(expected)
    lower = "time scale of the lower tenth in steps, before training"
    assert estimate(numbers, lower, "T = 50, b_f chrono").mean == pytest.approx(2)
    assert "solved in 100% of runs" in part("text")(numbers)


def test_runs_that_did_not_solve_the_task_are_counted_alone():
    """One bias is off the line at one length, where it did not solve the task."""

    def end(length, start):
        return 1e5 if (length, start) == (100, STARTS[0.0]) else length

    numbers = numbers_of(end, noise=0.0, unsolved=[(100, 0.0)])
    names = list(dict.fromkeys(numbers["quantity"]))
    assert estimate(numbers, names[0], "runs that solved the task").mean == pytest.approx(1)
    assert estimate(numbers, "share solved", "T = 100, b_f = 0").mean == 0
    assert "solved in 93% of runs" in decide(numbers).evidence


def test_nothing_solved_is_undecided():
    every = [(length, bias) for length in LENGTHS for bias in (*STARTS, "chrono")]
    verdict = decide(numbers_of(lambda length, start: length, unsolved=every))
    assert verdict.answer == "undecided"
    assert "unknown" in verdict.evidence


def test_gates_that_read_one_have_the_resolution_of_float32():
    gates, runs = made_up(lambda length, start: length)
    gates["q90"] = np.float32(1)
    scales = part("time_scales")(gates, runs)
    assert np.allclose(scales["q90"], 24 * math.log10(2))


def test_slope_is_that_of_least_squares_with_levels():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"T": [25, 50, 100, 50, 100], "bias": list("aaabb")})
    frame["q90_last"] = rng.normal(size=5)
    levels = np.array([frame["bias"] == name for name in "ab"], float)
    design = np.vstack([np.log10(frame["T"].astype(float)), levels]).T
    expected = np.linalg.lstsq(design, frame["q90_last"], rcond=None)[0][0]
    assert part("slope")(frame, "q90_last") == pytest.approx(expected)
    assert math.isnan(part("slope")(frame.iloc[[0, 3]], "q90_last"))


def test_biases_of_the_config_are_tied():
    cells = [settings.cell for settings in load_experiment("gates_learn").settings]
    assert {cell.input_bias for cell in cells} == {"tied"}
    assert {cell.forget_bias for cell in cells} == {0, 1, 3, 5, "chrono"}
