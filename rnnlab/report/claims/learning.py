"""Which runs solve the task, when, and which of two settings does so earlier."""

from collections.abc import Sequence

import pandas as pd

from rnnlab.report.claims.evidence import Number, Pair, number, versus
from rnnlab.results.intervals import earlier_interval, median_interval, share_interval

# The quantity of ``earlier``.
EARLIER = "share of pairs of runs in which the first solves earlier"
# What its interval is: it leaves out ½ if a permutation test finds a difference.
BY_CHANCE = "permutation test, "


def ended(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs that finished or diverged; one that diverged is unsolved, even if it had solved before.

    Args:
        runs: ``Results.runs``.
    """
    found = runs[runs["status"].isin(["finished", "diverged"])]
    is_finished = found["status"] == "finished"
    return found.assign(solved_at=found["solved_at"].astype(float).where(is_finished))


def of_same_seeds(
    one: pd.DataFrame, other: pd.DataFrame, column: str
) -> tuple[pd.Series, pd.Series]:
    """A column of two settings' runs, of the seeds that both have, in the same order."""
    first, second = (runs.set_index("seed")[column].astype(float) for runs in (one, other))
    seeds = first.index.intersection(second.index)
    return first[seeds], second[seeds]


def solved(runs: pd.DataFrame, comparisons: int = 1, by: str = "setting") -> list[Number]:
    """For each setting the share of runs that solved the task and the median step at which.

    Args:
        runs: one row a run that ended: ``by`` and ``solved_at``, NaN where it was not solved,
            which counts as later than any step.
        comparisons: how many intervals are judged together.
        by: the column that names settings.
    """
    found = []
    for name, own in runs.groupby(by, observed=True, sort=False)["solved_at"]:
        own = own.astype(float)
        many = len(own)
        share = share_interval(int(own.notna().sum()), many, comparisons)
        found += [
            number("share solved", str(name), share, many, comparisons),
            number("solved at", str(name), median_interval(own, comparisons), many, comparisons),
        ]
    return found


def earlier(
    runs: pd.DataFrame, pairs: Sequence[Pair], comparisons: int = 1, by: str = "setting"
) -> list[Number]:
    """How often the first of two settings solves the task earlier; of each pair "a − b".

    The share of pairs of runs, one of each setting, in which that of the first is the earlier, and
    its interval, see ``earlier_interval``: ½ is no difference.

    Args:
        runs: as for ``solved``.
        pairs: of settings.
        comparisons: how many intervals are judged together.
        by: the column that names settings.
    """
    found = []
    for one, other in pairs:
        first, second = (
            runs.loc[runs[by] == name, "solved_at"].astype(float) for name in (one, other)
        )
        share = earlier_interval(first, second, comparisons)
        name, many = versus((one, other)), len(first) + len(second)
        found.append(number(EARLIER, name, share, many, comparisons, BY_CHANCE))
    return found
