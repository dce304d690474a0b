"""A real browser for the pages: Debian's chromium, which opens files and reaches no network.

Without one these tests skip with that reason; with ``RNNLAB_NEEDS_BROWSER=1``, as in CI, they fail.
"""

import os
import shutil

import pytest

REASON = "no browser: Playwright's Python package and chromium are needed (see CONTRIBUTING.md)"


def chromium_path():
    """The installed browser, or None."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="session")
def browser():
    """Chromium, started once for all tests of a process."""
    needed = os.environ.get("RNNLAB_NEEDS_BROWSER") == "1"
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sync_playwright = None
    if sync_playwright is None or chromium_path() is None:
        (pytest.fail if needed else pytest.skip)(REASON)
    with sync_playwright() as playwright:
        # Chromium's sandbox needs rights that root in a container does not have.
        yield playwright.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox", "--disable-gpu"]
        )


class Watch:
    """What must not happen on a page: console messages, errors, requests.

    Attributes:
        said: messages of the console, and errors that nobody caught.
        requests: addresses other than the page's own file, ``data:`` and ``blob:``.
    """

    def __init__(self, page):
        self.said, self.requests = [], []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", self._note)

    def _note(self, request):
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.requests.append(request.url)


@pytest.fixture
def open_page(browser):
    """A function that opens an HTML file from disk, without a network: ``open_page(path, "#…")``.

    Keyword arguments are Playwright's of a context: ``viewport``, ``color_scheme``. After the test
    nothing must have been said on the console, and no request made.
    """
    contexts, watches = [], []

    def open_one(path, fragment="", **options):
        context = browser.new_context(offline=True, accept_downloads=True, **options)
        page = context.new_page()
        contexts.append(context)
        watches.append(Watch(page))
        page.goto(path.as_uri() + fragment)
        return page

    yield open_one
    for context in contexts:
        context.close()
    for watch in watches:
        assert watch.said == []
        assert watch.requests == []
