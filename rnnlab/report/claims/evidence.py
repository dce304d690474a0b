"""The numbers that a verdict rests on, as a table: each with its interval and its runs."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from rnnlab.results.intervals import (
    Estimate,
    bounded_median_interval,
    earlier_interval,
    median_interval,
    share_interval,
    t_interval,
)

# The quantity of ``earlier``.
EARLIER = "share of pairs of runs in which the first solves earlier"

# Two settings that are compared, the first with the second.
Pair = tuple[str, str]

# A function of the values and of how many intervals are judged together.
Interval = Callable[[pd.Series, int], Estimate]


class Number(NamedTuple):
    """A quantity of something, such as the decay per step of the GRU's gradient.

    Attributes:
        quantity: which.
        of: a setting, or a comparison of settings.
        value: mean, median or share.
        low: of its 95 % interval; NaN where there are too few runs.
        high: of it.
        runs: on which it rests.
    """

    quantity: str
    of: str
    value: float
    low: float
    high: float
    runs: int


def numbers_frame(numbers: Iterable[Number]) -> pd.DataFrame:
    """One row a number."""
    return pd.DataFrame(list(numbers), columns=list(Number._fields))


def number(quantity: str, of: str, estimate: Estimate, runs: int) -> Number:
    """An estimate with its name."""
    return Number(quantity, of, *estimate, runs)


def versus(pair: Pair) -> str:
    """The name of a number that compares the two: "a − b"."""
    return " − ".join(pair)


def ended(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs that finished or diverged; one that diverged is unsolved, even if it had solved before.

    Args:
        runs: ``Results.runs``.
    """
    found = runs[runs["status"].isin(["finished", "diverged"])]
    is_finished = found["status"] == "finished"
    return found.assign(solved_at=found["solved_at"].astype(float).where(is_finished))


def mean_of(
    values: pd.DataFrame, quantity: str, comparisons: int = 1, by: str = "setting"
) -> list[Number]:
    """Mean over seeds of a column, for each setting, with a t-interval.

    Of numbers before training, or others that do not fall into groups, see ``t_interval``.

    Args:
        values: one row a run: ``by`` and the column ``quantity``; NaN is left out, and not counted.
        quantity: the column.
        comparisons: how many intervals are judged together.
        by: the column that names settings.
    """
    return _of_each(values, quantity, t_interval, comparisons, by)


def median_of(
    values: pd.DataFrame, quantity: str, comparisons: int = 1, by: str = "setting"
) -> list[Number]:
    """Median over seeds of a column, for each setting, with its exact interval.

    Of numbers after training, of which some seeds may have solved the task and others not. Takes
    the arguments of ``mean_of``; six seeds or more have an interval, see ``median_interval``.
    """
    return _of_each(values, quantity, median_interval, comparisons, by)


def _of_each(
    values: pd.DataFrame, quantity: str, interval: Interval, comparisons: int, by: str
) -> list[Number]:
    groups = values.dropna(subset=quantity).groupby(by, observed=True, sort=False)[quantity]
    return [
        number(quantity, str(name), interval(own, comparisons), len(own)) for name, own in groups
    ]


def differences(
    values: pd.DataFrame,
    quantity: str,
    pairs: Sequence[Pair],
    comparisons: int = 1,
    by: str = "setting",
) -> list[Number]:
    """Mean difference of two settings, paired by seed, with a t-interval; of each pair "a − b".

    Of numbers before training, or others that do not fall into groups, see ``t_interval``.

    Args:
        values: as in ``mean_of``, with ``seed``.
        quantity: the column.
        pairs: of settings.
        comparisons: how many intervals are judged together.
        by: the column that names settings.
    """
    return _of_pairs(values, quantity, pairs, t_interval, comparisons, by)


def median_differences(
    values: pd.DataFrame,
    quantity: str,
    pairs: Sequence[Pair],
    comparisons: int = 1,
    by: str = "setting",
) -> list[Number]:
    """Median difference of two settings, paired by seed, with its exact interval.

    Of numbers after training; takes the arguments of ``differences``, see also ``median_of``.
    """
    return _of_pairs(values, quantity, pairs, median_interval, comparisons, by)


def _of_pairs(
    values: pd.DataFrame,
    quantity: str,
    pairs: Sequence[Pair],
    interval: Interval,
    comparisons: int,
    by: str,
) -> list[Number]:
    names = [name for pair in pairs for name in pair]
    wide = values.pivot_table(index="seed", columns=by, values=quantity, observed=True)
    wide = wide.reindex(columns=pd.Index(names).unique())
    found = []
    for one, other in pairs:
        both = (wide[one] - wide[other]).dropna()
        of = versus((one, other))
        found.append(number(quantity, of, interval(both, comparisons), len(both)))
    return found


def of_same_seeds(
    one: pd.DataFrame, other: pd.DataFrame, column: str
) -> tuple[pd.Series, pd.Series]:
    """A column of two settings' runs, of the seeds that both have, in the same order."""
    first, second = (runs.set_index("seed")[column].astype(float) for runs in (one, other))
    seeds = first.index.intersection(second.index)
    return first[seeds], second[seeds]


def bounded_difference(
    quantity: str, of: str, one: pd.DataFrame, other: pd.DataFrame, comparisons: int = 1
) -> Number:
    """Median difference, paired by seed, of values of which only bounds are known.

    Args:
        quantity: as the number is called.
        of: what is compared.
        one: by seed, each value's bounds ``at_least`` and ``at_most``.
        other: what is taken from it.
        comparisons: how many intervals are judged together.
    """
    at_least = (one["at_least"] - other["at_most"]).dropna()
    at_most = (one["at_most"] - other["at_least"]).dropna()
    median = bounded_median_interval(at_least, at_most, comparisons)
    return number(quantity, of, median, len(at_least))


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
            number("share solved", str(name), share, many),
            number("solved at", str(name), median_interval(own, comparisons), many),
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
        found.append(number(EARLIER, versus((one, other)), share, len(first) + len(second)))
    return found


def of_runs(frame: pd.DataFrame, value: Callable[[pd.DataFrame], float], name: str) -> pd.DataFrame:
    """A number of each run, computed from its rows.

    Args:
        frame: with ``run, setting, seed``.
        value: of one run's rows.
        name: of the new column.

    Returns:
        One row a run: ``run, setting, seed`` and the column.
    """
    keys = ["run", "setting", "seed"]
    groups = frame.groupby(keys, observed=True, sort=False)
    return pd.DataFrame([(*key, value(own)) for key, own in groups], columns=[*keys, name])


def bias_name(value: object, symbol: str = "b_f") -> str:
    """The name of an initial bias: "b_f = 1", "b_f chrono"."""
    return f"{symbol} chrono" if value == "chrono" else f"{symbol} = {value:g}"
