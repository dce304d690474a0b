"""A figure of a page is a link to its file, where it can be read at its own size."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def visit(writer: HTML5Translator, node: nodes.image) -> None:
    """Write the image, in a link unless it is in one."""
    start = len(writer.body)
    HTML5Translator.visit_image(writer, node)
    if not isinstance(node.parent, nodes.reference):
        link = f'<a class="whole-figure" href="{node["uri"]}">'
        writer.body[start:] = [link, *writer.body[start:], "</a>"]


def depart(writer: HTML5Translator, node: nodes.image) -> None:
    """Close it."""
    HTML5Translator.depart_image(writer, node)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx."""
    app.add_node(nodes.image, override=True, html=(visit, depart))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
