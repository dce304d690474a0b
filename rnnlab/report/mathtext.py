"""Matplotlib's labels as plotly writes them: HTML of its few tags, with Unicode for symbols."""

import re
from html import escape

SYMBOLS = {
    r"\partial ": "∂",
    r"\sigma": "σ",
    r"\log": "log",
    r"\geq": "≥",
    r"\leq": "≤",
    r"\mathrm": "",
    r"\|": "‖",
    r"\,": " ",
    r"\_": "_",
    r"\ ": " ",
}
_COMMANDS = re.compile("|".join(map(re.escape, SYMBOLS)))
# Not the underscore of a name, which is written with a backslash.
_SUB = re.compile(r"(?<!\\)_(?:\{((?:[^{}]|\{[^{}]*\})*)\}|(\\?\w))")
_SUPER = re.compile(r"\^(?:\{((?:[^{}]|\{[^{}]*\})*)\}|(\w))")
_DOLLAR = re.compile(r"(?<!\\)\$")


def as_html(label: str) -> str:
    """A label with mathematics between dollar signs; all else is text without markup."""
    parts = _DOLLAR.split(label)
    written = [
        _mathematics(part) if index % 2 else escape(part.replace(r"\$", "$"), quote=False)
        for index, part in enumerate(parts)
    ]
    return "".join(written).strip().replace("\n", "<br>")


def _mathematics(text: str) -> str:
    text = escape(text, quote=False)
    text = _SUB.sub(lambda found: f"<sub>{found[1] or found[2]}</sub>", text)
    text = _SUPER.sub(lambda found: f"<sup>{found[1] or found[2]}</sup>", text)
    text = _COMMANDS.sub(lambda found: SYMBOLS[found[0]], text)
    return re.sub(r"(?<!\\)[{}]", "", text).replace("-", "−")
