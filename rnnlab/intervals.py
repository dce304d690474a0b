"""Means, medians and shares over seeds, and how sure they are.

All intervals are of 95 %. Where several are judged together, ``comparisons`` widens each so that
with 95 % all of them hold (Bonferroni).
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
    """A quantity and its interval, whose ends are NaN where there are too few seeds."""

    mean: float
    low: float
    high: float


def t_interval(values: ArrayLike, comparisons: int = 1) -> Estimate:
    """Mean and interval by Student's t, for three seeds or more."""
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
    """Geometric mean of positive values, and the t-interval of their logarithms, back as values."""
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
    """Median and its exact interval by order statistics, for any distribution; six seeds or more.

    NaN is a value later than any other, such as the step at which an unsolved run would have been
    solved: it counts as ∞.
    """
    values = np.asarray(values, float)
    ordered = np.sort(np.where(np.isnan(values), math.inf, values))
    # The k-th smallest exceeds the median if fewer than k values, each with P = ½, lie below it.
    k = int(stats.binom.ppf((1 - CONFIDENCE) / comparisons / 2, max(len(ordered), 1), 0.5))
    if k == 0:
        return Estimate(median_solved_at(values), math.nan, math.nan)
    return Estimate(median_solved_at(values), float(ordered[k - 1]), float(ordered[-k]))


def median_solved_at(solved_at: ArrayLike) -> float:
    """Median over runs; an unsolved run (NaN) counts as later than any step, ∞."""
    values = np.asarray(solved_at, float)
    return (
        float(np.median(np.where(np.isnan(values), math.inf, values))) if len(values) else math.nan
    )


def median_ratio_interval(
    steps: ArrayLike, than: ArrayLike, end: float, comparisons: int = 1
) -> Estimate:
    """Median over pairs of steps/than, where NaN is a step later than ``end``.

    Of a pair with such a step only bounds are known: the interval reaches from the low end of the
    lower bounds' to the high end of the upper bounds'; the median is that of the lower bounds.
    """
    steps, than = np.asarray(steps, float), np.asarray(than, float)
    steps_late, than_late = np.isnan(steps), np.isnan(than)
    at_least = np.where(steps_late, end, steps) / np.where(than_late, math.inf, than)
    at_most = np.where(steps_late, math.inf, steps) / np.where(than_late, end, than)
    least, most = (median_interval(bounds, comparisons) for bounds in (at_least, at_most))
    return Estimate(least.mean, least.low, most.high)


def rank_sum_test(one: ArrayLike, other: ArrayLike) -> float:
    """P of so great a difference by chance: Wilcoxon's rank sum, two-sided, exact also with ties.

    Over all ways to deal the values to samples of these sizes; NaN counts as ∞, the latest.
    Samples that share seeds are more alike than independent ones, and P is then too great rather
    than too small.
    """
    one, other = np.asarray(one, float), np.asarray(other, float)
    values = np.concatenate([one, other])
    ranks = stats.rankdata(np.where(np.isnan(values), math.inf, values))
    doubled = np.rint(2 * ranks).astype(int)
    ways = np.zeros((len(one) + 1, doubled.sum() + 1))
    ways[0, 0] = 1
    for rank in doubled:
        ways[1:, rank:] += ways[:-1, :-rank].copy()
    sums = ways[-1]
    distance = np.abs(np.arange(len(sums)) - len(one) * (len(values) + 1))
    observed = distance[doubled[: len(one)].sum()]
    return float(sums[distance >= observed].sum() / sums.sum())


def holm(probabilities: ArrayLike) -> list[float]:
    """Each P corrected for all that are tested together (Holm 1979), in the same order."""
    probabilities = np.asarray(probabilities, float)
    order = np.argsort(probabilities)
    left = len(order) - np.arange(len(order))
    corrected = np.minimum(np.maximum.accumulate(probabilities[order] * left), 1.0)
    return [float(corrected[place]) for place in np.argsort(order)]
