"""Loss against training step."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.figures.on_axes import NEW_AXES, on_axes
from rnnlab.report.figures.records import by_seed, settings_of
from rnnlab.report.figures.style import figure_legend, line_style, panels, seed_band
from rnnlab.training.quantities.training import SOLVED_WINDOW


@on_axes
def learning_curves(training: pd.DataFrame, runs: pd.DataFrame, ax: Axes = NEW_AXES) -> Axes:
    """Draw the mean training loss of the last 50 steps (of those there are, at first).

    Lines are medians over seeds, bands reach from the least to the greatest seed. A large mark on
    the line of the threshold shows when a seed solved the task. The axis is logarithmic unless a
    loss is 0 or less.

    Args:
        training: ``Results.training``.
        runs: ``Results.runs``, for baseline, threshold and ``solved_at``.
        ax: where to draw; default a new figure.
    """
    for index, setting, losses in by_seed(training, "step", "loss"):
        recent = losses.rolling(SOLVED_WINDOW, min_periods=1).mean()
        recent = recent.where(losses.notna()).dropna(how="all")
        seed_band(ax, recent, index, setting)
        solved = runs[(runs["setting"] == setting) & runs["solved_at"].notna()]
        style = line_style(index) | {"linestyle": "", "markersize": 6}
        ax.plot(solved["solved_at"].astype(float), solved["threshold"].astype(float), **style)
    for baseline in sorted(set(runs["baseline"].dropna())):
        ax.axhline(baseline, color="0.4", linewidth=0.8, label="baseline: remembers nothing")
    for threshold in sorted(set(runs["threshold"].dropna())):
        style = {"color": "0.4", "linewidth": 0.8, "linestyle": ":"}
        note = " (large marks: when below)" if runs["solved_at"].notna().any() else ""
        ax.axhline(threshold, label=f"threshold{note}", **style)
    if not (training["loss"] <= 0).any():
        ax.set_yscale("log")
    ax.set_xlabel("training step")
    ax.set_ylabel(f"training loss, mean of {SOLVED_WINDOW} steps")
    return ax


def learning_curves_figure(training: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """One panel."""
    figure, axes = panels(1, 1)
    figure.set_size_inches(4.8, 3.6)
    learning_curves(training, runs, axes[0, 0])
    figure_legend(figure, [axes[0, 0]], settings_of(training))
    return figure
