"""How the norm over a whole sequence depends on the number that sets it: a gain, or a bias."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.figures.estimates import estimates
from rnnlab.report.figures.palette import Style, category, styles_of
from rnnlab.report.figures.seeds import seed_lines
from rnnlab.report.figures.style import figure_legend, panels
from rnnlab.results.intervals import Estimate, share_interval

# Of cells, as the colours are those of T.
GREYS = ("#555555", "#999999", "#000000")
GAINS = {0.5: "½", 1: "1", 2: "2", 4: "4"}
FIRST_ORDER = "width if norm = gain$^T$"


def norms_by_control(
    before: pd.DataFrame,
    trained: pd.DataFrame,
    widths: Mapping[str, Sequence[Estimate]],
    shares: Mapping[str, Sequence[Estimate]],
    lengths: Sequence[int],
    bound: float,
) -> Figure:
    """Norms against the gain and b_f; width and share of what is within bounds, by T.

    Above, left and middle: colours are T; lines are medians over seeds, each seed is a thin line,
    and what is beyond ±20 is cut; grey band: within bounds. All else is in greys, by cell. Below,
    left and middle: the share of six runs that solve the task, with its interval, which is wide
    even where none does. Right: arrows where the grid ends before the range within bounds does.

    Args:
        before: one row a run before training: ``cell``, ``length``, ``seed``, ``x`` (gain or b_f),
            ``log10`` of the norm. The first and the last cell of ``widths`` are drawn.
        trained: one row a run that was trained: ``cell``, ``x``, ``solved`` (0 or 1).
        widths: of what is within bounds, in e-folds, of each cell at each length.
        shares: the same as a share of the range in use.
        lengths: T.
        bound: decades of the norm, both ways.
    """
    drawn, axes = panels(2, 3, sharex="col")
    cells = list(widths)
    ends = cells[0], cells[-1]
    for column, cell in zip(axes.T, ends, strict=False):
        _norms(column[0], before[before["cell"] == cell], lengths, bound)
        _solved(column[1], trained[trained["cell"] == cell], _in_grey(cells.index(cell)))
        column[1].set_xlabel("$b_f$" if cell == ends[1] else "gain")
    for ax, title, state in zip(axes[0], ends, "hc", strict=False):
        ax.set_title(f"{title}, before training")
        ax.set_ylabel(rf"$\log_{{10}}\|\partial {state}_T/\partial {state}_1\|_2$")
    for ax, title in zip(axes[1], ends, strict=False):
        ax.set(title=f"{title}, trained, T = 100", ylabel="share of runs that solve it")
    axes[1, 0].set_xscale("log", base=2)
    axes[1, 0].set_xticks(list(GAINS), list(GAINS.values()))
    _by_length(axes[0, 2], widths, lengths)
    _by_length(axes[1, 2], shares, lengths)
    first_order = 2 * bound * math.log(10) / np.array(lengths)
    axes[0, 2].plot(lengths, first_order, color="0.75", linewidth=0.8, label=FIRST_ORDER)
    axes[0, 2].set(yscale="log", ylabel="width, e-folds", ylim=(1e-3, None))
    axes[1, 2].set(ylim=(-0.05, 1.05), ylabel="share of the range in use", xlabel="T", xscale="log")
    for ax in axes[:, 2]:
        ax.set_title("within bounds, before training")
    axes[1, 2].set_xticks(lengths, list(map(str, lengths)))
    axes[1, 2].minorticks_off()
    figure_legend(drawn, list(axes.flat), [])
    return drawn


def _norms(ax: Axes, own: pd.DataFrame, lengths: Sequence[int], bound: float) -> None:
    """log10 of the norm, one line a length; grey is within bounds."""
    names = "T = " + own["length"].astype(str)
    for name, style in styles_of([f"T = {length}" for length in lengths]).items():
        wide = own[names == name].pivot_table(index="x", columns="seed", values="log10")
        seed_lines(ax, wide, style, name)
    ax.axhspan(-bound, bound, color="0.92", zorder=0, label="within bounds")
    ax.set_ylim(-20, 20)


def _in_grey(index: int) -> Style:
    """The style of a cell."""
    return replace(category(index), light=GREYS[index])


def _solved(ax: Axes, own: pd.DataFrame, style: Style) -> None:
    """Share of the seeds that solve the task, with its interval."""
    for x, values in dict(iter(own.groupby("x")["solved"])).items():
        share = share_interval(int(values.sum()), len(values))
        bars = [[share.mean - share.low], [share.high - share.mean]]
        ax.errorbar(x, share.mean, bars, **style.line | {"linestyle": "", "elinewidth": 0.8})
    ax.set_ylim(-0.05, 1.05)


def _by_length(ax: Axes, found: Mapping[str, Sequence[Estimate]], lengths: Sequence[int]) -> None:
    """A line a cell, in greys; its marks stand beside those of the others."""
    for index, (cell, own) in enumerate(found.items()):
        beside = np.array(lengths) * 1.06 ** (index - 1)
        arrow = [one.mean / 2 for one in own]
        estimates(ax, beside, own, _in_grey(index), cell, arrow)
