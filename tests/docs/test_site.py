"""The built site: every link leads somewhere, and nothing is fetched from elsewhere.

``make docs`` builds it; without it these tests skip, and with ``RNNLAB_NEEDS_SITE=1``, as in CI,
they fail.
"""

import os
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
SITE = ROOT / "site"
# Whole pages of rnnlab's own, which have tests of their own.
OWN = {"instrument.html", "example_report.html"}
# What a browser loads by itself, as opposed to what a reader may click.
LOADED = {("link", "href"), ("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src")}


class Page(HTMLParser):
    """Addresses of a page, by tag and attribute, and the anchors that it has."""

    def __init__(self, path):
        super().__init__()
        self.addresses, self.anchors = [], {""}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src") and value:
                self.addresses.append((tag, name, value))
            if name in ("id", "name") and value:
                self.anchors.add(value)


@pytest.fixture(scope="module")
def pages():
    """By path below the site's folder."""
    if not (SITE / "index.html").exists():
        needed = os.environ.get("RNNLAB_NEEDS_SITE") == "1"
        (pytest.fail if needed else pytest.skip)("no site: make docs")
    paths = (path.relative_to(SITE) for path in SITE.rglob("*.html"))
    shown = [path for path in paths if path.name not in OWN and path.parts[0] != "_static"]
    return {path: Page(SITE / path) for path in shown}


def test_no_link_is_dead(pages):
    dead = []
    for path, page in pages.items():
        for _, _, address in page.addresses:
            url = urlsplit(address)
            if url.scheme or url.netloc:
                continue
            file = (SITE / path.parent / unquote(url.path)) if url.path else SITE / path
            target = Path(os.path.normpath(file)).relative_to(SITE)
            anchor = unquote(url.fragment)
            if not (SITE / target).is_file() or (
                target in pages and anchor not in pages[target].anchors
            ):
                dead.append(f"{path}: {address}")
    assert dead == []


def test_nothing_is_loaded_from_elsewhere(pages):
    loaded = [
        f"{path}: {address}"
        for path, page in pages.items()
        for tag, name, address in page.addresses
        if (tag, name) in LOADED and urlsplit(address).netloc
    ]
    assert loaded == []
    styles = {path.name: path.read_text("utf-8") for path in SITE.rglob("_static/**/*.css")}
    assert [
        name for name, text in styles.items() if re.search(r"url\(['\"]?(https?:)?//", text)
    ] == []


def test_every_page_of_the_documentation_is_there(pages):
    left_out = {"findings_head", "findings_foot"}
    sources = {
        path.relative_to(ROOT / "docs").with_suffix("") for path in (ROOT / "docs").rglob("*.md")
    }
    wanted = {path.with_suffix(".html") for path in sources if path.name not in left_out}
    assert wanted <= set(pages)
    assert {Path("genindex.html"), Path("search.html")} <= set(pages)
