"""Effect of the initial forget bias before training and on training, against the bias."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.figures.palette import category
from rnnlab.report.figures.seeds import (
    LATE,
    beside,
    say_if_none_solved,
    seed_lines,
    unsolved,
    unsolved_note,
)
from rnnlab.report.figures.style import figure_legend, math_label, panels
from rnnlab.results.intervals import median_solved_at

LINES = ("b_i = 0", "b_i = −b_f", "chrono, b_i = 0", "chrono, b_i = −b_f")
STYLES = {line: category(index) for index, line in enumerate(LINES)}


def against_forget_bias(before: pd.DataFrame, ended: pd.DataFrame, norm: str, left: str) -> Figure:
    """One row for each task: one step, the whole sequence, and when runs solved the task.

    Lines are medians over seeds, each seed is a thin line. There is one mark for each trained run;
    an open mark above the last training step (grey line) stands for unsolved runs, and the number
    above it is how many.
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
        note = unsolved_note(solved_at, "\n(open: number of unsolved runs)")
        titles = ("one step", "whole sequence", f"learning{note}")
        for ax, title in zip(row, titles, strict=True):
            ax.set_title(f"{task}, {title}")
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
        if _is_chrono(own).all():
            _level(ax, float(own[column].median()), str(line))
            continue
        own = own.assign(bias=own["cell.forget_bias"].astype(float))
        wide = own.pivot_table(index="bias", columns="seed", values=column)
        seed_lines(ax, wide, STYLES[str(line)], str(line))


def _solved(ax: Axes, runs: pd.DataFrame) -> None:
    """A mark for each run that solved the task, how many did not, and the medians."""
    last_step = float(runs["training.steps"].max())
    ax.axhline(last_step, color="0.6", linewidth=0.6, zorder=0)
    ax.set_ylim(0, 1.18 * last_step)
    numbers = pd.to_numeric(runs["cell.forget_bias"], errors="coerce")
    ax.set_xlim(numbers.min() - 0.5, numbers.max() + 0.5)
    lines = dict(iter(runs.groupby(_line_of(runs))))
    with_bias = [line for line, own in lines.items() if not _is_chrono(own).all()]
    for line, own in lines.items():
        at = own["solved_at"].astype(float)
        if line not in with_bias:
            _level(ax, median_solved_at(at), str(line))
            continue
        medians = at.groupby(own["cell.forget_bias"].astype(float)).apply(median_solved_at)
        finite = medians.replace(np.inf, np.nan)
        look = STYLES[str(line)].line | {"marker": "", "linewidth": 0.8}
        ax.plot(finite.index, finite, **look)
    _runs(ax, {str(line): lines[line] for line in with_bias}, LATE * last_step)
    say_if_none_solved(ax, runs["solved_at"], last_step)


def _runs(ax: Axes, lines: dict[str, pd.DataFrame], late: float) -> None:
    """The marks of the runs, those of a bias side by side by line."""
    room = 0.8 / max(1, len(lines))
    drawn = [
        (line, float(bias) + room * (index - (len(lines) - 1) / 2), steps.astype(float))
        for index, (line, own) in enumerate(lines.items())
        for bias, steps in own.groupby(own["cell.forget_bias"].astype(float))["solved_at"]
    ]
    known = [steps.dropna().to_numpy() for _, _, steps in drawn]
    places, size = beside(ax, known, [middle for _, middle, _ in drawn], room, upright=True)
    for (line, middle, steps), at, where in zip(drawn, known, places, strict=True):
        style = STYLES[line]
        ax.plot(where, at, **style.line | {"linestyle": "", "markersize": size})
        unsolved(ax, middle, late, len(steps) - len(at), style, size, upright=True)


def _level(ax: Axes, value: float, line: str) -> None:
    """A horizontal line for a setting without a single b_f; none where it is not finite."""
    if np.isfinite(value):
        ax.axhline(value, label=math_label(line), **STYLES[line].line | {"marker": ""})
