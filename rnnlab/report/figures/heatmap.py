"""Heat map of the gradient over time and over training."""

from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from rnnlab.report.figures.on_axes import NEW_AXES, on_axes
from rnnlab.report.figures.records import (
    log10_with_zeros,
    present_settings,
    quantities_of,
    top_layer,
)
from rnnlab.report.figures.style import log10_of_gradient, panel_for_each, safe_name, title_label

COLOUR_MAP = "cividis"
HATCHED: Any = {"facecolor": "white", "edgecolor": "0.6", "hatch": "xxxx"}


def add_colour_bar(ax: Axes) -> None:
    """Add the colour bar of a heat map."""
    mesh = ax.collections[0]
    ax.figure.colorbar(mesh, ax=ax, label=str(mesh.get_label()), extend="min")


@partial(on_axes, add_key=add_colour_bar)
def gradient_heatmap(
    gradients: pd.DataFrame,
    ax: Axes = NEW_AXES,
    *,
    setting: str,
    quantity: str = "c",
    limits: tuple[float, float] | None = None,
) -> Axes:
    """Draw the gradient of a setting's top layer, training step against t.

    The colour is log10‖∂L/∂·_t‖, the median over seeds. Cells where it reads zero are hatched,
    cells without a number are blank.

    Args:
        gradients: ``Results.gradients``.
        ax: where to draw; default a new figure, with a colour bar.
        setting: label of the setting.
        quantity: ``c``, ``h``, or another part of the state that was recorded.
        limits: of the colour scale; default from the data.
    """
    values = _by_step_and_time(gradients, setting, quantity)
    low, high = limits or colour_limits(gradients, quantity)
    log10 = values.to_numpy()
    mesh = ax.pcolormesh(
        values.columns.to_numpy(),
        values.index.to_numpy(),
        np.ma.masked_invalid(np.where(np.isposinf(log10), high, log10)),
        cmap=COLOUR_MAP,
        vmin=low,
        vmax=high,
        shading="nearest",
        rasterized=True,
        label=log10_of_gradient(quantity),
    )
    _hatch_cells(ax, np.asarray(mesh.get_coordinates()), np.isneginf(log10))
    ax.set_xlabel("time step t")
    ax.set_ylabel("training step")
    ax.set_title(title_label(setting, 36))
    return ax


def heatmap_figure(gradients: pd.DataFrame, quantity: str) -> Figure:
    """A heat map for each setting that has the quantity, on one colour scale."""
    settings = present_settings(gradients[gradients["quantity"] == quantity])
    figure, axes = panel_for_each(settings, sharey=True)
    low, high = colour_limits(gradients, quantity)
    for ax, setting in zip(axes, settings, strict=True):
        gradient_heatmap(gradients, ax, setting=setting, quantity=quantity, limits=(low, high))
    for ax in axes[1:]:
        if ax.get_position().x0 > axes[0].get_position().x0:
            ax.set_ylabel("")
    scale = ScalarMappable(Normalize(low, high), plt.get_cmap(COLOUR_MAP))
    figure.colorbar(scale, ax=axes, label=log10_of_gradient(quantity), extend="min")
    if any(np.isneginf(_by_step_and_time(gradients, s, quantity)).any(axis=None) for s in settings):
        zero = Patch(label="reads zero", **HATCHED)
        figure.legend(handles=[zero], loc="outside lower center", fontsize=7)
    return figure


def heatmap_figures(gradients: pd.DataFrame) -> dict[str, Figure]:
    """The heat maps of each part of the state, by file name."""
    return {
        f"heatmap_{safe_name(quantity)}": heatmap_figure(gradients, quantity)
        for quantity in quantities_of(gradients)
    }


def _hatch_cells(ax: Axes, corners: np.ndarray, wanted: np.ndarray) -> None:
    """Hatch these cells of a mesh: one bar for each run of neighbours in a row."""
    for row, cells in enumerate(wanted):
        bounds = np.flatnonzero(np.diff(np.concatenate([[0], cells.astype(int), [0]])))
        lefts, rights = corners[row, bounds[::2], 0], corners[row, bounds[1::2], 0]
        bottom, top = corners[row, 0, 1], corners[row + 1, 0, 1]
        stretches = list(zip(lefts, rights - lefts, strict=True))
        if stretches:
            ax.broken_barh(stretches, (bottom, top - bottom), linewidth=0, **HATCHED)


def colour_limits(gradients: pd.DataFrame, quantity: str) -> tuple[float, float]:
    """The 1 % quantile and the maximum of a quantity's finite log10 norms.

    Without the quantile, a few records of a gradient that nearly vanished would use up the scale.
    """
    values = top_layer(gradients[gradients["quantity"] == quantity])["log10_mean"]
    finite = values[np.isfinite(values)]
    return (float(finite.quantile(0.01)), float(finite.max())) if len(finite) else (-1.0, 0.0)


def _by_step_and_time(gradients: pd.DataFrame, setting: str, quantity: str) -> pd.DataFrame:
    own = gradients[(gradients["setting"] == setting) & (gradients["quantity"] == quantity)]
    top = top_layer(own)
    top = top.assign(log10=log10_with_zeros(top))
    return top.pivot_table(
        index="step", columns="t", values="log10", aggfunc="median", dropna=False
    )
