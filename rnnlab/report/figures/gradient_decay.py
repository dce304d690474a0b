"""Gradient against distance back in time, one line a setting."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.figures.on_axes import NEW_AXES, on_axes
from rnnlab.report.figures.records import (
    by_seed,
    log10_with_zeros,
    quantities_of,
    recorded,
    settings_of,
    top_layer,
)
from rnnlab.report.figures.seeds import seed_lines
from rnnlab.report.figures.style import (
    figure_legend,
    log10_of_gradient,
    panels,
    step_title,
)


@on_axes
def gradient_decay(
    gradients: pd.DataFrame, ax: Axes = NEW_AXES, *, quantity: str = "c", step: int = 0
) -> Axes:
    """Draw log10‖∂L/∂c_t‖ (or of h_t) of the top layer against the distance back in time.

    The distance is the number of steps to where the loss is read; where examples are read at
    different steps there is none, and the axis is t. Lines are medians over seeds of the mean log10
    over examples, each seed is a thin line; both end where they read zero.

    Args:
        gradients: ``Results.gradients``.
        ax: where to draw; default a new figure.
        quantity: ``c``, ``h``, or another part of the state that was recorded.
        step: training step of the record.

    Raises:
        UserError: the quantity or the step was not recorded.
    """
    record = top_layer(recorded(gradients, quantity=quantity, step=step))
    record = record.assign(log10=log10_with_zeros(record))
    has_distance = record["distance"].notna().any()
    if has_distance:
        record = record[record["distance"] >= 0]
    x = "distance" if has_distance else "t"
    for style, setting, values in by_seed(record, x, "log10"):
        seed_lines(ax, values, style, setting)
    ax.set_xlabel("steps back in time" if has_distance else "time step t")
    ax.set_ylabel(log10_of_gradient(quantity))
    ax.set_title(step_title(step))
    return ax


def gradient_decay_figure(gradients: pd.DataFrame, steps: Sequence[int]) -> Figure:
    """A row for each quantity, a column for each of the training steps."""
    quantities = quantities_of(gradients)
    figure, axes = panels(len(quantities), len(steps), sharex=True, sharey="row")
    for row, quantity in zip(axes, quantities, strict=True):
        for ax, step in zip(row, steps, strict=True):
            gradient_decay(gradients, ax, quantity=quantity, step=step).label_outer()
    for ax in axes[1:].flat:
        ax.set_title("")
    figure_legend(figure, list(axes.flat), settings_of(gradients))
    return figure


def shown_steps(gradients: pd.DataFrame) -> list[int]:
    """The first, a middle and the last recorded training step."""
    steps = sorted(gradients["step"].unique())
    return [int(step) for step in dict.fromkeys((steps[0], steps[len(steps) // 2], steps[-1]))]
