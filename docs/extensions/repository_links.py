"""Links to files of the repository, as they stand for readers there, become links of the site.

A file that is a page here is linked as that page, any other is copied beside the pages. A link that
leads nowhere is left as it is, and MyST warns of it.
"""

import os
import re
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "benchmarks/README.md": "benchmarks.md",
    "benchmarks/RESULTS.md": "benchmark_results.md",
}
BUNDLED = re.compile(r"configs/([\w/]+)\.yaml")
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")
# A link that is named after a page's file gets the page's title.
FILE_NAME = re.compile(r"\[[\w./-]+\.md\](?=\((?![a-z]+:)[^)\s#]+\.md(?:#[^)\s]*)?\))")


def page_of(file: str) -> str | None:
    """The page of the site that shows a file of the repository."""
    if bundled := BUNDLED.fullmatch(file):
        return f"reference/configs.md#{bundled[1].replace('/', '')}"
    return PAGES.get(file)


def on_site(text: str, home: Path, folder: Path) -> str:
    """Change the links of a text.

    Args:
        text: Markdown.
        home: the folder that its links start from.
        folder: that of the page which shows it.
    """

    def changed(link: re.Match[str]) -> str:
        target = (home / link[1]).resolve()
        if not target.is_relative_to(ROOT):
            return link[0]
        page = page_of(target.relative_to(ROOT).as_posix())
        if page is not None:
            return os.path.relpath(ROOT / "docs" / page, folder) + (link[2] or "")
        return os.path.relpath(target, folder) + (link[2] or "")

    return FILE_NAME.sub("[]", LINK.sub(changed, text))


def of_page(app: Sphinx, docname: str, content: list[str]) -> None:
    """Change the links of a page of the site."""
    file = Path(app.env.doc2path(docname))
    if file.suffix == ".md":
        content[0] = on_site(content[0], file.parent, file.parent)


def of_included(app: Sphinx, path: Path, docname: str, content: list[str]) -> None:
    """Change the links of a file that a page at the root of docs/ includes."""
    content[0] = on_site(content[0], (app.srcdir / path).parent, Path(app.srcdir))


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx."""
    app.connect("source-read", of_page)
    app.connect("include-read", of_included)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
