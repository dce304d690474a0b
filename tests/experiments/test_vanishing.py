"""The claim about vanishing gradients, on made-up results."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rnnlab.report.claims.evidence import numbers_frame
from rnnlab.report.claims.words import estimate
from rnnlab.support.bundled import folder
from rnnlab.support.plugins import load_analysis

TIME, SEEDS = 50, 20


def part(name):
    claim = load_analysis("vanishing.py:analyse", "analysis", folder("configs"))
    return claim.measure.__globals__[name]


def decide(numbers):
    return part("analyse").decide(numbers, settings=pd.DataFrame())


def results(decays, bend=0.0, noise=1e-3, tasks=("adding", "copy")):
    """Runs of no step whose log10 norms fall by so many decades a step, by kernel and cell."""
    rng = np.random.default_rng(0)
    runs, frames = [], []
    for task in tasks:
        for kernel in ("uniform", "orthogonal"):
            for cell, decay in decays.items():
                for seed in range(SEEDS):
                    run = f"{task} {kernel} {cell} {seed}"
                    options = {"cell.kind": cell}
                    options |= {
                        "lstm": {"cell.forget_bias": 1.0},
                        "gru": {"cell.update_bias": 0.0},
                    }.get(cell, {})
                    options |= {"cell.recurrent_kernel": kernel, "task.kind": task}
                    options |= {"task.length": 200}
                    runs.append({"run": run, "seed": seed, **options})
                    back = np.arange(TIME)[::-1]
                    bent = bend * rng.uniform(0.0, 2.0) * np.sin(back)
                    log10 = (decay + noise * rng.normal()) * back + bent
                    frame = {"run": run, "seed": seed, "setting": "any", "step": 0, "layer": 0}
                    frame |= {"quantity": "h", "t": np.arange(TIME), "distance": back}
                    frames.append(pd.DataFrame(frame | {"log10_mean": log10}))
    return SimpleNamespace(runs=pd.DataFrame(runs), gradients=pd.concat(frames))


def judged(**options):
    before = part("of_cells")(results(**options))
    return numbers_frame(part("judged")(before))


@pytest.mark.parametrize(
    ("decays", "options", "answer"),
    [
        ({"rnn": -0.3, "lstm": -0.1, "gru": -0.1}, {}, "supported"),
        ({"rnn": -0.3, "lstm": -0.1, "gru": -0.3}, {}, "undecided"),
        ({"rnn": -0.1, "lstm": -0.3, "gru": -0.05}, {}, "refuted"),
        ({"rnn": 0.1, "lstm": 0.2, "gru": 0.2}, {}, "refuted"),
        ({"rnn": -0.01, "lstm": 0.2, "gru": 0.2}, {"noise": 0.05}, "undecided"),
        ({"rnn": -0.3, "lstm": -0.1, "gru": -0.1}, {"bend": 20.0}, "refuted"),
        ({"rnn": -0.3, "lstm": -0.1, "gru": -0.1}, {"bend": 1.2}, "undecided"),
    ],
)
def test_each_side_and_the_fence(decays, options, answer):
    assert decide(judged(decays=decays, **options)).answer == answer


def test_numbers():
    numbers = judged(decays={"rnn": -0.3, "lstm": -0.1, "gru": -0.2}, noise=0.0)
    name = "adding, T = 200: GRU, b_z = 0, recurrent_kernel = uniform − RNN, recurrent_kernel = "
    name += "uniform"
    found = estimate(numbers, "decades per step before training", name)
    assert found.mean == pytest.approx(0.1)
    text = decide(numbers).evidence
    assert "RNN, uniform: halved every 1.00 [1.00, 1.00] steps and halved every 1.00 " in text
    assert "Fails" not in text


def test_the_evidence_names_what_refutes():
    decays = {"rnn": -0.3, "lstm": -0.1, "gru": -0.4}
    found = decide(judged(decays=decays))
    assert found.answer == "refuted"
    assert found.evidence.endswith(
        "Fails: GRU, b_z = 0, uniform more slowly than the RNN; "
        "GRU, b_z = 0, orthogonal more slowly than the RNN."
    )
    one_task = decide(judged(decays=decays, tasks=["copy"]))
    assert one_task.answer == "refuted"
    assert "Undecided: RNN, uniform decays; " in one_task.evidence


def test_what_is_reported_of_c_and_while_training():
    """Lines by numpy's fit."""
    made = results(decays={"rnn": -0.3, "lstm": -0.1}, bend=0.5)
    h = made.gradients
    c = h.assign(quantity="c", log10_mean=2 * h["log10_mean"])
    later = h.assign(step=500, log10_mean=h["log10_mean"] / 2)
    made.gradients = pd.concat([h, c, later, h.assign(step=250)])
    frame = part("of_cells")(made)
    before = numbers_frame([*part("judged")(part("of_h")(frame)), *part("of_c")(frame)])
    training = numbers_frame(part("trained")(frame))
    slopes, residuals = [], []
    for _, own in h[h["run"].str.startswith("copy uniform lstm")].groupby("run"):
        (slope, _), (squares, *_), *_ = np.polyfit(own["distance"], own["log10_mean"], 1, full=True)
        slopes.append(slope)
        residuals.append(np.sqrt(squares / TIME))
    cell = "LSTM, b_f = 1, recurrent_kernel = uniform"
    for of, factor in ((f"copy, T = 200: {cell}", 1), (f"copy, T = 200, c: {cell}", 2)):
        decay = estimate(before, part("DECAY"), of).mean
        assert decay == pytest.approx(factor * np.mean(slopes))
        residual = estimate(before, part("RESIDUAL"), of).mean
        assert residual == pytest.approx(factor * np.mean(residuals))
    steps = {"decades per step at training step 0": 1, "decades per step at training step 500": 0.5}
    assert set(training["quantity"]) == set(steps)
    for name, factor in steps.items():
        found = estimate(training, name, f"copy, T = 200: {cell}").mean
        assert found == pytest.approx(factor * np.median(slopes))


def test_too_few_norms_for_a_line_are_unknown():
    record = pd.DataFrame({"log10_mean": [-1.0, -np.inf, -2.0], "distance": [0, 1, 2]})
    assert np.isnan(part("_residual")(record))
