"""Cells of notebooks that write a config are shown as plain text, since they are no Python.

Their first line, which Jupyter reads, is no YAML either; readers copy it, so it stays.
"""

from docutils import nodes
from sphinx.application import Sphinx


def as_text(app: Sphinx, page: nodes.document) -> None:
    """Change the language of each such cell."""
    for block in page.findall(nodes.literal_block):
        first = block.astext().partition("\n")[0]
        if first.startswith("%%writefile") and first.endswith(".yaml"):
            block["language"] = "text"


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx."""
    app.connect("doctree-read", as_text)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
