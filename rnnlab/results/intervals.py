"""Means, medians and shares over seeds, with intervals.

All are 95 % confidence intervals, except that of ``earlier_interval``. Where several intervals are
judged together, ``comparisons`` is their number: each is widened so that all of them hold with a
confidence of 95 % (Bonferroni).
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
    """Mean and its interval by Student's t, which needs at least three seeds."""
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


def geometric_t_interval(values: ArrayLike, comparisons: int = 1) -> Estimate:
    """Geometric mean of positive values, and the exponential of their logarithms' t-interval."""
    with np.errstate(divide="ignore"):
        logs = np.log(np.asarray(values, float))
    if not np.isfinite(logs).all():
        return Estimate(float(np.exp(logs.mean())), math.nan, math.nan)
    return Estimate(*(float(value) for value in np.exp(t_interval(logs, comparisons))))


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
    # The k-th smallest value is above the median if fewer than k values lie below it, each with
    # probability ½.
    k = int(stats.binom.ppf((1 - CONFIDENCE) / comparisons / 2, max(len(ordered), 1), 0.5))
    if k == 0:
        return Estimate(median_solved_at(values), math.nan, math.nan)
    return Estimate(median_solved_at(values), float(ordered[k - 1]), float(ordered[-k]))


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


def ratio_interval(
    one: ArrayLike, other: ArrayLike, comparisons: int = 1, end: float = math.inf
) -> Estimate:
    """Ratio of ``one``'s positive values to ``other``'s: the median of the ratios of all pairs.

    The interval is exact if both samples have the same distribution up to a factor; it is given by
    order statistics of these ratios (Hodges & Lehmann 1963). NaN stands for a value of at least
    ``end``, such as ``solved_at`` of a run that was unsolved at step ``end``; the ratio of two such
    values is 1.
    """
    one, other = np.asarray(one, float), np.asarray(other, float)
    if len(one) == 0 or len(other) == 0:
        return Estimate(math.nan, math.nan, math.nan)
    ways = _ways_to_sum(np.arange(1, len(one) + len(other) + 1), len(one))
    no_more = ways[len(one) * (len(one) + 1) // 2 :].cumsum() / ways.sum()
    k = int((no_more <= (1 - CONFIDENCE) / comparisons / 2).sum())
    median = float(np.median(_sorted_ratios(one, other, math.inf, math.inf)))
    if k == 0:
        return Estimate(median, math.nan, math.nan)
    least = _sorted_ratios(one, other, end, math.inf)
    greatest = _sorted_ratios(one, other, math.inf, end)
    return Estimate(median, float(least[k - 1]), float(greatest[-k]))


def _sorted_ratios(
    one: np.ndarray, other: np.ndarray, late_one: float, late_other: float
) -> np.ndarray:
    """The sorted ratios of all pairs, with these values in place of NaN; 1 where both are ∞."""
    one, other = (
        np.where(np.isnan(v), late, v) for v, late in ((one, late_one), (other, late_other))
    )
    with np.errstate(invalid="ignore"):
        ratios = np.divide.outer(one, other)
    return np.sort(np.where(np.isnan(ratios), 1.0, ratios), axis=None)
