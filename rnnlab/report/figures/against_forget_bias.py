"""Effect of the initial forget bias before training and on training, against the bias."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.figures.style import (
    LATE,
    UNSOLVED,
    figure_legend,
    line_style,
    math_label,
    panels,
    seed_band,
    unsolved_note,
)
from rnnlab.results.intervals import median_solved_at

LINES = ("b_i = 0", "b_i = −b_f", "chrono, b_i = 0", "chrono, b_i = −b_f")


def against_forget_bias(before: pd.DataFrame, ended: pd.DataFrame, norm: str, left: str) -> Figure:
    """One row for each task: one step, the whole sequence, and when runs solved the task.

    Lines are medians over seeds, bands reach from the least to the greatest seed. There is one mark
    for each trained run; open marks above the last training step (grey line) are unsolved runs.
    Chrono, which has no single b_f, is a horizontal line at its median. The grey lines of the first
    two columns are where the gradient keeps its size.

    Args:
        before: one row a run before training: the columns of ``Results.runs``, ``norm``, ``left``.
        ended: the trained runs that ended, as in ``Results.runs``.
        norm: column of the mean ‖∂c_t/∂c_{t−1}‖₂.
        left: column of log10 ‖∂c_T/∂c_0‖₂.
    """
    tasks = list(dict.fromkeys(before["task.kind"]))
    figure, axes = panels(len(tasks), 3, sharex=True)
    for row, task in zip(axes, tasks, strict=True):
        own = before[before["task.kind"] == task]
        _bands(row[0], own, norm)
        direct = own[_line_of(own) == LINES[0]].groupby("cell.forget_bias")["gate_first"].median()
        row[0].plot(direct.index, direct, color="0.4", linewidth=0.8, label="mean $f_t$ (direct)")
        row[0].axhline(1, color="0.6", linewidth=0.6, zorder=0)
        _bands(row[1], own, left)
        row[1].axhline(0, color="0.6", linewidth=0.6, zorder=0)
        _solved(row[2], ended[ended["task.kind"] == task])
        row[0].set_ylabel(r"$\|\partial c_t/\partial c_{t-1}\|_2$")
        row[1].set_ylabel(r"$\log_{10}\,\|\partial c_T/\partial c_0\|_2$")
        row[2].set_ylabel("solved at training step")
        solved_at = ended.loc[ended["task.kind"] == task, "solved_at"]
        titles = ("one step", "whole sequence", unsolved_note(solved_at, "open: unsolved"))
        for ax, title in zip(row, titles, strict=True):
            ax.set_title(f"{task}, {title}".removesuffix(", "))
    for ax in axes[-1]:
        ax.set_xlabel("initial forget bias $b_f$")
    figure_legend(figure, list(axes.flat), LINES)
    return figure


def _line_of(runs: pd.DataFrame) -> pd.Series:
    tied = np.where(runs["cell.input_bias"] == "tied", "b_i = −b_f", "b_i = 0")
    chrono = np.where(_is_chrono(runs), "chrono, ", "")
    return pd.Series(chrono, runs.index) + pd.Series(tied, runs.index)


def _is_chrono(runs: pd.DataFrame) -> pd.Series:
    return runs["cell.forget_bias"] == "chrono"


def _bands(ax: Axes, runs: pd.DataFrame, column: str) -> None:
    for line, own in runs.groupby(_line_of(runs)):
        index = LINES.index(str(line))
        if _is_chrono(own).all():
            _level(ax, float(own[column].median()), index)
            continue
        own = own.assign(bias=own["cell.forget_bias"].astype(float))
        wide = own.pivot_table(index="bias", columns="seed", values=column)
        seed_band(ax, wide, index, LINES[index])


def _solved(ax: Axes, runs: pd.DataFrame) -> None:
    """A mark for each run, open and above the last step where it is unsolved; the medians."""
    last_step = runs["training.steps"].max()
    for line, own in runs.groupby(_line_of(runs)):
        index = LINES.index(str(line))
        at = own["solved_at"].astype(float)
        if _is_chrono(own).all():
            _level(ax, median_solved_at(at), index)
            continue
        bias = own["cell.forget_bias"].astype(float)
        x = bias + 0.4 * (index - 0.5) + 0.3 * (own["seed"].rank(method="dense", pct=True) - 0.5)
        style = line_style(index) | {"linestyle": "", "markersize": 2.5}
        ax.plot(x, at, **style)
        unsolved = at.isna()
        late = np.full(unsolved.sum(), LATE * last_step)
        ax.plot(x[unsolved], late, **style | UNSOLVED)
        medians = at.groupby(bias).apply(median_solved_at).replace(np.inf, np.nan)
        ax.plot(medians.index, medians, **line_style(index) | {"marker": "", "linewidth": 0.8})
    ax.axhline(last_step, color="0.6", linewidth=0.6, zorder=0)
    ax.set_ylim(0, 1.12 * last_step)


def _level(ax: Axes, value: float, index: int) -> None:
    """A horizontal line for a setting without a single b_f; none where it is not finite."""
    if np.isfinite(value):
        style = line_style(index) | {"marker": ""}
        ax.axhline(value, label=math_label(LINES[index]), **style)
