"""Lyapunov spectra."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.figures.on_axes import NEW_AXES, on_axes
from rnnlab.report.figures.records import by_seed, recorded, settings_of
from rnnlab.report.figures.seeds import seed_lines
from rnnlab.report.figures.style import figure_legend, panels, step_title


@on_axes
def lyapunov_spectrum(lyapunov: pd.DataFrame, ax: Axes = NEW_AXES, *, step: int = 0) -> Axes:
    """Draw the finite-time Lyapunov exponents in order, natural logarithm per step.

    Lines are medians over seeds of the mean over examples, each seed is a thin line.

    Args:
        lyapunov: ``Results.lyapunov``.
        ax: where to draw; default a new figure.
        step: training step.

    Raises:
        UserError: the step was not recorded.
    """
    record = recorded(lyapunov, step=step)
    for style, setting, values in by_seed(record, "index", "exponent"):
        values.index += 1
        seed_lines(ax, values, style, setting)
    ax.axhline(0, color="0.6", linewidth=0.6, zorder=0)
    ax.set_xlabel("index, greatest first")
    ax.set_ylabel("finite-time Lyapunov\nexponent, per step")
    ax.set_title(step_title(step))
    return ax


def lyapunov_figure(lyapunov: pd.DataFrame, steps: Sequence[int]) -> Figure:
    """A panel for each of the training steps."""
    figure, axes = panels(1, len(steps), sharey=True)
    for ax, step in zip(axes[0], steps, strict=True):
        lyapunov_spectrum(lyapunov, ax, step=step).label_outer()
    figure_legend(figure, list(axes[0]), settings_of(lyapunov))
    return figure
