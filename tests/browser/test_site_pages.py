"""Pages of the built site in a browser: nothing is asked for, and nothing is wider than a phone."""

import os
from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "site"
PAGES = ("index", "findings", "findings/chrono", "tutorial", "reference/api/gradients", "config")
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone_and_asks_for_nothing(browser, name):
    """Of the console only errors are judged: the theme says there whether it is light or dark."""
    file = SITE / f"{name}.html"
    if not file.exists():
        needed = os.environ.get("RNNLAB_NEEDS_SITE") == "1"
        (pytest.fail if needed else pytest.skip)("no site: make docs")
    context = browser.new_context(offline=True, viewport={"width": 400, "height": 800})
    page = context.new_page()
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: wrong.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_load_state("load")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert wrong == []
    assert page.evaluate(TOO_WIDE) <= 0
    context.close()
