"""Heat maps of the gradient over time and over training: how it decays, and how large it is."""

from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize, TwoSlopeNorm
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from rnnlab.report.figures.on_axes import NEW_AXES, on_axes
from rnnlab.report.figures.records import (
    log10_with_zeros,
    present_settings,
    quantities_of,
    recorded,
    top_layer,
)
from rnnlab.report.figures.style import (
    log10_of_gradient,
    panel_for_each,
    safe_name,
    symbol,
    title_label,
)

SIZE = plt.get_cmap("cividis")
# From dark blue through grey, which is where a gradient keeps its size, to yellow; ever lighter.
DECAY = LinearSegmentedColormap.from_list(
    "decay",
    [(0, "#00204d"), (0.25, "#2f6690"), (0.5, "#c6cacd"), (0.75, "#ecd27c"), (1, "#ffe14d")],
)
HATCHED: Any = {"facecolor": "white", "edgecolor": "0.6", "hatch": "xxxx"}


def add_colour_bar(ax: Axes) -> None:
    """Add the colour bar of a heat map."""
    mesh = ax.collections[0]
    _colour_bar(ax.figure, mesh, ax, str(mesh.get_label()))


@partial(on_axes, add_key=add_colour_bar)
def gradient_heatmap(
    gradients: pd.DataFrame,
    ax: Axes = NEW_AXES,
    *,
    setting: str,
    quantity: str = "c",
    normalise: bool = True,
    limits: tuple[float, float] | None = None,
) -> Axes:
    """Draw the gradient of a setting's top layer, training step against t.

    The colour is the median over seeds of log10‖∂L/∂·_t‖, less that at the last step of the same
    record: how far the gradient has decayed, going back. Cells where it reads zero are hatched,
    cells without a number are blank.

    Args:
        gradients: ``Results.gradients``.
        ax: where to draw; default a new figure, with a colour bar.
        setting: label of the setting.
        quantity: ``c``, ``h``, or another part of the state that was recorded.
        normalise: whether the value at the last step is taken off, which is the one where the loss
            is read, or, where examples are read at different steps, the last of all. Without it the
            colour is the size of the gradient.
        limits: of the colour scale; default from the data.
    """
    values = _values(gradients, quantity, normalise)
    low, high = limits or colour_limits(gradients, quantity, normalise)
    wide = _by_step_and_time(values, setting)
    log10 = wide.to_numpy()
    mesh = ax.pcolormesh(
        wide.columns.to_numpy(),
        wide.index.to_numpy(),
        np.ma.masked_invalid(np.where(np.isposinf(log10), high, log10)),
        cmap=DECAY if normalise else SIZE,
        norm=_norm(low, high, normalise),
        shading="nearest",
        rasterized=True,
        label=_colour_label(quantity, normalise),
    )
    _hatch_cells(ax, np.asarray(mesh.get_coordinates()), np.isneginf(log10))
    ax.set_xlabel("time step t")
    ax.set_ylabel("training step")
    ax.set_title(title_label(setting, 36))
    return ax


def heatmap_figure(gradients: pd.DataFrame, quantity: str, normalise: bool = True) -> Figure:
    """A heat map for each setting that has the quantity, on one colour scale."""
    values = _values(gradients, quantity, normalise)
    settings = present_settings(values)
    figure, axes = panel_for_each(settings, sharey=True)
    low, high = colour_limits(gradients, quantity, normalise)
    for ax, setting in zip(axes, settings, strict=True):
        options: Any = {"setting": setting, "quantity": quantity, "normalise": normalise}
        gradient_heatmap(gradients, ax, limits=(low, high), **options)
    for ax in axes[1:]:
        if ax.get_position().x0 > axes[0].get_position().x0:
            ax.set_ylabel("")
    scale = ScalarMappable(_norm(low, high, normalise), DECAY if normalise else SIZE)
    _colour_bar(figure, scale, axes, _colour_label(quantity, normalise))
    if any(np.isneginf(_by_step_and_time(values, s)).any(axis=None) for s in settings):
        zero = Patch(label="reads zero", **HATCHED)
        figure.legend(handles=[zero], loc="outside lower center", fontsize=7)
    return figure


def heatmap_figures(gradients: pd.DataFrame) -> dict[str, Figure]:
    """The heat maps of each part of the state, by file name: its decay, and its size."""
    return {
        f"heatmap_{safe_name(quantity)}{suffix}": heatmap_figure(gradients, quantity, normalise)
        for quantity in quantities_of(gradients)
        for suffix, normalise in (("", True), ("_size", False))
    }


def colour_limits(
    gradients: pd.DataFrame, quantity: str, normalise: bool = True
) -> tuple[float, float]:
    """The 1 % quantile and the maximum of a quantity's finite log10 norms.

    Without the quantile, a few records of a gradient that nearly vanished would use up the scale.
    Of normalised ones at least a decade on either side of 0, which then is in the middle.
    """
    values = _values(gradients, quantity, normalise)["log10"]
    finite = values[np.isfinite(values)]
    if finite.empty:
        return -1.0, 1.0
    low, high = float(finite.quantile(0.01)), float(finite.max())
    return (min(low, -1.0), max(high, 1.0)) if normalise else (low, high)


def _colour_bar(
    figure: Figure | SubFigure, scale: ScalarMappable, axes: Axes | list[Axes], label: str
) -> None:
    """A colour bar with ticks on both sides of 0, where these have different scales."""
    bar = figure.colorbar(scale, ax=axes, label=label, extend="min")
    if isinstance(scale.norm, TwoSlopeNorm):
        below, above = (
            MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(*ends)
            for ends in ((scale.norm.vmin, 0), (0, scale.norm.vmax))
        )
        low, high = scale.get_clim()
        bar.set_ticks([tick for tick in sorted({*below, *above}) if low <= tick <= high])
        bar.minorticks_off()


def _norm(low: float, high: float, normalise: bool) -> Normalize:
    """The same colour for 0 in all normalised heat maps; what grew is on its other side."""
    return TwoSlopeNorm(0.0, low, high) if normalise else Normalize(low, high)


def _colour_label(quantity: str, normalise: bool) -> str:
    label = log10_of_gradient(quantity)
    at_end = rf"\|\partial L/\partial {symbol(quantity)}_T\|_2"
    return f"{label.removesuffix('$')}\\,/\\,{at_end}$" if normalise else label


def _hatch_cells(ax: Axes, corners: np.ndarray, wanted: np.ndarray) -> None:
    """Hatch these cells of a mesh: one bar for each run of neighbours in a row."""
    for row, cells in enumerate(wanted):
        bounds = np.flatnonzero(np.diff(np.concatenate([[0], cells.astype(int), [0]])))
        lefts, rights = corners[row, bounds[::2], 0], corners[row, bounds[1::2], 0]
        bottom, top = corners[row, 0, 1], corners[row + 1, 0, 1]
        stretches = list(zip(lefts, rights - lefts, strict=True))
        if stretches:
            ax.broken_barh(stretches, (bottom, top - bottom), linewidth=0, **HATCHED)


def _values(gradients: pd.DataFrame, quantity: str, normalise: bool) -> pd.DataFrame:
    """The rows of a quantity's top layers with what is drawn of them as ``log10``."""
    rows = top_layer(recorded(gradients, quantity=quantity))
    log10 = log10_with_zeros(rows)
    if normalise:
        log10 = log10 - _at_last_step(rows, log10)
    return rows.assign(log10=log10)


def _at_last_step(rows: pd.DataFrame, log10: pd.Series) -> pd.Series:
    """The value of the same record where the loss is read; without such a step, the last."""
    record = [rows["setting"], rows["seed"], rows["step"]]
    t = rows["t"].where(~(rows["distance"] < 0))
    is_last = t == t.groupby(record, observed=True).transform("max")
    return log10.where(is_last).groupby(record, observed=True).transform("max")


def _by_step_and_time(values: pd.DataFrame, setting: str) -> pd.DataFrame:
    own = values[values["setting"] == setting]
    return own.pivot_table(
        index="step", columns="t", values="log10", aggfunc="median", dropna=False
    )
