"""What is left of the gradient, by the number of layers and the length of the sequence."""

from collections.abc import Callable, Collection, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.figures.estimates import estimates
from rnnlab.report.figures.palette import styles_of
from rnnlab.report.figures.style import figure_legend, panels
from rnnlab.results.intervals import Estimate

# Decades below the line of what has vanished to which the axis goes at least.
BELOW = 2


def left_by_layers_and_length(
    left: Callable[[str, int, int], Estimate],
    cells: Sequence[str],
    deep: Collection[str],
    layers: Sequence[int],
    lengths: Sequence[int],
    vanished: float,
) -> Figure:
    """The gradient left before training: against T with one layer, against layers at two T.

    Medians over 20 seeds with their intervals; arrows: norms read zero. Below the grey line it has
    vanished.

    Args:
        left: log10 of what is left, of a cell with so many layers at this length.
        cells: in the order of the legend.
        deep: those of them that have more than one layer.
        layers: how many there are, from 1 on.
        lengths: T; the first two are those of which all layers are shown.
        vanished: log10 of the bound.
    """
    drawn, axes = panels(1, 3)
    by_length, *by_layers = axes[0]
    by_layers[1].sharey(by_layers[0])
    for cell, style in styles_of(cells).items():
        beside = 1.05 ** (style.index - 2)
        found = [left(cell, 1, length) for length in lengths]
        estimates(by_length, beside * np.array(lengths), found, style, cell, arrow=2.0)
        if cell in deep:
            for ax, length in zip(by_layers, lengths, strict=False):
                found = [left(cell, many, length) for many in layers]
                estimates(ax, beside * np.array(layers), found, style, cell, arrow=2.0)
    for ax, length in zip(by_layers, lengths, strict=False):
        _finish(ax, vanished, "layers", layers, f"T = {length}")
    _finish(by_length, vanished, "T", lengths, "one layer (arrows: reads zero)")
    for ax in axes[0, :2]:
        ax.set_ylabel(r"$\log_{10}$ of the gradient left")
    by_layers[0].set_ylim(bottom=min(by_layers[0].get_ylim()[0], vanished - BELOW))
    by_layers[-1].annotate(
        "vanished", (layers[-1], vanished), (0, -9), textcoords="offset points", ha="right"
    )
    figure_legend(drawn, list(axes[0]), [])
    return drawn


def _finish(ax: Axes, vanished: float, label: str, ticks: Sequence[int], title: str) -> None:
    ax.axhline(vanished, color="0.6", linewidth=0.8, zorder=0)
    ax.set_xscale("log")
    ax.set_xticks(ticks, list(map(str, ticks)))
    ax.minorticks_off()
    ax.set(xlabel=label, title=title)
