"""Numbers with intervals, from made-up runs."""

import math

import numpy as np
import pandas as pd
import pytest
from two_settings import RUNS

from rnnlab.gradients.decay import decay_per_step
from rnnlab.report.claims.evidence import (
    at,
    bias_name,
    bounded_difference,
    differences,
    mean_of,
    median_differences,
    median_of,
    number,
    numbers_frame,
    of_line,
    of_runs,
    versus,
)
from rnnlab.results.intervals import Estimate, median_interval, t_interval


def test_means_leave_out_what_is_missing():
    one, two = mean_of(RUNS, "x")
    assert one == ("x", "one", *t_interval([1, 2, 4]), 3, "95 %")
    assert two == ("x", "two", *t_interval([9, 3, 1, 0.5]), 4, "95 %")


def test_differences_are_paired_by_seed():
    (found,) = differences(RUNS, "x", [("one", "two")], comparisons=3)
    expected = t_interval([0.5, 1, 1], comparisons=3)
    assert found == ("x", "one − two", *expected, 3, "95 % for all 3 together")


def test_medians_and_their_differences_are_exact():
    values = [3e-5, 0.16, 1e-4, 0.165, 2e-5, 0.17]
    runs = pd.DataFrame({"setting": ["a"] * 6 + ["b"] * 6, "seed": [*range(6)] * 2})
    runs = runs.assign(loss=[*values, *np.full(6, 0.2)])
    one, two = median_of(runs, "loss")
    assert one == ("loss", "a", *median_interval(values), 6, "95 %")
    assert two == ("loss", "b", 0.2, 0.2, 0.2, 6, "95 %")
    (found,) = median_differences(runs, "loss", [("a", "b")])
    assert found[2:6] == pytest.approx((*(np.array(median_interval(values)) - 0.2), 6))
    (too_few,) = median_differences(runs, "loss", [("a", "b")], comparisons=2)
    assert math.isnan(too_few.low)
    assert too_few.interval == ""


def test_differences_from_what_was_not_run_are_unknown():
    (found,) = differences(RUNS, "x", [("one", "three")])
    assert math.isnan(found.value)
    assert found.runs == 0


def by_seed(low, high, seeds):
    return pd.DataFrame({"at_least": low, "at_most": high}, index=pd.Index(seeds, name="seed"))


def test_differences_of_known_values_are_paired_by_seed():
    a, b = np.arange(8.0) ** 2, np.arange(8.0)[::-1] / 7
    mine, theirs = by_seed(a, a, range(8)), by_seed(b[::-1], b[::-1], range(7, -1, -1))
    found = bounded_difference("x", "a − b", mine, theirs.drop(3))
    differences_by_hand = [a[seed] - b[seed] for seed in range(8) if seed != 3]
    assert found == number("x", "a − b", median_interval(differences_by_hand), 7)


def test_bounds_of_a_difference_hold_wherever_the_values_are():
    rng = np.random.default_rng(0)
    low = rng.normal(size=(2, 9))
    width = rng.random((2, 9))
    width[0, 4] = width[1, 7] = np.inf
    one, other = (by_seed(*bounds, range(9)) for bounds in zip(low, low + width, strict=True))
    found = bounded_difference("x", "a − b", one, other)
    assert np.isfinite(found[2:5]).all()
    for _ in range(200):
        a, b = low + np.minimum(width, 1e3) * rng.random((2, 9))
        within = median_interval(a - b)
        assert found.low <= within.low
        assert within.high <= found.high


def test_a_number_of_each_run():
    rows = pd.DataFrame(
        {
            "run": list("aabb"),
            "setting": "s",
            "seed": [0, 0, 1, 1],
            "t": [0, 1, 0, 1],
            "v": range(4),
        }
    )
    found = of_runs(rows, lambda own: float(own["v"].sum()), "total")
    assert list(found["total"]) == [1, 5]
    assert list(found["seed"]) == [0, 1]
    none = of_runs(rows.iloc[:0], lambda own: 0.0, "total")
    assert mean_of(none, "total") == []


def test_names_of_what_is_compared_and_of_biases():
    assert versus(("a", "b")) == "a − b"
    names = [bias_name(1.0), bias_name(-2), bias_name("chrono"), bias_name(0.5, "b_z")]
    assert names == ["b_f = 1", "b_f = -2", "b_f chrono", "b_z = 0.5"]


def test_the_table_says_what_each_interval_is():
    """A plain one, one that is widened, one that there is not, and one with a single end."""
    ends = [(0, 2), (0, 2), (math.nan, math.nan), (0, math.inf)]
    estimates = [Estimate(1, *both) for both in ends]
    found = [
        number("x", "a", of, 3, many) for of, many in zip(estimates, (1, 9, 9, 2), strict=True)
    ]
    assert list(numbers_frame(found)["interval"]) == [
        "95 %",
        "95 % for all 9 together",
        "",
        "95 % for all 2 together",
    ]


def test_numbers_of_a_place_are_named_after_it():
    found = at("copy", [number("x", "a", Estimate(1, 0, 2), 3)])
    assert found == [number("x", "copy: a", Estimate(1, 0, 2), 3)]
    assert at("copy", found, ", ")[0].of == "copy, copy: a"


def test_a_number_of_the_line_of_one_record():
    record = pd.DataFrame({"log10_mean": [-1.0, -3.0, -5.0], "distance": [0, 1, 2]})
    assert of_line(decay_per_step)(record) == pytest.approx(-2)
