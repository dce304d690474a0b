"""The decay of a gradient going back in time: slopes of log10 norms against distance."""

import math

import numpy as np
import pandas as pd

# Decades per step that are no change: a factor of 1.1 in 40,000 steps.
STILL = 1e-6


def decay_per_step(log10_mean: pd.Series, distance: pd.Series) -> float:
    """Least-squares slope of log10 adjoint norms against distance back in time, in decades a step.

    A negative slope means that the gradient vanishes going back. Uses finite points at distances
    ≥ 0; NaN with fewer than two.
    """
    x, y = _points(log10_mean, distance)
    if len(y) < 2:
        return math.nan
    x = x - x.mean()
    return float(x @ y / (x @ x))


def straightness(log10_mean: pd.Series, distance: pd.Series) -> float:
    """R² of the line whose slope is ``decay_per_step``: 1 where the decay is exponential.

    Uses finite points at distances ≥ 0; NaN with fewer than three, or where all are equal.
    """
    x, y = _points(log10_mean, distance)
    if len(y) < 3 or np.ptp(y) == 0:
        return math.nan
    return float(np.corrcoef(x, y)[0, 1] ** 2)


def residual(log10_mean: pd.Series, distance: pd.Series) -> float:
    """Root mean square distance from the line whose slope is ``decay_per_step``, in decades.

    Uses the same points as ``straightness``, and is NaN where that is.
    """
    _, y = _points(log10_mean, distance)
    unexplained = 1 - straightness(log10_mean, distance)
    return float(np.std(y) * np.sqrt(np.maximum(0.0, unexplained))) if len(y) else math.nan


def _points(log10_mean: pd.Series, distance: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The distances and log10 norms that are finite, at distances ≥ 0."""
    used = np.isfinite(log10_mean) & (distance >= 0)
    return distance[used].to_numpy(float), log10_mean[used].to_numpy(float)


def half_life(decay: float) -> float:
    """Steps back in time that halve a gradient with this decay in decades per step; or ∞."""
    if math.isnan(decay):
        return math.nan
    return math.log10(2) / -decay if decay < 0 else math.inf


def pace(decay: float) -> str:
    """How a gradient changes at each step back, in words, from its decay in decades per step."""
    if abs(decay) < STILL:
        return "keeps its size"
    if decay < 0:
        return f"is halved every {half_life(decay):.3g} steps"
    return f"grows {factor(decay)} a step"


def factor(decay: float) -> str:
    """Write by which factor a gradient grows at each step back: "× 1.03".

    Args:
        decay: above 0, in decades per step.
    """
    if decay >= 1:
        return f"× 10^{decay:.3g}"
    excess = math.expm1(decay * math.log(10))
    return f"× {1 + excess:.{max(2, -math.floor(math.log10(excess)))}f}"
