"""Gradient against distance back in time, one line a setting."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.figures.style import (
    axes_or_new,
    figure_legend,
    legend_if_new,
    log10_with_zeros,
    panels,
    require,
    seed_band,
    settings_of,
    step_title,
    top_layer,
)


def gradient_decay(
    gradients: pd.DataFrame, ax: Axes | None = None, *, quantity: str = "c", step: int = 0
) -> Axes:
    """log10‖∂L/∂c_t‖ or h_t of the top layer against the distance to where the loss is read.

    The mean over examples of log10, as median over seeds with a band from least to greatest; they
    end where they read zero.
    Where examples are read at different steps there is no distance; the axis is then t.

    Args:
        gradients: ``Results.gradients``.
        ax: where to draw; default a new figure.
        quantity: ``c`` or ``h``.
        step: training step of the record.

    Raises:
        UserError: the quantity or the step was not recorded.
    """
    given, ax = ax, axes_or_new(ax)
    require(gradients, "quantity", quantity)
    require(gradients, "step", step)
    record = gradients[(gradients["quantity"] == quantity) & (gradients["step"] == step)]
    record = top_layer(record)
    record = record.assign(log10=log10_with_zeros(record))
    has_distance = record["distance"].notna().any()
    x = "distance" if has_distance else "t"
    if has_distance:
        record = record[record["distance"] >= 0]
    for index, setting in enumerate(settings_of(gradients)):
        own = record[record["setting"] == setting]
        if not own.empty:
            wide = own.pivot_table(index=x, columns="seed", values="log10", dropna=False)
            seed_band(ax, wide, index, setting)
    ax.set_xlabel("steps back in time" if has_distance else "time step t")
    ax.set_ylabel(rf"$\log_{{10}}\,\|\partial L/\partial {quantity}_t\|_2$")
    ax.set_title(step_title(step))
    return legend_if_new(ax, given)


def gradient_decay_figure(gradients: pd.DataFrame, steps: Sequence[int]) -> Figure:
    """A row for each quantity, a column for each of the training steps."""
    quantities = [q for q in ("c", "h") if (gradients["quantity"] == q).any()]
    figure, axes = panels(len(quantities), len(steps), sharex=True, sharey="row")
    for row, quantity in zip(axes, quantities, strict=True):
        for ax, step in zip(row, steps, strict=True):
            gradient_decay(gradients, ax, quantity=quantity, step=step).label_outer()
    for ax in axes[1:].flat:
        ax.set_title("")
    figure_legend(figure, list(axes.flat), settings_of(gradients))
    return figure
