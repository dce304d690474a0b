"""The comparison for a paper, LaTeX or Markdown, and all its numbers as CSV."""

import re
from collections.abc import Callable, Sequence

import pandas as pd

from rnnlab.report.comparison_views import comparison_views
from rnnlab.report.views import View
from rnnlab.support.csv_text import csv_text
from rnnlab.support.text import printable

MARKDOWN = re.compile(r"([\\|*_`<#~$]|(?<=\])\()")
# Stand for the dollar signs around mathematics until all is written.
BEGIN, END = "\0", "\1"
# Of the text, in this order: numbers with a sign or a power of ten, symbols with an index as in b_f
# and c_t−1, and single characters.
NUMBER = r"(?<![\w.,−-])(?P<sign>[+−-]?)(?P<digits>\d+(?:\.\d+)?)(?:e(?P<power>[+-]\d+))?(?![\w.])"
INDEXED = r"(?<![^\W_])(?P<symbol>[^\W\d_])_(?P<index>[^\W\d_])(?![\w])"
TOKEN = re.compile(f"{NUMBER}|{INDEXED}|(?P<other>.)", re.DOTALL)
ESCAPED = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "–": "--",
}
MATHEMATICAL = {
    **{"→": r"\to", "∞": r"\infty", "×": r"\times", "‖": r"\|", "∂": r"\partial", "−": "-"},
    **{"±": r"\pm", "≤": r"\leq", "≥": r"\geq", "√": r"\surd", "Σ": r"\Sigma", "Π": r"\Pi"},
    **{"σ": r"\sigma", "λ": r"\lambda", "ₜ": "_t", "⁻": "^{-}", "²": "^2", "³": "^3"},
}


def markdown(views: Sequence[View]) -> str:
    """Pipe tables, each after its title and before its caption."""
    return "\n\n".join(map(_markdown_table, views))


def _markdown_table(view: View) -> str:
    lines = [view.columns, [":--", *["--:"] * (len(view.columns) - 1)], *view.rows]
    escape: list[Callable[[str], str]] = [_markdown_text, str, *[_markdown_text] * len(view.rows)]
    table = (
        "| " + " | ".join(map(of, line)) + " |" for of, line in zip(escape, lines, strict=True)
    )
    parts = [f"**{_markdown_text(view.title)}**", "\n".join(table), _markdown_text(view.caption)]
    return "\n\n".join(part for part in parts if part)


def _markdown_text(text: str) -> str:
    return MARKDOWN.sub(r"\\\1", _one_line(text))


def latex(views: Sequence[View]) -> str:
    """Tables with booktabs' rules, each with its title and caption."""
    return "\n\n".join(["% \\usepackage{booktabs}", *map(_latex_table, views)])


def _latex_table(view: View) -> str:
    head, *body = (
        "    " + " & ".join(map(_latex_text, line)) + r" \\" for line in (view.columns, *view.rows)
    )
    caption = " ".join(f"{view.title}. {view.caption}".split())
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            f"  \\caption{{{_latex_text(caption)}}}",
            f"  \\begin{{tabular}}{{l{'r' * (len(view.columns) - 1)}}}",
            r"    \toprule",
            head,
            r"    \midrule",
            *body,
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
        ]
    )


def _latex_text(text: str) -> str:
    """Text in which numbers and symbols are typeset as mathematics, and nothing is a command."""
    typeset = TOKEN.sub(_typeset, _one_line(text)).replace(END + BEGIN, "")
    typeset = typeset.replace(BEGIN, "$").replace(END, "$")
    return f"{{[}}{typeset[1:]}" if typeset.startswith("[") else typeset  # no argument of \\


def _typeset(token: re.Match[str]) -> str:
    if digits := token["digits"]:
        sign = token["sign"].replace("−", "-")
        power = f" \\times 10^{{{int(token['power'])}}}" if token["power"] else ""
        return f"{BEGIN}{sign}{digits}{power}{END}" if sign or power else digits
    if token["symbol"]:
        return f"{BEGIN}{token['symbol']}_{token['index']}{END}"
    character = token["other"]
    if character in MATHEMATICAL:
        return f"{BEGIN}{MATHEMATICAL[character]}{END}"
    return ESCAPED.get(character, character)


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())


# Functions of the table and of the title.
FORMATS: dict[str, Callable[[pd.DataFrame, str], str]] = {
    "latex": lambda table, title: latex(comparison_views(table, title)),
    "markdown": lambda table, title: markdown(comparison_views(table, title)),
    "csv": lambda table, title: csv_text(table),
}
