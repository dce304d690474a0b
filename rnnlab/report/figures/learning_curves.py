"""Loss against training step."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.figures.on_axes import NEW_AXES, on_axes
from rnnlab.report.figures.palette import Style
from rnnlab.report.figures.records import by_seed, settings_of
from rnnlab.report.figures.seeds import seed_lines
from rnnlab.report.figures.style import figure_legend, panels
from rnnlab.results.intervals import median_solved_at
from rnnlab.training.quantities.training import SOLVED_WINDOW


@on_axes
def learning_curves(training: pd.DataFrame, runs: pd.DataFrame, ax: Axes = NEW_AXES) -> Axes:
    """Draw the mean training loss of the last 50 steps (of those there are, at first).

    Lines are medians over seeds, each seed is a thin line. A tick on the line of the
    threshold is a seed that solved the task at this step, a large mark their median, in which the
    unsolved count as later. The axis is logarithmic unless a loss is
    0 or less.

    Args:
        training: ``Results.training``.
        runs: ``Results.runs``, for baseline, threshold and ``solved_at``.
        ax: where to draw; default a new figure.
    """
    for style, setting, losses in by_seed(training, "step", "loss"):
        recent = losses.rolling(SOLVED_WINDOW, min_periods=1).mean()
        recent = recent.where(losses.notna()).dropna(how="all")
        seed_lines(ax, recent, style, setting)
        _mark_solved(ax, runs[runs["setting"] == setting], style)
    for baseline in sorted(set(runs["baseline"].dropna())):
        ax.axhline(baseline, color="0.4", linewidth=0.8, label="baseline: remembers nothing")
    for threshold in sorted(set(runs["threshold"].dropna())):
        dotted: Any = {"color": "0.4", "linewidth": 0.8, "linestyle": ":"}
        note = "; ticks: solved" if runs["solved_at"].notna().any() else ""
        ax.axhline(threshold, label=f"threshold{note}", **dotted)
    if not (training["loss"] <= 0).any():
        ax.set_yscale("log")
    ax.set_xlabel("training step")
    ax.set_ylabel(f"training loss, mean of {SOLVED_WINDOW} steps")
    return ax


def _mark_solved(ax: Axes, runs: pd.DataFrame, style: Style) -> None:
    """A tick for each run that solved the task, and a large mark at the median step."""
    solved = runs[runs["solved_at"].notna()].astype({"solved_at": float, "threshold": float})
    tick = style.line | {"linestyle": "", "marker": "|", "markersize": 7}
    ax.plot(solved["solved_at"], solved["threshold"], **tick)
    median = median_solved_at(runs["solved_at"].astype(float))
    if len(solved) and np.isfinite(median):
        large = style.line | {"linestyle": "", "markersize": 6}
        ax.plot([median], [solved["threshold"].iloc[0]], **large)


def learning_curves_figure(training: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """One panel."""
    figure, axes = panels(1, 1)
    figure.set_size_inches(4.8, 3.2)
    learning_curves(training, runs, axes[0, 0])
    figure_legend(figure, [axes[0, 0]], settings_of(training))
    return figure
