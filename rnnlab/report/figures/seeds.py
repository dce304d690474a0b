"""Runs that differ in their seed: a line or a mark for each, none of which hides another."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from rnnlab.report.figures.palette import Style
from rnnlab.report.figures.style import math_label

# Where unsolved runs are drawn: at this many times the last training step; and how.
LATE = 1.06
UNSOLVED: Any = {"markerfacecolor": "none", "markeredgewidth": 0.6}
# Sizes of marks in points, the largest that fits is taken; and how far apart they are, in sizes.
SIZES, APART = np.arange(4.0, 0.9, -0.5), 1.3


def seed_lines(ax: Axes, wide: pd.DataFrame, style: Style, label: str) -> None:
    """Median over seeds as a line with marks, each seed as a thin line; they end where not finite.

    Without a finite median nothing is drawn, and the legend has no entry.

    Args:
        ax: where to draw.
        wide: x as index, one column a seed.
        style: of the setting.
        label: for the legend.
    """
    with np.errstate(invalid="ignore"):
        median = wide.median(axis=1)
    finite = median[np.isfinite(median)]
    if finite.empty:
        return
    if wide.shape[1] > 1:
        seeds = wide.where(np.isfinite(wide))
        lines = [np.column_stack([wide.index, seeds[seed]]) for seed in seeds]
        thin = LineCollection(lines, colors=style.light, linewidths=0.5, alpha=0.4, zorder=1.5)
        ax.add_collection(thin)
    between_marks = max(1, len(finite) // 5)
    first = style.index * between_marks // 7 % between_marks
    ax.plot(
        finite.index,
        finite,
        label=math_label(label),
        markevery=(first, between_marks),
        **style.line,
    )


def marks(
    ax: Axes,
    values: pd.Series,
    names: pd.Series,
    styles: Mapping[str, Style],
    late: int | float = np.nan,
    from_zero: bool = False,
) -> None:
    """A mark a run, a row for each name; see ``unsolved`` for those without a value.

    Args:
        ax: where to draw; its limits are set.
        values: one a run.
        names: in which row each run is, with the same index.
        styles: of each row, in their order.
        late: x of those without a value; default they are left out.
        from_zero: whether the axis begins at 0.
    """
    drawn = np.append(values.dropna().to_numpy(float), late if values.isna().any() else np.nan)
    drawn = np.append(drawn[np.isfinite(drawn)], 0.0 if from_zero else [])
    if len(drawn):
        margin = 0.06 * (np.ptp(drawn) or abs(drawn[0]) or 1.0)
        ax.set_xlim(0 if from_zero else drawn.min() - margin, drawn.max() + 2 * margin)
    ax.set_ylim(len(styles) - 0.5, -0.5)
    ax.locator_params(axis="x", nbins=5)
    rows = [values[names == name].to_numpy(float) for name in styles]
    known = [own[np.isfinite(own)] for own in rows]
    places, size = beside(ax, known, range(len(rows)))
    for row, style in enumerate(styles.values()):
        ax.plot(known[row], places[row], **style.line | {"linestyle": "", "markersize": size})
        unsolved(ax, late, row, len(rows[row]) - len(known[row]), style, size)


def unsolved(
    ax: Axes,
    x: int | float,
    y: int | float,
    many: int,
    style: Style,
    size: float,
    upright: bool = False,
) -> None:
    """One open mark for so many runs that did not solve the task, with their number.

    Args:
        ax: where to draw.
        x: of the mark; nothing is drawn where it or y is not finite.
        y: of it.
        many: how many there are; without any nothing is drawn.
        style: of the setting.
        size: of the mark, in points.
        upright: whether the number stands above the mark, and not beside it.
    """
    if not many or not np.isfinite([x, y]).all():
        return
    ax.plot([x], [y], **style.line | {"linestyle": "", "markersize": size} | UNSOLVED)
    where: Any = {"xytext": (0, 3), "ha": "center", "va": "bottom"}
    if not upright:
        where = {"xytext": (4, 0), "ha": "left", "va": "center"}
    ax.annotate(
        str(many),
        (x, y),
        textcoords="offset points",
        fontsize=6,
        color=style.light,
        annotation_clip=False,
        **where,
    )


def unsolved_note(solved_at: pd.Series, note: str = "open: number of unsolved runs") -> str:
    """The note on open marks if a run is unsolved, and so has one; else an empty text."""
    return note if solved_at.isna().any() else ""


def say_if_none_solved(ax: Axes, solved_at: pd.Series, steps: int | float) -> None:
    """Write into an axes of solved steps that no run solved the task in so many."""
    if len(solved_at) and solved_at.isna().all():
        words = f"none of {len(solved_at)} runs\nsolved it in {steps:,.0f} steps"
        ax.text(0.45, 0.5, words, transform=ax.transAxes, ha="center", va="center", color="0.4")


def beside(
    ax: Axes,
    values: Sequence[Float[np.ndarray, " _"]],
    places: Sequence[int | float],
    room: float = 0.8,
    upright: bool = False,
) -> tuple[list[Float[np.ndarray, " _"]], float]:
    """Where marks of these values stand beside their places, so that none overlaps another.

    Args:
        ax: whose scales and limits are set.
        values: for each place those of its marks, on the x axis.
        places: on the y axis.
        room: how much of the y axis the marks of a place may take, around it.
        upright: whether values are on the y axis, and places on the x axis.

    Returns:
        For each place where its marks stand, and the size of all marks in points, the largest that
        fits at every place.
    """
    _ = ax.viewLim  # Brings limits that follow data up to date.
    across = 0 if upright else 1
    found = list(zip(values, places, strict=True))
    pixels = [_pixels(ax, own, np.full(len(own), place), upright) for own, place in found]
    rooms = [_room(ax, own, place, room, upright) for own, place in found]
    for size in SIZES:
        step = APART * size * ax.figure.dpi / 72
        lanes = [_lanes(own[:, 1 - across], step) for own in pixels]
        if all(
            2 * np.abs(own).max(initial=0) * step <= wide
            for own, wide in zip(lanes, rooms, strict=True)
        ):
            break
    for own, lane, wide in zip(pixels, lanes, rooms, strict=True):
        own[:, across] += np.clip(lane * step, -wide / 2, wide / 2)
    back = ax.transData.inverted()
    return [back.transform(own)[:, across] for own in pixels], float(size)


def _room(
    ax: Axes, values: Float[np.ndarray, " _"], place: int | float, room: float, upright: bool
) -> float:
    """How many pixels the marks of a place may take."""
    if not len(values):
        return 0.0
    ends = _pixels(ax, values[[0, 0]], place + np.array([-room, room]) / 2, upright)
    return float(np.ptp(ends[:, 0 if upright else 1]))


def _pixels(
    ax: Axes, values: np.ndarray, places: np.ndarray, upright: bool
) -> Float[np.ndarray, "runs 2"]:
    points = (places, values) if upright else (values, places)
    return np.asarray(ax.transData.transform(np.column_stack(points)))


def _lanes(pixels: Float[np.ndarray, "runs"], apart: float) -> Float[np.ndarray, "runs"]:
    """A lane of each mark, 0, 1, −1, 2, …: marks in one lane are so many pixels apart."""
    last: list[float] = []
    lanes = np.zeros(len(pixels))
    for index in np.argsort(pixels, kind="stable"):
        lane = next((n for n, at in enumerate(last) if pixels[index] - at >= apart), len(last))
        last[lane : lane + 1] = [pixels[index]]
        lanes[index] = (lane + 1) // 2 * (-1) ** (lane + 1)
    return lanes
