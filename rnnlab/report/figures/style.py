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
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

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
# Characters that the line and the gaps of an entry take.
LEGEND_HANDLE = 11
TITLE_WIDTH = 30


def own_style() -> AbstractContextManager[None]:
    """Matplotlib's defaults and ``RC``, whatever the user's ``matplotlibrc`` says."""
    return plt.style.context(RC, after_reset=True)


def not_used() -> list[str]:
    """A sentence on the user's own settings of Matplotlib, if there is a file of them."""
    file = Path(matplotlib.matplotlib_fname())
    if file.is_relative_to(Path(matplotlib.get_data_path())):
        return []
    return [f"{file} is not used: rnnlab draws its figures with settings of its own"]


def panels(
    rows: int, columns: int, height: float = PANEL_HEIGHT, **options: Any
) -> tuple[Figure, Any]:
    """A grid of axes, always two-dimensional, sized for a paper; heights of rows are in inches."""
    with own_style():
        return plt.subplots(
            rows,
            columns,
            squeeze=False,
            layout="constrained",
            figsize=(max(3.4, PANEL_WIDTH * columns), height * rows + 0.4),
            **options,
        )


def row_height(many: int) -> float:
    """Inches of a panel with a row of marks for each of so many settings."""
    return max(PANEL_HEIGHT, 0.5 + 0.25 * many)


def panel_for_each(settings: Sequence[str], **options: Any) -> tuple[Figure, list[Axes]]:
    """A grid with one titled panel a setting."""
    columns = 2 if len(settings) == 4 else min(3 if len(settings) < 10 else 4, len(settings))
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


def figure_legend(figure: Figure, axes: Sequence[Axes], settings: Sequence[str]) -> None:
    """One legend for all axes, below them: the settings in order, then anything else.

    The figure grows by its height, so that it takes nothing from the axes. Axes in which nothing
    is drawn say so.
    """
    for ax in axes:
        say_if_empty(ax)
    entries: dict[str, Any] = dict.fromkeys(map(math_label, settings))
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        entries |= dict(zip(labels, handles, strict=True))
    drawn = {label: handle for label, handle in entries.items() if handle is not None}
    if not drawn:
        return
    characters = int(CHARACTERS_PER_INCH * figure.get_figwidth())
    texts = [_wrapped(label, characters - LEGEND_HANDLE) for label in drawn]
    columns = _columns([len(_as_printed(label)) for label in drawn], characters)
    rows = -(-len(drawn) // columns) + sum(text.count("\n") for text in texts)
    figure.set_figheight(figure.get_figheight() + LEGEND_ROW_HEIGHT * rows)
    legend = figure.legend(
        list(drawn.values()),
        texts,
        loc="outside lower center",
        ncols=columns,
        fontsize=7,
        frameon=False,
        handlelength=3.5,
    )
    for handle in legend.legend_handles:
        if isinstance(handle, Line2D):
            handle.set_markersize(4)


def _wrapped(label: str, width: int) -> str:
    """A label in lines of so many characters, broken at spaces only, which symbols have none of."""
    lines = textwrap.wrap(label, width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines) if len(label) > width else label


def _as_printed(label: str) -> str:
    """A label with about as many characters as its typeset form."""
    return re.sub(r"[${}^_,]", "", re.sub(r"\\(?:mathrm|,)", "", re.sub(r"\\[a-z]+", "x", label)))


def _columns(lengths: Sequence[int], characters: int) -> int:
    """How many columns of entries with so many characters are not wider than the figure."""
    for columns in range(len(lengths), 1, -1):
        widest = [own.max() + LEGEND_HANDLE for own in np.array_split(lengths, columns)]
        rows = -(-len(lengths) // columns)
        if sum(widest) <= characters and columns == -(-len(lengths) // rows):
            return columns
    return 1


def say_if_empty(ax: Axes, words: str = "no finite value") -> None:
    """Write so into axes that are visible and show no data, lines of reference aside."""
    lines = (line for line in ax.get_lines() if line.get_transform() == ax.transData)
    shown = (np.isfinite(np.asarray(line.get_ydata(), float)).any() for line in lines)
    if ax.get_visible() and not ax.collections and not any(shown):
        ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center", color="0.4")
