"""Medians, means and shares over seeds, with intervals.

After training some seeds may have solved the task and others not. Their numbers then lie in two
groups, and Student's t says nothing true of their mean. Order statistics bound the median of any
distribution (Thompson 1936): of n values, all lie on one side of it with a probability of 2^(1−n).

All are 95 % confidence intervals, except those of ``median_and_range`` and ``earlier_interval``.
Where several intervals are judged together, ``comparisons`` is their number: each is widened so
that all of them hold with a confidence of 95 % (Bonferroni).
"""

import functools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

CONFIDENCE = 0.95
FEWEST_FOR_INTERVAL = 3


class Estimate(NamedTuple):
    """A value and its interval; the ends of the interval are NaN if there are too few seeds."""

    mean: float
    low: float
    high: float


def t_interval(values: ArrayLike, comparisons: int = 1) -> Estimate:
    """Mean and its interval by Student's t, which needs at least three seeds.

    It holds for values that are nearly normal, such as decades per step before training; it does
    not where some seeds solve a task and others do not, see ``median_interval``.
    """
    values = np.asarray(values, float)
    if len(values) == 0:
        return Estimate(math.nan, math.nan, math.nan)
    mean = float(values.mean())
    if len(values) < FEWEST_FOR_INTERVAL:
        return Estimate(mean, math.nan, math.nan)
    deviation = float(values.std(ddof=1)) / math.sqrt(len(values))
    half = _quantile(len(values) - 1, comparisons) * deviation
    return Estimate(mean, mean - half, mean + half)


@functools.cache
def _quantile(degrees: int, comparisons: int) -> float:
    return float(stats.t.isf((1 - CONFIDENCE) / comparisons / 2, degrees))


def share_interval(successes: int, of: int, comparisons: int = 1) -> Estimate:
    """A share of runs and its exact interval (Clopper & Pearson 1934)."""
    if of == 0:
        return Estimate(math.nan, math.nan, math.nan)
    interval = stats.binomtest(successes, of).proportion_ci(1 - (1 - CONFIDENCE) / comparisons)
    return Estimate(successes / of, float(interval.low), float(interval.high))


def median_interval(values: ArrayLike, comparisons: int = 1) -> Estimate:
    """Median and its exact interval by order statistics, for any distribution.

    The interval needs six seeds, more with several comparisons; with fewer its ends are NaN.
    A value that is NaN counts as ∞, such as ``solved_at`` of an unsolved run.
    """
    values = np.asarray(values, float)
    ordered = np.sort(np.where(np.isnan(values), math.inf, values))
    k = _rank(len(ordered), comparisons)
    if k == 0:
        return Estimate(median_solved_at(values), math.nan, math.nan)
    return Estimate(median_solved_at(values), float(ordered[k - 1]), float(ordered[-k]))


@functools.cache
def _rank(many: int, comparisons: int) -> int:
    """The greatest k for which the k-th smallest and greatest of so many values are an interval.

    The k-th smallest is above the median if fewer than k values lie below it, each with
    probability ½. 0: there is none.
    """
    return int(stats.binom.ppf((1 - CONFIDENCE) / comparisons / 2, max(many, 1), 0.5))


def median_and_range(values: ArrayLike) -> Estimate:
    """Median and ``median_interval``; of fewer than six seeds the least and the greatest value.

    The interval holds the median with a probability of ``confidence`` or more, whatever the
    distribution. Of one value, its ends are NaN.
    """
    found = median_interval(values)
    if not math.isnan(found.low) or np.size(values) < 2:
        return found
    values = np.asarray(values, float)
    values = np.where(np.isnan(values), math.inf, values)
    return Estimate(found.mean, float(values.min()), float(values.max()))


def confidence(seeds: int) -> float:
    """The least confidence of ``median_and_range``: 1 − 2^(1−n) of n seeds, but 0.95 at most."""
    return min(CONFIDENCE, 1 - 2.0 ** (1 - seeds)) if seeds else 0.0


def bounded_median_interval(
    at_least: ArrayLike, at_most: ArrayLike, comparisons: int = 1
) -> Estimate:
    """Median and interval of values that are known only by a lower and an upper bound.

    Each value lies between its bounds, and so does each order statistic. The interval goes from the
    low end of the lower bounds' interval to the high end of the upper bounds'.

    Args:
        at_least: the value or its lower bound, one per seed; −∞ where there is none.
        at_most: the value or its upper bound, one per seed; ∞ where there is none.
        comparisons: how many intervals are judged together.

    Returns:
        The median of the lower bounds, or of the upper bounds if that is −∞, and the interval.
    """
    lower, upper = (median_interval(values, comparisons) for values in (at_least, at_most))
    middle = upper.mean if lower.mean == -math.inf else lower.mean
    return Estimate(middle, lower.low, upper.high)


def median_solved_at(solved_at: ArrayLike) -> float:
    """Median over runs; an unsolved run (NaN) counts as ∞, later than any step."""
    values = np.asarray(solved_at, float)
    return (
        float(np.median(np.where(np.isnan(values), math.inf, values))) if len(values) else math.nan
    )


def earlier_interval(one: ArrayLike, other: ArrayLike, comparisons: int = 1) -> Estimate:
    """Share of pairs, one value from each sample, in which ``one``'s is smaller; ties count half.

    The interval is not a confidence interval of the share. It has the width to which chance spreads
    the share around ½: it excludes ½ exactly if the permutation test rejects that both samples have
    the same distribution (Mann & Whitney 1947; the exact test, over all permutations of the values
    with their ties). A value that is NaN is later than any other. Samples that share seeds are more
    similar than independent samples, which makes the test conservative.
    """
    samples = [np.asarray(sample, float) for sample in (one, other)]
    many, pairs = len(samples[0]), len(samples[0]) * len(samples[1])
    if pairs == 0:
        return Estimate(math.nan, math.nan, math.nan)
    values = np.concatenate(samples)
    ranks = stats.rankdata(np.where(np.isnan(values), math.inf, values))
    doubled = np.rint(2 * ranks).astype(int)
    ways = _ways_to_sum(doubled, many)
    centre = many * (len(doubled) + 1)
    by_distance = np.bincount(np.abs(np.arange(len(ways)) - centre), ways)
    reached = by_distance[::-1].cumsum()[::-1] / ways.sum()
    is_chance = (by_distance > 0) & (reached > (1 - CONFIDENCE) / comparisons)
    widest = int(np.flatnonzero(is_chance).max())
    found = centre - int(doubled[:many].sum())
    share, low, high = (0.5 + (found + off) / (2 * pairs) for off in (0, -widest, widest))
    return Estimate(share, max(low, 0.0), min(high, 1.0))


def _ways_to_sum(numbers: np.ndarray, chosen: int) -> np.ndarray:
    """The number of ways to choose this many of the positive numbers with sum 0, 1, 2, …"""
    ways = np.zeros((chosen + 1, int(numbers.sum()) + 1))
    ways[0, 0] = 1
    for number in numbers:
        ways[1:, number:] += ways[:-1, :-number].copy()
    return ways[-1]


def ratio_interval(one: ArrayLike, other: ArrayLike, comparisons: int = 1) -> Estimate:
    """Ratio of ``one``'s positive values to ``other``'s: the median of the ratios of all pairs.

    The interval is exact if both samples have the same distribution up to a factor, as the times of
    the same work on two programs; it is given by order statistics of these ratios (Hodges & Lehmann
    1963). Where some seeds solve a task and others do not, use ``paired_ratio_interval``.
    """
    one, other = np.asarray(one, float), np.asarray(other, float)
    if len(one) == 0 or len(other) == 0:
        return Estimate(math.nan, math.nan, math.nan)
    ways = _ways_to_sum(np.arange(1, len(one) + len(other) + 1), len(one))
    no_more = ways[len(one) * (len(one) + 1) // 2 :].cumsum() / ways.sum()
    k = int((no_more <= (1 - CONFIDENCE) / comparisons / 2).sum())
    ratios = np.sort(np.divide.outer(one, other), axis=None)
    ends = (ratios[k - 1], ratios[-k]) if k else (math.nan, math.nan)
    return Estimate(float(np.median(ratios)), *map(float, ends))


def paired_ratio_interval(
    one: ArrayLike, other: ArrayLike, comparisons: int = 1, end: float = math.inf
) -> Estimate:
    """Median of the ratios of pairs of positive values, and its exact interval for any of them.

    Args:
        one: one value a pair. NaN stands for a value of at least ``end``, such as ``solved_at`` of
            a run that was unsolved at step ``end``.
        other: likewise; by which it is divided.
        comparisons: how many intervals are judged together.
        end: the least that a value may be that is NaN.

    Returns:
        The median, in which NaN counts as ∞ and two such values have the ratio 1; the interval, see
        ``bounded_median_interval``, in which NaN is anything from ``end`` to ∞.
    """
    middle, least, greatest = (
        ratios(_late(one, first), _late(other, second))
        for first, second in ((math.inf, math.inf), (end, math.inf), (math.inf, end))
    )
    _, low, high = bounded_median_interval(least, greatest, comparisons)
    return Estimate(median_solved_at(middle), low, high)


def _late(values: ArrayLike, late: float) -> np.ndarray:
    values = np.asarray(values, float)
    return np.where(np.isnan(values), late, values)


def ratios(one: ArrayLike, other: ArrayLike) -> np.ndarray:
    """Ratios of values that are not negative; 1 where both are 0, or both are ∞."""
    one, other = np.asarray(one, float), np.asarray(other, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((one == other) & ~np.isnan(one), 1.0, one / other)
