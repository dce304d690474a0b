"""Over which settings a norm stays within bounds."""

import math

import numpy as np
import pandas as pd
import pytest

from rnnlab.report.claims.evidence import numbers_frame
from rnnlab.report.claims.windows import SHARE, WIDTH, of_windows, window, windows
from rnnlab.report.claims.words import estimate
from rnnlab.results.intervals import bounded_median_interval, median_interval


@pytest.mark.parametrize("seed", range(20))
def test_windows_against_a_fine_grid(seed):
    """Of a random path, which leaves and comes back several times."""
    rng = np.random.default_rng(seed)
    setting = np.sort(rng.uniform(-1, 1, 12))
    log10 = np.cumsum(rng.normal(0, 4, 12))
    low, high = setting[2], 0.5 * (setting[8] + setting[9])
    found = window(setting, log10, (low, high), bound=3.0)
    fine = np.linspace(setting[0], setting[-1], 400_001)
    is_within = np.abs(np.interp(fine, setting, log10)) <= 3
    is_used = (fine >= low) & (fine <= high)
    assert found.at_least == pytest.approx(is_within.mean() * np.ptp(setting), abs=1e-4)
    assert found.share == pytest.approx(is_within[is_used].mean(), abs=1e-4)
    if is_within.any():
        assert found.lowest == pytest.approx(fine[is_within][0], abs=1e-4)
    assert (found.at_most == math.inf) == bool(is_within[0] or is_within[-1])


def test_windows_by_hand():
    setting, log10 = np.array([0.0, 1, 2, 3, 4]), np.array([-np.inf, -6, 6, 0, 9])
    found = window(setting, log10, (0.0, 4.0), bound=3.0)
    width = 0.5 + 0.5 + 1 / 3
    assert found == (width, width, pytest.approx(width / 4), pytest.approx(1.25), 12)
    none = window(setting, np.full(5, -4.0), (0.0, 4.0), bound=3.0)
    assert none[:3] == (0, 0, 0)
    assert math.isnan(none.lowest)
    assert math.isnan(none.steepness)
    constant = window(setting, np.zeros(5), (1.0, 3.0), bound=3.0)
    assert constant[:3] == (4, math.inf, 1)


def test_medians_and_differences_of_cells():
    """log10 of the norm is a straight line through 0; of one cell there is one seed less."""
    setting = np.linspace(-2, 2, 41)
    rows = [
        {"cell": cell, "length": length, "seed": seed, "setting": setting, "log10": log10}
        for cell, slope in (("a", 2.0), ("b", 4.0))
        for length in (1, 2)
        for seed in range(8 - (cell == "b"))
        for log10 in [slope * length * (1 + seed / 10) * setting]
    ]
    norms = pd.concat(map(pd.DataFrame, rows))
    in_use = dict.fromkeys("ab", (-1.0, 1.0))
    found = windows(norms.sample(frac=1, random_state=0), in_use, bound=1.0)
    widths = {cell: 2 / (slope * (1 + np.arange(8) / 10)) for cell, slope in (("a", 2), ("b", 4))}
    own = found[(found["cell"] == "a") & (found["length"] == 1)]
    assert list(own["at_least"]) == pytest.approx(widths["a"])
    assert list(own["at_most"]) == pytest.approx(widths["a"])
    table = numbers_frame(of_windows(found, ["a", "b"], [1, 2], [("a", "b")], comparisons=3))
    assert len(table) == 2 * (2 * 4 + 2)
    expected = bounded_median_interval(widths["a"], widths["a"], 3)
    assert estimate(table, WIDTH, "a, T = 1") == pytest.approx(expected)
    less = np.subtract(widths["a"][:7], widths["b"][:7])
    assert estimate(table, WIDTH, "a − b, T = 1") == pytest.approx(median_interval(less, 3))
    assert estimate(table, SHARE, "a − b, T = 1") == pytest.approx(median_interval(less / 2, 3))
