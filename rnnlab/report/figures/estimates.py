"""Estimates with their intervals."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from rnnlab.report.figures.palette import Style
from rnnlab.report.figures.style import math_label
from rnnlab.results.intervals import Estimate


def estimates(
    ax: Axes,
    x: np.ndarray,
    found: Sequence[Estimate],
    style: Style,
    label: str,
    arrow: float | Sequence[float],
) -> None:
    """A line through the estimates, with a bar for each interval.

    Where one end of an interval is infinite, an arrow that way takes the place of the bar. Without
    a finite estimate nothing is drawn.

    Args:
        ax: where to draw.
        x: of each estimate.
        found: the estimates.
        style: of the line and its marks.
        label: for the legend.
        arrow: length of the arrows, one for all or one each, in units of the estimates.
    """
    middle, low, high = (np.array(ends) for ends in zip(*found, strict=True))
    if not np.isfinite(middle).any():
        return
    no_low, no_high = np.isinf(low), np.isinf(high)
    bars = [np.where(no_low, arrow, middle - low), np.where(no_high, arrow, high - middle)]
    look = style.line | {"label": math_label(label), "linewidth": 0.8}
    ax.errorbar(x, middle, bars, uplims=no_low, lolims=no_high, **look)
