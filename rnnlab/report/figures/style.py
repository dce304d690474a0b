"""One look for all figures: readable in black and white and by colour-blind readers."""

import re
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe & Ito 2008, the light yellow left out; dashes and markers tell lines apart without colour.
COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (8, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
RC: Any = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
}
PANEL_WIDTH, PANEL_HEIGHT = 2.4, 2.1
CHARACTERS_PER_INCH = 17
LEGEND_ROW_HEIGHT = 0.16
TITLE_WIDTH = 30
# Where an unsolved run is drawn: at this many times the last training step; and how, alone.
LATE = 1.06
UNSOLVED: Any = {"markerfacecolor": "none"}


def own_style() -> AbstractContextManager[None]:
    """Matplotlib's defaults and ``RC``, whatever the user's ``matplotlibrc`` says."""
    return plt.style.context(RC, after_reset=True)


def not_used() -> list[str]:
    """A sentence on the user's own settings of Matplotlib, if there is a file of them."""
    file = Path(matplotlib.matplotlib_fname())
    if file.is_relative_to(Path(matplotlib.get_data_path())):
        return []
    return [f"{file} is not used: rnnlab draws its figures with settings of its own"]


def line_style(index: int) -> dict[str, Any]:
    """Colour, dashes and marker of the index-th line."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": DASHES[index % len(DASHES)],
        "marker": MARKERS[index % len(MARKERS)],
        "markersize": 3,
        "linewidth": 1.2,
    }


def panels(rows: int, columns: int, **options: Any) -> tuple[Figure, Any]:
    """A grid of axes, always two-dimensional, sized for a paper."""
    with own_style():
        return plt.subplots(
            rows,
            columns,
            squeeze=False,
            layout="constrained",
            figsize=(max(3.4, PANEL_WIDTH * columns), PANEL_HEIGHT * rows + 0.5),
            **options,
        )


def panel_for_each(settings: Sequence[str], **options: Any) -> tuple[Figure, list[Axes]]:
    """A grid with one titled panel a setting."""
    columns = 2 if len(settings) == 4 else min(3, len(settings))
    figure, axes = panels(-(-len(settings) // columns), columns, **options)
    for ax in list(axes.flat)[len(settings) :]:
        ax.set_visible(False)
    used = list(axes.flat)[: len(settings)]
    for ax, setting in zip(used, settings, strict=True):
        ax.set_title(title_label(setting, TITLE_WIDTH))
    return figure, used


def title_label(setting: str, width: int) -> str:
    """``math_label`` in lines of so many characters, none of which begins with an equals sign."""
    unbroken = setting.replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
    lines = textwrap.wrap(unbroken, width)
    return "\n".join(map(math_label, lines)).replace("\N{NO-BREAK SPACE}", " ")


def math_label(setting: str) -> str:
    """A setting's label with its symbols typeset, and all else as it is written.

    Matplotlib leaves labels that begin with an underscore out of legends; a space prevents it.
    """
    literal = setting.replace("$", r"\$")
    spaced = f" {literal}" if literal.startswith("_") else literal
    return re.sub(r"\bb_([fiz])\b", r"$b_\1$", spaced)


def symbol(name: str) -> str:
    """The name of a gate or of a part of the state as mathtext, without the $ signs."""
    if len(name) == 1 and name.isalnum():
        return name
    literal = re.sub(r"\W", "?", name).replace("_", r"\_")
    return rf"\mathrm{{{literal}}}"


def safe_name(name: str) -> str:
    """The name of a gate or of a part of the state as a part of a file name."""
    return re.sub(r"[^\w.-]", "_", name)


def log10_of_gradient(quantity: str) -> str:
    """The label of log10‖∂L/∂·_t‖₂ for a part of the state."""
    return rf"$\log_{{10}}\,\|\partial L/\partial {symbol(quantity)}_t\|_2$"


def step_title(step: int) -> str:
    """The training step in words; −1 stands for weights that a user brought."""
    if step < 0:
        return "weights as given"
    return "before training" if step == 0 else f"after {step} updates"


def seed_band(ax: Axes, wide: pd.DataFrame, index: int, label: str) -> None:
    """Median over seeds as a line, smallest to largest as a band; both end where not finite.

    Without a finite median nothing is drawn, and the legend has no entry.

    Args:
        ax: where to draw.
        wide: x as index, one column a seed.
        index: which line style.
        label: for the legend.
    """
    style = line_style(index)
    with np.errstate(invalid="ignore"):
        median = wide.median(axis=1)
    finite = median[np.isfinite(median)]
    if finite.empty:
        return
    between_marks = max(1, len(finite) // 5)
    ax.plot(
        finite.index,
        finite,
        label=math_label(label),
        markevery=(index * between_marks // 7 % between_marks, between_marks),
        **style,
    )
    if wide.shape[1] > 1:
        low, high = wide.min(axis=1), wide.max(axis=1)
        finite = np.isfinite(low) & np.isfinite(high)
        ax.fill_between(
            wide.index, low, high, where=finite, color=style["color"], alpha=0.12, linewidth=0
        )


def marks(
    ax: Axes, values: pd.Series, names: pd.Series, order: Sequence[str], late: float = np.nan
) -> None:
    """A mark a run, a row for each name; open at ``late`` where a run has no value.

    Args:
        ax: where to draw.
        values: one a run.
        names: in which row each run is, with the same index.
        order: of the rows.
        late: x of those without a value; default they are left out.
    """
    for index, name in enumerate(order):
        own = values[names == name].to_numpy(float)
        rows = index + 0.6 * (np.arange(len(own)) - (len(own) - 1) / 2) / max(1, len(own))
        style = line_style(index) | {"linestyle": "", "markersize": 4}
        ax.plot(own, rows, **style)
        missing = np.isnan(own)
        is_open = style | UNSOLVED | {"markeredgewidth": 0.6}
        ax.plot(np.full(missing.sum(), late), rows[missing], **is_open)


def unsolved_note(solved_at: pd.Series, note: str) -> str:
    """The note on open marks if a run is unsolved, and so has one; else an empty text."""
    return note if solved_at.isna().any() else ""


def figure_legend(figure: Figure, axes: Sequence[Axes], settings: Sequence[str]) -> None:
    """One legend for all axes, below them: the settings in order, then anything else."""
    entries: dict[str, Any] = dict.fromkeys(map(math_label, settings))
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        entries |= dict(zip(labels, handles, strict=True))
    drawn = {label: handle for label, handle in entries.items() if handle is not None}
    if not drawn:
        return
    longest = max(len(label.replace("$", "")) for label in drawn)
    columns = max(1, int(CHARACTERS_PER_INCH * figure.get_figwidth() / (10 + longest)))
    rows = -(-len(drawn) // columns)
    figure.set_figheight(figure.get_figheight() + LEGEND_ROW_HEIGHT * max(0, rows - 2))
    figure.legend(
        list(drawn.values()),
        list(drawn),
        loc="outside lower center",
        ncols=columns,
        fontsize=7,
        frameon=False,
        handlelength=3.5,
    )
