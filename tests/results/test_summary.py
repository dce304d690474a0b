"""Solved-at, slopes and half-lives on made-up curves with known answers."""

import math

import numpy as np
import pandas as pd
import pytest

from rnnlab.gradients.decay import decay_per_step, half_life, straightness
from rnnlab.results.summary import summarize_run
from rnnlab.training.quantities.jacobian_paths import left_at_first, sensitivity_decay
from rnnlab.training.quantities.summary import Facts
from rnnlab.training.quantities.training import solved_at


def training(losses):
    return pd.DataFrame({"step": np.arange(len(losses)), "loss": losses})


def test_solved_at_is_the_first_step_whose_last_50_losses_have_a_low_mean():
    losses = np.where(np.arange(200) < 100, 1.0, 0.0)
    # The mean over steps s−49 … s is (100 − (s − 49)) / 50 while it falls; below 0.1 from s = 145.
    assert solved_at(training(losses), threshold=0.1) == 145


def test_solved_at_needs_50_steps():
    assert solved_at(training(np.zeros(49)), threshold=0.1) is None
    assert solved_at(training(np.zeros(50)), threshold=0.1) == 49


def test_never_solved():
    assert solved_at(training(np.ones(300)), threshold=0.1) is None


@pytest.mark.parametrize("slope", [-0.3, 0.02])
def test_decay_of_a_straight_line(slope):
    distance = pd.Series(np.arange(17.0))
    assert decay_per_step(1.7 + slope * distance, distance) == pytest.approx(slope, abs=1e-12)


def test_decay_is_the_least_squares_slope():
    rng = np.random.default_rng(0)
    distance = pd.Series(rng.permutation(23).astype(float))
    values = pd.Series(rng.normal(size=23))
    assert decay_per_step(values, distance) == pytest.approx(np.polyfit(distance, values, 1)[0])


def test_decay_uses_finite_points_at_or_before_the_read_step():
    distance = pd.Series([-1.0, 0, 1, 2, 3, 4])
    values = pd.Series([99.0, 0, -2, -4, np.nan, -np.inf])
    assert decay_per_step(values, distance) == pytest.approx(-2)
    assert math.isnan(decay_per_step(values[:2], distance[:2]))


def test_half_life():
    assert half_life(-math.log10(2)) == pytest.approx(1)
    assert half_life(math.log10(0.5) / 40) == pytest.approx(40)
    assert half_life(0.0) == math.inf
    assert half_life(0.1) == math.inf
    assert math.isnan(half_life(math.nan))


def records(read_step=4, quantities=("h", "c")):
    """Two records, two layers, five time steps; the top layer's c loses 0.5 decades a step."""
    rows = [
        {
            "step": step,
            "t": t,
            "layer": layer,
            "quantity": quantity,
            "log10_mean": -rate * (read_step - t),
        }
        for step, factor in ((0, 1.0), (30, 0.5))
        for layer in (0, 1)
        for quantity in quantities
        for t in range(5)
        for rate in [factor * (0.5 if (layer, quantity) == (1, "c") else 0.1)]
    ]
    return pd.DataFrame(rows)


def gates():
    rows = [
        {"step": step, "t": t, "layer": layer, "gate": gate, "mean": mean + 0.01 * (t - 2)}
        for step, mean in ((0, 0.5), (30, 0.8))
        for layer, gate, mean in ((0, "f", 0.1), (1, "f", mean), (1, "i", 0.2))
        for t in range(5)
    ]
    return pd.DataFrame(rows)


def evaluated():
    return training(np.ones(31)).assign(
        eval_loss=[0.7, *[np.nan] * 29, 0.3], eval_metric=[0.1, *[np.nan] * 29, 0.9]
    )


def tables(training, gradients, gates):
    return {"training": training, "gradients": gradients, "gates": gates}


def test_summary_of_the_top_layer_at_the_first_and_last_record():
    facts = Facts(threshold=0.1, read_step=4, carry="c", direct="f")
    summary = summarize_run(tables(evaluated(), records(), gates()), facts)
    assert summary["decay_of"] == "c"
    assert summary["decay_first"] == pytest.approx(-0.5)
    assert summary["decay_last"] == pytest.approx(-0.25)
    assert summary["gate_first"] == pytest.approx(0.5)
    assert summary["gate_last"] == pytest.approx(0.8)
    assert (summary["final_loss"], summary["final_metric"]) == (0.3, 0.9)
    assert (summary["last_step"], summary["solved_at"]) == (30, None)


def test_summary_without_cell_state_forget_gate_or_read_step():
    no_gates = gates().query("gate == 'i'")
    facts = Facts(threshold=0.1, read_step=None, carry="h", direct=None)
    summary = summarize_run(tables(evaluated(), records(quantities=("h",)), no_gates), facts)
    assert summary["decay_of"] == "h"
    assert math.isnan(summary["decay_first"])
    assert math.isnan(summary["gate_first"])


def test_straightness_is_1_minus_the_share_that_a_line_leaves():
    rng = np.random.default_rng(0)
    distance = pd.Series(np.arange(-3, 40))
    log10 = pd.Series(-0.2 * distance + rng.normal(size=len(distance)))
    log10[7] = -np.inf
    used = (distance >= 0) & np.isfinite(log10)
    line = np.polynomial.Polynomial.fit(distance[used], log10[used], 1)
    left = np.var(log10[used] - line(distance[used]), ddof=0) / np.var(log10[used], ddof=0)
    assert straightness(log10, distance) == pytest.approx(1 - left, rel=1e-9)
    assert straightness(-0.1 * distance, distance) == pytest.approx(1)
    assert math.isnan(straightness(0 * distance, distance))


@pytest.mark.parametrize(("direct", "first"), [("f", 0.2), ("z", 0.7), (None, math.nan)])
def test_the_gate_is_that_of_the_direct_path(direct, first):
    """A GRU's z, not a gate that happens to be called f."""
    gates = pd.DataFrame(
        {"step": 0, "layer": 0, "t": [0, 1] * 2, "gate": ["f", "f", "z", "z"],
         "mean": [0.1, 0.3, 0.6, 0.8]}
    )  # fmt: skip
    facts = Facts(threshold=0.1, read_step=1, carry="h", direct=direct)
    summary = summarize_run({"gates": gates}, facts)
    assert summary["gate_of"] == direct
    assert summary["gate_first"] == pytest.approx(first, nan_ok=True)


def test_a_slope_is_over_the_same_examples():
    """From three steps back on one of two examples reads zero: the other's mean is another."""
    log10 = pd.DataFrame({"step": 0, "layer": 0, "t": range(6), "quantity": "c"})
    log10["log10_mean"] = [9.0, 8.0, 7.0, -0.2, -0.1, 0.0]
    log10["zero_fraction"] = [0.5, 0.5, 0.5, 0.0, 0.0, 0.0]
    facts = Facts(threshold=0.1, read_step=5, carry="c", direct="f")
    summary = summarize_run({"gradients": log10}, facts)
    assert summary["decay_first"] == pytest.approx(-0.1)
    jacobians = log10.rename(columns={"log10_mean": "log10_sensitivity"})
    assert sensitivity_decay(jacobians) == pytest.approx(-0.1)


@pytest.mark.parametrize(
    ("zeros", "expected"), [(None, -7.0), (0.0, -7.0), (0.5, math.nan), (1.0, -math.inf)]
)
def test_what_is_left_at_the_first_step_is_of_all_examples(zeros, expected):
    """Zero in all examples is −∞; the mean over those that are not zero is that of others."""
    record = pd.DataFrame({"t": [1, 0], "log10_sensitivity": [-3.0, -7.0]})
    if zeros is not None:
        record["zero_fraction"] = [0.0, zeros]
    assert left_at_first(record) == pytest.approx(expected, nan_ok=True)
