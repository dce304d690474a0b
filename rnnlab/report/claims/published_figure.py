"""What papers report beside what is obtained here, as figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.claims.published import Published, was_run
from rnnlab.report.claims.rules import Bounds
from rnnlab.report.claims.words import estimate
from rnnlab.report.figures.learning_curves import learning_curves
from rnnlab.report.figures.palette import category, styles_of
from rnnlab.report.figures.records import settings_of
from rnnlab.report.figures.style import (
    PANEL_HEIGHT,
    PANEL_WIDTH,
    figure_legend,
    math_label,
    own_style,
    title_label,
)
from rnnlab.results.intervals import Estimate

OBTAINED, PUBLISHED = category(0), category(2)
REPRODUCES = "reproduces the result"
# Of the greatest to the least number, beyond which an axis is logarithmic.
WIDE = 30
# Inches of a row.
ROW = 0.3


def published_panels(
    published: Sequence[Published], numbers: pd.DataFrame, upper: int = 1
) -> tuple[Figure, list[Axes], list[Axes]]:
    """A figure whose lower row shows each result that was run, obtained beside published.

    Returns:
        The figure; as many axes in its upper row as ``upper`` says; and those of the lower one, one
        for each quantity.
    """
    run = was_run(published, numbers)
    by_quantity = {r.quantity: [o for o in run if o.quantity == r.quantity] for r in run}
    most = max(map(len, by_quantity.values()), default=1)
    heights, many = (PANEL_HEIGHT, 0.6 + ROW * most), max(1, len(by_quantity))
    with own_style():
        figure = plt.figure(
            figsize=(max(4.8, PANEL_WIDTH * max(upper, many)), sum(heights) + 0.4),
            layout="constrained",
        )
        grid = figure.add_gridspec(2, upper * many, height_ratios=heights)
        above = [figure.add_subplot(grid[0, many * n : many * (n + 1)]) for n in range(upper)]
        below = [
            figure.add_subplot(grid[1, upper * n : upper * (n + 1)])
            for n, _ in enumerate(by_quantity)
        ]
    for ax, (quantity, results) in zip(below, by_quantity.items(), strict=True):
        _compare(ax, results, [estimate(numbers, quantity, result.of) for result in results])
        ax.set_xlabel(title_label(quantity, 28))
    return figure, above, below


def curves_and_published(
    training: pd.DataFrame,
    runs: pd.DataFrame,
    published: Sequence[Published],
    numbers: pd.DataFrame,
    levels: Mapping[str, tuple[float, str]] | None = None,
) -> Figure:
    """Training loss / baseline against the step; below it what is obtained beside the published.

    Lines are medians over seeds, each seed is a thin line; a tick is a run whose loss fell below
    the threshold, a large mark their median. Below: obtained values with their intervals (filled),
    published ones (open diamonds, where the paper gives a number), and in grey the values that
    reproduce the result.

    Args:
        training: ``Results.training``.
        runs: ``Results.runs`` of those to draw, with ``panel``, in which each is drawn, and
            ``setting``, a categorical.
        published: what the paper reports.
        numbers: what is obtained.
        levels: published final losses / baseline, and of which length, by setting.
    """
    training, relative = _relative(training, runs)
    shown, names = list(dict.fromkeys(runs["panel"])), settings_of(runs)
    figure, above, below = published_panels(published, numbers, len(shown))
    for ax, panel in zip(above, shown, strict=True):
        inside = relative[relative["panel"] == panel]
        learning_curves(training[training["run"].isin(inside["run"])], inside, ax)
        ax.set(title=panel, ylabel="training loss / baseline,\nmean of 50 steps")
        for name, (level, length) in (levels or {}).items():
            style: Any = {"color": styles_of(names)[name].light, "linestyle": (0, (6, 2, 1, 2))}
            ax.axhline(level, label=f"{name}: published, {length}", **style)
    for ax in above[1:]:
        ax.sharey(above[0])
        ax.set_ylabel("")
    figure_legend(figure, [*above, *below], names)
    return figure


def _relative(training: pd.DataFrame, runs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Losses and thresholds divided by the baseline of each run."""
    own = runs.set_index("run")
    baselines = own["baseline"].astype(float)
    thresholds = runs["threshold"].astype(float) / runs["baseline"].astype(float)
    training = training[training["run"].isin(own.index)]
    settings = training["run"].map(own["setting"].astype(str))
    names = pd.Categorical(settings, settings_of(runs), ordered=True)
    loss = training["loss"] / training["run"].map(baselines)
    relative = runs.assign(threshold=thresholds, baseline=1.0)
    return training.assign(setting=names, loss=loss), relative


def _compare(ax: Axes, results: Sequence[Published], obtained: Sequence[Estimate]) -> None:
    """Results of one quantity, a row each."""
    bounds = [r.judge if isinstance(r.judge, Bounds) else Bounds() for r in results]
    low, high = _limits(ax, results, obtained, bounds)
    for row, (result, found, reproduces) in enumerate(zip(results, obtained, bounds, strict=True)):
        if reproduces != Bounds():
            ends = np.clip([reproduces.low, reproduces.high], low, high)
            rows = [row - 0.4, row + 0.4]
            ax.fill_betweenx(rows, *ends, color="0.88", linewidth=0, label=REPRODUCES)
        if np.isnan(found.mean):
            ax.text(0.5, row, "unknown", transform=ax.get_yaxis_transform(), ha="center")
            continue
        mean, *interval = np.clip(found, low, high)
        ax.plot(interval, [row, row], color=OBTAINED.light, linewidth=1)
        ax.plot([mean], [row], "o", color=OBTAINED.light, markersize=4, label="obtained")
        look: Any = {"color": PUBLISHED.light, "markerfacecolor": "none", "markersize": 6}
        if np.isfinite(result.level):
            ax.plot([result.level], [row], "D", label="published", **look)
    words = [math_label(f"{result.of}\npublished: {result.value}") for result in results]
    ax.set_yticks(range(len(results)), words, fontsize=6)
    ax.set_ylim(len(results) - 0.5, -0.5)
    ax.set_xlim(low, high)


def _limits(
    ax: Axes,
    results: Sequence[Published],
    obtained: Sequence[Estimate],
    bounds: Sequence[Bounds],
) -> tuple[float, float]:
    """Ends of the axis, which is logarithmic where positive numbers are far apart."""
    ends = [end for own in bounds for end in (own.low, own.high)]
    values = np.array([*np.ravel(obtained), *(result.level for result in results), *ends], float)
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    least, most = float(values.min()), float(values.max())
    if least > 0 and most / least > WIDE:
        ax.set_xscale("log")
        return least / 1.5, most * 1.5
    margin = 0.1 * (most - least or abs(most) or 1.0)
    return least - margin, most + margin
