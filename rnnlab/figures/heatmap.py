"""The gradient over time and over training, as a heat map."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from rnnlab.figures.style import (
    axes_or_new,
    log10_with_zeros,
    math_label,
    panels,
    settings_of,
)

COLOUR_MAP = "cividis"
HATCHED: Any = {"facecolor": "white", "edgecolor": "0.6", "hatch": "xxxx"}


def gradient_heatmap(
    gradients: pd.DataFrame,
    ax: Axes | None = None,
    *,
    setting: str,
    quantity: str = "c",
    limits: tuple[float, float] | None = None,
) -> Axes:
    """Training step against t; colour is log10‖∂L/∂·_t‖ of the top layer, median over seeds.

    Hatched where that reads zero.

    Args:
        gradients: ``Results.gradients``.
        ax: where to draw; default a new figure, with a colour bar.
        setting: label of the setting.
        quantity: ``c`` or ``h``.
        limits: of the colour scale; default from the data.
    """
    is_new = ax is None
    ax = axes_or_new(ax)
    values = _by_step_and_time(gradients, setting, quantity)
    low, high = limits or colour_limits(gradients, quantity)
    ax.patch.set(**HATCHED)
    t, steps = values.columns.to_numpy(), values.index.to_numpy()
    masked = np.ma.masked_invalid(values.to_numpy())
    mesh = ax.pcolormesh(
        t, steps, masked, cmap=COLOUR_MAP, vmin=low, vmax=high, shading="nearest", rasterized=True
    )
    ax.set_xlabel("time step t")
    ax.set_ylabel("training step")
    ax.set_title(math_label(setting))
    if is_new:
        ax.figure.colorbar(mesh, ax=ax, label=_colour_label(quantity), extend="min")
    return ax


def heatmap_figure(gradients: pd.DataFrame, quantity: str) -> Figure:
    """A heat map for each setting that has the quantity, on one colour scale."""
    present = gradients.loc[gradients["quantity"] == quantity, "setting"].unique()
    settings = [s for s in settings_of(gradients) if s in set(present)]
    columns = 2 if len(settings) == 4 else min(3, len(settings))
    rows = -(-len(settings) // columns)
    figure, axes = panels(rows, columns, sharey=True)
    low, high = colour_limits(gradients, quantity)
    for ax, setting in zip(axes.flat, settings, strict=False):
        gradient_heatmap(gradients, ax, setting=setting, quantity=quantity, limits=(low, high))
    for ax in axes[:, 1:].flat:
        ax.set_ylabel("")
    for ax in list(axes.flat)[len(settings) :]:
        ax.set_visible(False)
    scale = ScalarMappable(Normalize(low, high), plt.get_cmap(COLOUR_MAP))
    figure.colorbar(scale, ax=axes, label=_colour_label(quantity), extend="min")
    if _reads_zero(gradients, quantity):
        zero = Patch(label="reads zero", **HATCHED)
        figure.legend(handles=[zero], loc="outside lower center", fontsize=7)
    return figure


def colour_limits(gradients: pd.DataFrame, quantity: str) -> tuple[float, float]:
    """Of the finite values of a quantity, the lowest but 1 %, and the largest.

    A few records of a gradient that all but vanished would else use up the scale.
    """
    values = gradients.loc[gradients["quantity"] == quantity, "log10_mean"]
    finite = values[np.isfinite(values)]
    return (float(finite.quantile(0.01)), float(finite.max())) if len(finite) else (-1.0, 0.0)


def _by_step_and_time(gradients: pd.DataFrame, setting: str, quantity: str) -> pd.DataFrame:
    own = gradients[(gradients["setting"] == setting) & (gradients["quantity"] == quantity)]
    top = own[own["layer"] == own["layer"].max()]
    top = top.assign(log10=log10_with_zeros(top))
    return top.pivot_table(
        index="step", columns="t", values="log10", aggfunc="median", dropna=False
    )


def _reads_zero(gradients: pd.DataFrame, quantity: str) -> bool:
    own = gradients[gradients["quantity"] == quantity]
    return bool((own["zero_fraction"] == 1).any())


def _colour_label(quantity: str) -> str:
    return rf"$\log_{{10}}\,\|\partial L/\partial {quantity}_t\|_2$"
