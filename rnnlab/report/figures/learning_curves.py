"""Loss against training step."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.figures.style import (
    axes_or_new,
    figure_legend,
    legend_if_new,
    line_style,
    panels,
    seed_band,
    settings_of,
)
from rnnlab.results.summary import SOLVED_WINDOW


def learning_curves(training: pd.DataFrame, runs: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Mean training loss of the last 50 steps (or of those there are), baseline, when solved.

    Median over seeds with a band from least to greatest; a mark on the line of the threshold for
    each seed that solved the task.

    Args:
        training: ``Results.training``.
        runs: ``Results.runs``, for baseline, threshold and ``solved_at``.
        ax: where to draw; default a new figure.
    """
    given, ax = ax, axes_or_new(ax)
    for index, setting in enumerate(settings_of(training)):
        own = training[training["setting"] == setting]
        if own.empty:
            continue
        losses = own.pivot_table(index="step", columns="seed", values="loss", dropna=False)
        recent = losses.rolling(SOLVED_WINDOW, min_periods=1).mean()
        recent = recent.where(losses.notna()).dropna(how="all")
        seed_band(ax, recent, index, setting)
        solved = runs[(runs["setting"] == setting) & runs["solved_at"].notna()]
        style = line_style(index) | {"linestyle": "", "markersize": 6, "markerfacecolor": "none"}
        ax.plot(solved["solved_at"].astype(float), solved["threshold"].astype(float), **style)
    for baseline in sorted(set(runs["baseline"].dropna())):
        ax.axhline(baseline, color="0.4", linewidth=0.8, label="baseline: remembers nothing")
    for threshold in sorted(set(runs["threshold"].dropna())):
        style = {"color": "0.4", "linewidth": 0.8, "linestyle": ":"}
        ax.axhline(threshold, label="threshold (open marks: when below)", **style)
    ax.set_yscale("log")
    ax.set_xlabel("training step")
    ax.set_ylabel(f"training loss, mean of {SOLVED_WINDOW} steps")
    return legend_if_new(ax, given)


def learning_curves_figure(training: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """One panel."""
    figure, axes = panels(1, 1)
    figure.set_size_inches(4.8, 3.6)
    learning_curves(training, runs, axes[0, 0])
    figure_legend(figure, [axes[0, 0]], settings_of(training))
    return figure
