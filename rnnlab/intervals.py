"""Means over seeds, and how sure they are."""

import functools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

CONFIDENCE = 0.95
FEWEST_FOR_INTERVAL = 3


class Estimate(NamedTuple):
    """A mean over seeds and its 95 % t-interval, NaN with fewer than three seeds."""

    mean: float
    low: float
    high: float


def t_interval(values: ArrayLike) -> Estimate:
    """Mean and 95 % interval by Student's t."""
    values = np.asarray(values, float)
    if len(values) == 0:
        return Estimate(math.nan, math.nan, math.nan)
    mean = float(values.mean())
    if len(values) < FEWEST_FOR_INTERVAL:
        return Estimate(mean, math.nan, math.nan)
    half = _quantile(len(values) - 1) * (float(values.std(ddof=1)) / math.sqrt(len(values)))
    return Estimate(mean, mean - half, mean + half)


@functools.cache
def _quantile(degrees: int) -> float:
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, degrees))


def geometric_t_interval(values: ArrayLike) -> Estimate:
    """Geometric mean of positive values, and the t-interval of their logarithms, back as values."""
    with np.errstate(divide="ignore"):
        logs = np.log(np.asarray(values, float))
    if not np.isfinite(logs).all():
        return Estimate(float(np.exp(logs.mean())), math.nan, math.nan)
    return Estimate(*(float(value) for value in np.exp(t_interval(logs))))


def median_solved_at(solved_at: ArrayLike) -> float:
    """Median over runs; an unsolved run (NaN) counts as later than any step, ∞."""
    values = np.asarray(solved_at, float)
    return float(np.median(np.where(np.isnan(values), math.inf, values)))
