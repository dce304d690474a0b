"""The numbers that a verdict rests on, as a table: each with its interval and its runs."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from rnnlab.results.intervals import (
    Estimate,
    bounded_median_interval,
    median_interval,
    t_interval,
)

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
        interval: what ``low`` and ``high`` are, see ``interval_name``; empty where there are none.
    """

    quantity: str
    of: str
    value: float
    low: float
    high: float
    runs: int
    interval: str = ""


def numbers_frame(numbers: Iterable[Number]) -> pd.DataFrame:
    """One row a number."""
    return pd.DataFrame(list(numbers), columns=list(Number._fields))


def number(
    quantity: str, of: str, estimate: Estimate, runs: int, comparisons: int = 1, kind: str = ""
) -> Number:
    """An estimate with its name.

    Args:
        quantity: see ``Number``.
        of: likewise.
        estimate: value and interval.
        runs: see ``Number``.
        comparisons: how many intervals are judged together, as the interval's own function had it.
        kind: of the interval, if it is no confidence interval.
    """
    has_interval = not (math.isnan(estimate.low) and math.isnan(estimate.high))
    interval = kind + interval_name(comparisons) if has_interval else ""
    return Number(quantity, of, *estimate, runs, interval)


def interval_name(comparisons: int) -> str:
    """The name of a confidence interval: of 95 %, alone or for several intervals together."""
    return "95 %" if comparisons == 1 else f"95 % for all {comparisons} together"


def at(place: str, numbers: Iterable[Number], separator: str = ": ") -> list[Number]:
    """The same numbers of one place, such as a task, which their names say first."""
    return [one._replace(of=f"{place}{separator}{one.of}") for one in numbers]


def versus(pair: Pair) -> str:
    """The name of a number that compares the two: "a − b"."""
    return " − ".join(pair)


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
        number(quantity, str(name), interval(own, comparisons), len(own), comparisons)
        for name, own in groups
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
        found.append(number(quantity, of, interval(both, comparisons), len(both), comparisons))
    return found


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
    return number(quantity, of, median, len(at_least), comparisons)


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


def of_line(
    value: Callable[[pd.Series, pd.Series], float],
) -> Callable[[pd.DataFrame], float]:
    """A number of the line of log10 norms against the distance, as of ``rnnlab.gradients.decay``.

    Returns:
        It, as a function of the rows of ``Results.gradients`` of one run and record.
    """
    return lambda record: value(record["log10_mean"], record["distance"])


def bias_name(value: object, symbol: str = "b_f") -> str:
    """The name of an initial bias: "b_f = 1", "b_f chrono"."""
    return f"{symbol} chrono" if value == "chrono" else f"{symbol} = {value:g}"
