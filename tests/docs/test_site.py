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
from extensions.reports import reported
from extensions.subscripts import set_low_and_high

ROOT = Path(__file__).parents[2]
SITE = ROOT / "site"
# Whole pages of rnnlab's own, which have tests of their own.
OWN = {"instrument.html"}
REPORTS = SITE / "reports"
# What a browser loads by itself, as opposed to what a reader may click.
LOADED = {("link", "href"), ("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src")}


# Where symbols are written as they are typed: code, names of arguments (bold), outputs of a
# notebook, the browser's tab.
AS_TYPED = {"code", "strong", "pre", "dt", "script", "style", "title", "table.dataframe"}
RAW_INDEX = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z]_(\{|[A-Za-z0-9]\b)|\)_\w|\d\^[−-]?\d")


class Page(HTMLParser):
    """Addresses of a page, by tag and attribute, its anchors, and the symbols it left raw."""

    def __init__(self, path):
        super().__init__()
        self.addresses, self.anchors, self.raw, self.inside = [], {""}, [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_data(self, text):
        if not self.inside and (found := RAW_INDEX.search(text)):
            self.raw.append(text[max(0, found.start() - 30) : found.end() + 30])

    def handle_endtag(self, tag):
        if self.inside and tag == self.inside[-1].partition(".")[0]:
            self.inside.pop()

    def handle_starttag(self, tag, attributes):
        kind = f"{tag}.{dict(attributes).get('class')}"
        if tag in AS_TYPED or kind in AS_TYPED or (self.inside and tag == self.inside[-1][:5]):
            self.inside.append(kind)
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
    shown = [
        path
        for path in paths
        if path.name not in OWN and path.parts[0] not in ("_static", REPORTS.name)
    ]
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


def test_each_kept_report_is_a_page_and_linked_from_its_tables(pages):
    made = {p.relative_to(REPORTS).with_suffix("").as_posix() for p in REPORTS.rglob("*.html")}
    assert made == set(reported()) >= {"forget_bias"}
    for name in made:
        path = Path("findings") / f"{name}.html"
        linked = {
            os.path.normpath(path.parent / address)
            for tag, key, address in pages[path].addresses
            if (tag, key) == ("a", "href")
        }
        assert f"reports/{name}.html" in linked


def test_symbols_in_texts_and_menus_have_indices(pages):
    """No c_{t−1}, b_f or 10^−3 is left as it is typed."""
    raw = {str(path): page.raw for path, page in pages.items() if page.raw}
    assert raw == {}


def test_a_symbol_is_known_by_its_index():
    for text, expected in {
        "∂c_t/∂c_{t−1}, dc_t": "∂c[t]/∂c[t−1], dc[t]",
        "∂(h, c)_k/∂state_{t-1}": "∂(h, c)[k]/∂state[t-1]",
        "σ(b_f)^(T−t) γ^k 10^−9.9 log10(2)": "σ(b[f])^T−t^ γ^k^ 10^−9.9^ log[10](2)",
        "forget_bias log10_mean own.py a_b.py n_ x": "forget_bias log10_mean own.py a_b.py n_ x",
    }.items():
        pieces = []
        for node in set_low_and_high(text):
            marks = {"subscript": "[{}]", "superscript": "^{}^"}.get(node.tagname, "{}")
            pieces.append(marks.format(node.astext()))
        assert "".join(pieces) == expected
