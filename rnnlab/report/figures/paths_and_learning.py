"""What the initial forget bias does to one step, to the whole sequence and to learning."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.figures.palette import Style, category
from rnnlab.report.figures.seeds import beside
from rnnlab.report.figures.style import panels, title_label

# What is drawn of one step, and how it is called.
NAMES = {"total": "total", "direct": "direct, $f_t$", "indirect": "indirect, through $h_{t-1}$"}
TIED = {False: "$b_i$ = 0", True: "$b_i$ = −$b_f$"}
PARTS = {name: category(index) for index, name in enumerate(NAMES)}
LINES = {tied: category(len(PARTS) + tied) for tied in TIED}
MARK: Any = {"linestyle": "", "markersize": 4}
WIDTH, HEIGHT, LABEL_WIDTH = 7.0, 4.8, 19
# Chrono has no single b_f: its place is this far right of the greatest.
APART = 1.5


def paths_and_learning(
    before: pd.DataFrame, ended: pd.DataFrame, paths: Mapping[str, str], left: str
) -> Figure:
    """One step by path, the whole sequence, and when runs solved the task, against b_f.

    Above, spectral norms of ∂c_t/∂c_{t−1} before training: of all paths together (total), of the
    direct path alone (the greatest f_t of a unit) and of the indirect paths together; on the left
    with b_i = 0, on the right with b_i = −b_f. Below left, what is left of the gradient at the
    first step. Lines go through medians over seeds, dashes are single seeds; on the grey lines the
    gradient keeps its size. Below right, a mark for each trained run that solved the task.

    Args:
        before: one row a run before training: the columns of ``Results.runs``, those of ``paths``
            and ``left``.
        ended: the trained runs that ended, as in ``Results.runs``.
        paths: the columns of mean spectral norms, by the keys of ``NAMES``.
        left: column of log10 ‖∂c_T/∂c_0‖₂.
    """
    figure, axes = panels(2, 2)
    figure.set_size_inches(WIDTH, HEIGHT)
    places = _places(before)
    for ax, tied in zip(axes[0], TIED, strict=True):
        own = before[_is_tied(before) == tied]
        ax.set_visible(not own.empty)
        for name, label in NAMES.items():
            _line(ax, own, places, paths[name], PARTS[name], label)
        ax.set_title(f"one step, {TIED[tied]}")
        ax.set_ylabel(r"spectral norm, mean over $t \geq 1$")
        ax.axhline(1, color="0.6", linewidth=0.6, zorder=0)
    axes[0, 1].sharey(axes[0, 0])
    axes[0, 0].set_ylim(bottom=0)
    axes[0, 1].set_ylabel("")
    axes[0, 0].legend(fontsize=7, title=r"part of $\partial c_t/\partial c_{t-1}$")
    for tied, label in TIED.items():
        _line(axes[1, 0], before[_is_tied(before) == tied], places, left, LINES[tied], label)
    axes[1, 0].set_title("whole sequence")
    axes[1, 0].set_ylabel(r"$\log_{10}\,\|\partial c_T/\partial c_0\|_2$")
    axes[1, 0].axhline(0, color="0.6", linewidth=0.6, zorder=0)
    axes[1, 0].legend(fontsize=7)
    for ax in (*axes[0], axes[1, 0]):
        ax.set_xticks(list(places.values()), list(map(str, places)))
        ax.set_xlabel("initial forget bias $b_f$")
    _solved(axes[1, 1], ended)
    return figure


def _is_tied(runs: pd.DataFrame) -> pd.Series:
    return runs["cell.input_bias"] == "tied"


def _places(runs: pd.DataFrame) -> dict[str, float]:
    """Where on the axis each bias is, by its name."""
    values = runs["cell.forget_bias"].unique()
    numbers = sorted({float(value) for value in values if value != "chrono"})
    places = {f"{number:g}": number for number in numbers}
    if "chrono" in values:
        places["chrono"] = numbers[-1] + APART if numbers else 0.0
    return places


def _line(
    ax: Axes, runs: pd.DataFrame, places: Mapping[str, float], column: str, style: Style, label: str
) -> None:
    """Medians of a column over seeds, joined where b_f is a number, and the single seeds."""
    names = runs["cell.forget_bias"].map(lambda value: value if value == "chrono" else f"{value:g}")
    x = names.map(places)
    dash: Any = {"color": style.light, "linestyle": "", "marker": "_", "markeredgewidth": 0.5}
    ax.plot(x, runs[column], markersize=4, alpha=0.5, **dash)
    medians = runs[column].groupby(x).median()
    joined = medians[medians.index != places.get("chrono")]
    ax.plot(joined.index, joined, color=style.light, linewidth=1.2)
    ax.plot(medians.index, medians, label=label, **style.line | MARK)


def _solved(ax: Axes, runs: pd.DataFrame) -> None:
    """A row for each setting: a mark for each run that solved the task, and their number."""
    settings = list(runs["setting"].cat.categories)
    last_step = float(runs["training.steps"].max())
    ax.set_xlim(0, 1.2 * last_step)
    ax.set_ylim(len(settings) - 0.5, -0.5)
    rows = [runs[runs["setting"] == setting] for setting in settings]
    solved = [own["solved_at"].dropna().to_numpy(float) for own in rows]
    places, size = beside(ax, solved, range(len(rows)))
    for row, (own, at) in enumerate(zip(rows, solved, strict=True)):
        style = LINES[bool(_is_tied(own).any())]
        ax.plot(at, places[row], **style.line | MARK | {"markersize": size})
        ax.text(1.03 * last_step, row, f"{len(at)} of {len(own)}", va="center", fontsize=7)
    ax.axvline(last_step, color="0.6", linewidth=0.6, zorder=0)
    labels = [title_label(name, LABEL_WIDTH) for name in settings]
    ax.set_yticks(range(len(settings)), labels, fontsize=7)
    ax.set_xlabel("solved at training step")
    ax.set_title("learning, and how many runs solved the task")
