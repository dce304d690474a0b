"""Which runs solve the task, and which of two settings does so earlier, from made-up runs."""

import math

import numpy as np
import pandas as pd
from two_settings import RUNS

from rnnlab.report.claims.evidence import numbers_frame
from rnnlab.report.claims.learning import EARLIER, earlier, ended, of_same_seeds, solved
from rnnlab.report.claims.words import estimate
from rnnlab.results.intervals import earlier_interval, share_interval


def test_pairs_are_of_the_same_seeds():
    one = pd.DataFrame({"seed": [2, 0, 1], "solved_at": [20, None, 10]})
    other = pd.DataFrame({"seed": [1, 2, 5], "solved_at": [11, 22, 55]})
    first, second = of_same_seeds(one, other, "solved_at")
    assert list(first) == [20, 10]
    assert list(second) == [22, 11]


def test_a_run_that_diverged_is_unsolved():
    status = ["finished", "diverged", "missing", "failed"] + ["finished"] * 4
    found = ended(RUNS.assign(status=status))
    assert list(found["run"]) == list("abefgh")
    assert list(found["solved_at"].fillna(-1)) == [10, -1, -1, -1, -1, 5]


def test_unsolved_runs_count():
    found = numbers_frame(solved(RUNS))
    assert estimate(found, "share solved", "one") == share_interval(3, 4)
    assert estimate(found, "share solved", "two") == share_interval(1, 4)
    assert estimate(found, "solved at", "one").mean == 25
    assert estimate(found, "solved at", "two").mean == math.inf


def test_who_solves_earlier():
    """Of 16 pairs: three solved runs before three unsolved ones, one as late as these three."""
    (found,) = earlier(RUNS, [("one", "two")], comparisons=2)
    expected = earlier_interval([10, 20, 30, np.nan], [np.nan, np.nan, np.nan, 5], comparisons=2)
    assert found == (
        EARLIER,
        "one − two",
        *expected,
        8,
        "permutation test, 95 % for all 2 together",
    )
    assert expected.mean == (3 * 3 + 3 / 2) / 16
    (none,) = earlier(RUNS, [("one", "three")])
    assert math.isnan(none.value)
