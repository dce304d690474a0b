"""The numbers that a verdict rests on, as a table: each with its interval and its runs."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from rnnlab.config.labels import label_each
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


def ended(runs: pd.DataFrame) -> pd.DataFrame:
    """Those that finished or diverged; one that diverged is unsolved, also if it had solved before.

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

    Args:
        values: one row a run: ``by`` and the column ``quantity``; NaN is left out, and not counted.
        quantity: the column.
        comparisons: how many intervals are judged together.
        by: the column that names settings.
    """
    groups = values.dropna(subset=quantity).groupby(by, observed=True, sort=False)[quantity]
    return [
        number(quantity, str(name), t_interval(own, comparisons), len(own)) for name, own in groups
    ]


def differences(
    values: pd.DataFrame,
    quantity: str,
    pairs: Sequence[tuple[str, str]],
    comparisons: int = 1,
    by: str = "setting",
) -> list[Number]:
    """Mean difference of two settings, paired by seed, with a t-interval; of each pair "a − b".

    Args:
        values: as in ``mean_of``, with ``seed``.
        quantity: the column.
        pairs: of settings.
        comparisons: how many intervals are judged together.
        by: the column that names settings.
    """
    names = [name for pair in pairs for name in pair]
    wide = values.pivot_table(index="seed", columns=by, values=quantity, observed=True)
    wide = wide.reindex(columns=pd.Index(names).unique())
    found = []
    for one, other in pairs:
        both = (wide[one] - wide[other]).dropna()
        name = f"{one} − {other}"
        found.append(number(quantity, name, t_interval(both, comparisons), len(both)))
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
    runs: pd.DataFrame, pairs: Sequence[tuple[str, str]], comparisons: int = 1, by: str = "setting"
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
        found.append(number(EARLIER, f"{one} − {other}", share, len(first) + len(second)))
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


def cell_labels(runs: pd.DataFrame) -> pd.Series:
    """What each run's cell is called, whatever its task: "LSTM, b_f = 1".

    Args:
        runs: ``Results.runs``, or the runs of several.
    """
    keys = [column for column in runs.columns if column.startswith("cell.")]
    flat = [
        {key: value for key, value in zip(keys, row, strict=True) if not pd.isna(value)}
        for row in runs[keys].itertuples(index=False)
    ]
    return pd.Series(label_each(flat), runs.index)


def estimate(numbers: pd.DataFrame, quantity: str, of: str) -> Estimate:
    """A number of the table; unknown (NaN) if it was not measured, KeyError if it is not one."""
    rows = numbers[(numbers["quantity"] == quantity) & (numbers["of"] == of)]
    if rows.empty:
        return Estimate(math.nan, math.nan, math.nan)
    if len(rows) > 1:
        raise KeyError(f"{len(rows)} numbers are called {quantity!r} of {of!r}")
    row = rows.iloc[0]
    return Estimate(float(row["value"]), float(row["low"]), float(row["high"]))


def in_words(estimate: Estimate, form: str = ".3g") -> str:
    """As in "41 [36, 48]"; ∞ where it has no bound, no interval where there is none."""

    def written(value: int | float) -> str:
        return format(value, form).replace("inf", "∞")

    if math.isnan(estimate.mean):
        return "unknown"
    if math.isnan(estimate.low):
        return written(estimate.mean)
    return f"{written(estimate.mean)} [{written(estimate.low)}, {written(estimate.high)}]"


def solved_in_words(numbers: pd.DataFrame, of: str) -> str:
    """As in "in 67% of runs, at step 500 [257, ∞] (median)", which is left out if it is ∞."""
    share, at = (estimate(numbers, quantity, of) for quantity in ("share solved", "solved at"))
    when = f", at step {in_words(at, '.0f')} (median)" if at.mean < math.inf else ""
    return f"in {share.mean:.0%} of runs{when}"


def pairs_in_words(share: Estimate) -> str:
    """Of ``earlier``, as in "0.33 [0.00, 0.72] of pairs of runs"."""
    if share.low == share.high:
        return f"{share.mean:.2f} of pairs of runs (all tie)"
    return f"{in_words(share, '.2f')} of pairs of runs"
