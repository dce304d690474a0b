"""Indices and powers in running text, as in b_f, c_{t−1} or 10^−3, are set low and high.

The sources keep this notation, which reads the same everywhere. Code and formulas stay as they are.
"""

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform

# An index follows one letter, a bracket, as in (h, c)_t, or what is differentiated, as in dc_t and
# ∂state_t; other names, such as forget_bias, have none. The 10 of log10 is one, too.
NOTATION = re.compile(
    r"(?P<base>(?<![A-Za-z0-9_])d?[A-Za-z\u0391-\u03c9]|(?<=∂)[a-z]+|[)·‖])"
    r"_(?P<index>\{[^{}]+\}|t[−-]1|[A-Za-z0-9]+)(?![A-Za-z0-9_]|\.[A-Za-z])"
    r"|(?<![A-Za-z0-9_])(?P<log>log)(?P<ten>10)(?![A-Za-z0-9_])"
    r"|(?<=[\w)])\^(?P<power>\([^()]+\)|[−±-]*(?:\d+\.)?\d+|[A-Za-z]+)"
)
KEPT = (
    nodes.literal,
    nodes.FixedTextElement,
    nodes.math,
    nodes.raw,
    addnodes.desc_signature,
    addnodes.literal_strong,
    addnodes.literal_emphasis,
)


def set_low_and_high(text: str) -> Iterator[nodes.Node]:
    """The pieces of a text."""
    end = 0
    for found in NOTATION.finditer(text):
        before = text[end : found.start()] + (found["base"] or found["log"] or "")
        if before:
            yield nodes.Text(before)
        if power := found["power"]:
            yield nodes.superscript("", power.strip("()"))
        else:
            yield nodes.subscript("", (found["index"] or found["ten"]).strip("{}"))
        end = found.end()
    if text[end:]:
        yield nodes.Text(text[end:])


class Subscripts(SphinxTransform):
    """Every text of a page, and so its title in menus, too."""

    default_priority = 870  # before titles are collected

    def apply(self) -> None:
        """Change the page."""
        change(self.document)


class SubscriptsOfLinks(SphinxPostTransform):
    """Titles of other pages, which stand for links without words."""

    default_priority = 500

    def run(self, **options: Any) -> None:
        """Change the page."""
        change(self.document)


def change(page: nodes.document) -> None:
    """Put its pieces in place of each text."""
    for text in list(page.findall(nodes.Text)):
        if NOTATION.search(text) and not is_kept(text):
            text.parent.replace(text, list(set_low_and_high(text)))


def is_kept(text: nodes.Text) -> bool:
    """Whether a text stands inside code or a formula, or names a field of a class."""
    around, node = [], text.parent
    while node is not None:
        around.append(node)
        node = node.parent
    is_field = isinstance(text.parent, nodes.strong) and any(
        isinstance(node, nodes.field) for node in around
    )
    return is_field or any(isinstance(node, KEPT) for node in around)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx."""
    app.add_transform(Subscripts)
    app.add_post_transform(SubscriptsOfLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
