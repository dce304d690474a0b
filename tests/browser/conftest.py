"""A real browser for the pages: Debian's chromium, which opens files and reaches no network.

Without one these tests skip with that reason; with ``RNNLAB_NEEDS_BROWSER=1``, as in CI, they fail.
"""

import os
import shutil

import numpy as np
import pytest
from random_runs import settings, store

import rnnlab
from rnnlab.report.page.captions import CAPTIONS
from rnnlab.report.page.html import packed
from rnnlab.report.page.report import report_html, write_report

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


SMALL = """
name: small
question: Does a larger forget bias keep ∂c_t/∂c_{t−1} near one?
task: {kind: adding, length: 12}
cell: {kind: lstm, hidden: 4}
training: {steps: 40, batch: 4}
record: {every: 10, examples: 4, jacobians: {every: 20, examples: 2}}
sweep:
  zip:
    - cell: {forget_bias: 0}
    - cell: {forget_bias: 1}
    - cell: {forget_bias: 1, input_bias: tied}
seeds: 2
"""


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """A real run of a few seconds: 3 settings, 2 seeds, Jacobians at 0, 20, 40; and its page."""
    folder = tmp_path_factory.mktemp("small")
    config = folder / "small.yaml"
    config.write_text(SMALL)
    results = rnnlab.run(config, out=folder / "results")
    return results, write_report([results], folder / "report.html", {})


@pytest.fixture(scope="session")
def random_run(tmp_path_factory):
    """Tables drawn at random, two layers, some gradients zero: 4 settings, 3 seeds; and a page."""
    folder = tmp_path_factory.mktemp("random") / "results"
    solved = {"summary": {"solved_at": 12.0}}
    runs = [
        (
            settings(bias, **more),
            seed,
            "finished",
            {"tables": {"layers": 2}, **(solved if seed else {})},
        )
        for bias, more in ((0.0, {}), (1.0, {}), (3.0, {}), (3.0, {"input_bias": "tied"}))
        for seed in (0, 1, 4)
    ]
    store(folder, runs)
    results = rnnlab.load(folder)
    return results, write_report([results], folder / "report.html", {})


@pytest.fixture
def made_page(tmp_path):
    """A function that writes a page of made-up data: of each label a decay, a number in the table.

    ``made_page(labels=…, numbers=…, steps=…)``; any other key replaces that part of the data.
    """

    def write(labels=("a", "b", "c", "d"), numbers=(1, 2, 3, 4), steps=(0, 10), **parts):
        colour = {"light": "#0072b2", "dark": "#5cb0ea"}
        style = {"color": colour, "dash": "solid", "symbol": "circle"}
        values = np.zeros((len(steps), 1, 3)) - np.arange(3)
        curve = {
            "name": "c",
            "group": "decay",
            "xLabel": "steps back in time",
            "label": "log10 ‖∂L/∂c_t‖",
            "short": "‖∂L/∂c_t‖",
            "isLog": True,
            "x": packed(np.arange(3)),
            "steps": list(steps),
            "items": [
                {"setting": i, "seeds": [0], "values": packed(values)}
                | {"records": list(range(len(steps))), "extent": [-2.0, 0.0]}
                for i in range(len(labels))
            ],
        }
        made = dict.fromkeys(("command", "config", "cite", "version"), "x")
        columns = [{"label": label, "meaning": "m", "numeric": False} for label in ("setting", "n")]
        rows = [
            [
                {"text": label, "sort": i},
                {"text": "–" if number is None else str(number), "sort": number},
            ]
            for i, (label, number) in enumerate(zip(labels, numbers, strict=False))
        ]
        data = {
            "title": labels[0],
            "question": labels[0],
            "answer": {"text": labels[-1], "verdict": None, "sentences": [], "evidence": ""},
            "numbers": [],
            "notes": [],
            "settings": [
                style | {"label": label, "shown": i < 12, "beforeTraining": False}
                for i, label in enumerate(labels)
            ],
            "steps": list(steps),
            "curves": [curve],
            "against": None,
            "learning": None,
            "eigenvalues": [],
            "table": {"columns": columns, "rows": rows, "caption": ""},
            "captions": CAPTIONS,
            "made": made | {"environment": [], "files": []},
            "explore": None,
        } | parts
        path = tmp_path / "made.html"
        path.write_text(report_html(data), encoding="utf-8")
        return path

    return write
