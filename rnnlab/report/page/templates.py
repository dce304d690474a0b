"""The markup of a page, from templates that escape every text."""

import json
import re
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from rnnlab.report.page.html import ASSETS

# What follows _ after one letter, as in b_f, ∂c_{t−1}, dc_t, (h, c)_t; and the 10 of log10.
SUBSCRIPT = re.compile(
    r"((?<![A-Za-z_])d?[A-Za-z]|\))_(\{[^{}]+\}|[A-Za-z0-9]+(?![A-Za-z0-9_]))|\b(log)(10)(?!\d)"
)
WORD = re.compile(r"\{(\w+)\}")
INTERVAL = re.compile(r"\[[^\]]*\]")


def render(template: str, **values: Any) -> str:
    """The HTML that a template of the assets gives with these values."""
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "rich": rich,
        "worded": worded,
        "unbroken": unbroken,
        "json": json.dumps,
    }
    return environment.get_template(template).render(values)


def rich(text: str) -> Markup:
    """A text with its subscripts."""
    return Markup(SUBSCRIPT.sub(_subscript, str(escape(text))))


def _subscript(found: re.Match[str]) -> str:
    before, below = found[1] or found[3], found[2] or found[4]
    return f"{before}<sub>{below.strip('{}')}</sub>"


def worded(text: str) -> Markup:
    """A text with its subscripts, and with places for the words that it names in braces."""
    return Markup(WORD.sub(r'<span data-word="\1"></span>', str(rich(text))))


def unbroken(text: str) -> Markup:
    """A cell of a table: an interval in one piece, and a line for what follows an arrow."""
    whole = INTERVAL.sub(lambda found: found[0].replace(" ", "\u00a0"), text)
    return rich(whole.replace(" → ", "\n→ "))
