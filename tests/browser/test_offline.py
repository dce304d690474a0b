"""The file of a page by itself: opened from disk, its modules load and its policy holds."""

import pytest

from rnnlab.report.page.html import page_html

pytestmark = pytest.mark.browser


def test_modules_are_joined_and_nothing_is_loaded(tmp_path, open_page):
    path = tmp_path / "page.html"
    path.write_text(page_html("x", "<main></main>", "data.js", {"a": 1}), encoding="utf-8")
    page = open_page(path)
    assert page.evaluate("import('rnnlab/data.js').then((m) => m.data.a)") == 1
    assert page.evaluate("Plotly.version") == "4.1.1"
