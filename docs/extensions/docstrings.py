"""Docstrings and signatures as readers of the site should see them."""

import re
from typing import Any

from docutils import nodes
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sphinx import addnodes
from sphinx.application import Sphinx

RETURNS = "Returns:"
ARRAY = "jaxlib._jax.Array"
WRITTEN = {
    re.escape(ARRAY): "Array",
    r"~[\w.]+\.": "",
    r"Array \| ndarray \| bool \| number \| bool \| int \| float \| complex": "ArrayLike",
    r"<function (\w+)>": r"\1",
}
BEFORE_NAPOLEON = 400


def without_type(
    app: Sphinx, what: str, name: str, member: Any, options: Any, lines: list[str]
) -> None:
    """Write what is returned as one text: its words before a colon are no type."""
    if RETURNS not in lines:
        return
    start = lines.index(RETURNS)
    inside = [line.startswith("    ") or not line for line in lines[start + 1 :]]
    end = start + 1 + (inside.index(False) if False in inside else len(inside))
    first, *rest = lines[start + 1 : end]
    lines[start:end] = [f":returns: {first.strip()}", *rest, ""]


def short(
    app: Sphinx,
    what: str,
    name: str,
    member: Any,
    options: Any,
    signature: str | None,
    returned: str | None,
) -> tuple[str | None, str | None]:
    """Write types as the source does, Float[Array, 'time batch']; of options only the defaults."""
    if isinstance(member, type) and issubclass(member, BaseModel):
        fields = member.model_fields.items()
        options = [f"{own.alias or name}{default(own)}" for name, own in fields]
        return f"({', '.join(['*', *options] if options else [])})", None

    return signature and in_short(signature), returned and in_short(returned)


def in_short(text: str) -> str:
    """Types and defaults by the names that the source has for them."""
    for whole, name in WRITTEN.items():
        text = re.sub(whole, name, text)
    return text


def short_properties(app: Sphinx, page: nodes.document) -> None:
    """The same for the types of properties, which no event of autodoc passes on."""
    for signature in page.findall(addnodes.desc_signature):
        for text in list(signature.findall(nodes.Text)):
            if ARRAY in text:
                text.parent.replace(text, nodes.Text(text.replace(ARRAY, "Array")))


def default(option: FieldInfo) -> str:
    """What stands behind an option's name."""
    return "" if option.is_required() else f"={option.get_default()!r}"


def is_left_out(
    app: Sphinx, what: str, name: str, member: Any, skip: bool, options: Any
) -> bool | None:
    """Leave out what others write: of a NamedTuple's fields, and of every pydantic model."""
    says = getattr(member, "__doc__", None) or ""
    return name.startswith("model_") or says.startswith("Alias for field number") or None


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx."""
    app.connect("autodoc-process-docstring", without_type, priority=BEFORE_NAPOLEON)
    app.connect("autodoc-process-signature", short)
    app.connect("autodoc-skip-member", is_left_out)
    app.connect("doctree-read", short_properties)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
