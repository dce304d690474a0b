"""The range of a swept setting over which a norm stays within bounds."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from rnnlab.report.claims.evidence import Number, Pair, bounded_difference, number, versus
from rnnlab.results.intervals import bounded_median_interval, median_interval

WIDTH, SHARE = "width within bounds, e-folds", "share of the range in use within bounds"
LOWEST_WITHIN = "lowest setting within bounds, e-folds"
STEEPNESS = "decades per e-fold where the norm is 1"
QUANTITIES = (WIDTH, SHARE, LOWEST_WITHIN, STEEPNESS)
LOWEST = -1e6


class Window(NamedTuple):
    """The part of a sweep that is within bounds.

    Attributes:
        at_least: its width, or, where an end of the sweep is within, a lower bound.
        at_most: its width, or ∞.
        share: of the range in use.
        lowest: setting within bounds; NaN if none is.
        steepness: slope where the norm first rises to 1; NaN if it never does.
    """

    at_least: float
    at_most: float
    share: float
    lowest: float
    steepness: float


def window(
    setting: np.ndarray, log10: np.ndarray, in_use: tuple[float, float], bound: float
) -> Window:
    """Find where log10 of a norm is from −bound to bound, on straight lines between settings.

    Args:
        setting: in ascending order.
        log10: of the norm at each; −∞ where it reads zero.
        in_use: least and greatest setting in use.
        bound: in decades.
    """
    log10 = np.maximum(log10, LOWEST)
    start, end = within(log10, bound)
    steps = np.diff(setting)
    width = float(((end - start) * steps).sum())
    is_bounded = min(abs(log10[0]), abs(log10[-1])) > bound
    lowest = (setting[:-1] + start * steps)[end > start]
    rises = (log10[:-1] < 0) & (log10[1:] >= 0)
    low, high = in_use
    inner = setting[(setting > low) & (setting < high)]
    used = np.concatenate([[low], inner, [high]])
    used_start, used_end = within(np.interp(used, setting, log10), bound)
    return Window(
        width,
        width if is_bounded else math.inf,
        float(((used_end - used_start) * np.diff(used)).sum() / (high - low)),
        float(lowest[0]) if len(lowest) else math.nan,
        float((np.diff(log10) / steps)[rises][0]) if rises.any() else math.nan,
    )


def within(log10: np.ndarray, bound: float) -> tuple[np.ndarray, np.ndarray]:
    """Start and end of the part of each straight piece that is within bounds, as fractions."""
    rise = np.diff(log10)
    rise = np.where(rise == 0, 1e-12, rise)
    crossings = np.sort([(end - log10[:-1]) / rise for end in (-bound, bound)], axis=0)
    start, end = np.clip(crossings, 0, 1)
    return start, end


def windows(
    norms: pd.DataFrame, in_use: Mapping[str, tuple[float, float]], bound: float
) -> pd.DataFrame:
    """The ``Window`` of each cell, length and seed.

    Args:
        norms: one row a run: ``cell``, ``length``, ``seed``, ``setting``, ``log10``.
        in_use: of each cell, see ``window``.
        bound: likewise.
    """
    rows = []
    for (cell, length, seed), own in norms.groupby(["cell", "length", "seed"]):
        sweep = own.sort_values("setting")
        setting, log10 = (sweep[column].to_numpy() for column in ("setting", "log10"))
        found = window(setting, log10, in_use[str(cell)], bound)
        rows.append({"cell": cell, "length": length, "seed": seed, **found._asdict()})
    return pd.DataFrame(rows)


def of_windows(
    found: pd.DataFrame,
    cells: Sequence[str],
    lengths: Sequence[int],
    pairs: Sequence[Pair],
    comparisons: int,
) -> list[Number]:
    """Medians over seeds of each cell, and of differences between cells, at each length.

    Args:
        found: see ``windows``.
        cells: in the order of the table.
        lengths: likewise.
        pairs: of cells, the first less the second.
        comparisons: how many intervals are judged together.
    """
    numbers: list[Number] = []
    for length in lengths:
        same = found[found["length"] == length].set_index("seed")
        of = {cell: same[same["cell"] == cell] for cell in cells}
        for cell in cells:
            numbers += _medians(f"{cell}, T = {length}", of[cell], comparisons)
        for one, other in pairs:
            name = f"{versus((one, other))}, T = {length}"
            numbers += _differences(name, of[one], of[other], comparisons)
    return numbers


def _medians(of: str, own: pd.DataFrame, comparisons: int) -> list[Number]:
    """Medians of one cell at one length; lowest setting and steepness are not judged."""
    width = bounded_median_interval(own["at_least"], own["at_most"], comparisons)
    share, steep = median_interval(own["share"], comparisons), own["steepness"].dropna()
    return [
        number(WIDTH, of, width, len(own), comparisons),
        number(SHARE, of, share, len(own), comparisons),
        number(LOWEST_WITHIN, of, median_interval(own["lowest"]), len(own)),
        number(STEEPNESS, of, median_interval(steep), len(steep)),
    ]


def _differences(of: str, one: pd.DataFrame, other: pd.DataFrame, comparisons: int) -> list[Number]:
    """Median differences, paired by seed."""
    share = (one["share"] - other["share"]).dropna()
    return [
        bounded_difference(WIDTH, of, one, other, comparisons),
        number(SHARE, of, median_interval(share, comparisons), len(share), comparisons),
    ]
