"""The instrument, and reports of results that are kept: pages of rnnlab's own.

They are made as the site is built, and again when the code or the results have changed since.
"""

import subprocess
import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from extensions.reports import address, page, reported

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "build" / "pages"
INSTRUMENT = PAGES / "instrument.html"
SOURCES = ("rnnlab", "results/reference", "docs/extensions")


def make(app: Sphinx) -> None:
    """Write the pages that are older than what makes them."""
    PAGES.mkdir(parents=True, exist_ok=True)
    if is_old(INSTRUMENT):
        run("explore", "--out", str(INSTRUMENT))
    for name in reported():
        to = PAGES / address(name)
        if is_old(to):
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text(page(name), encoding="utf-8")


def is_old(made: Path) -> bool:
    """Whether it is missing, or some source is newer."""
    files = (file for name in SOURCES for file in [ROOT / name, *(ROOT / name).rglob("*")])
    newest = max(file.stat().st_mtime for file in files if file.suffix != ".pyc" and file.is_file())
    return not made.exists() or made.stat().st_mtime < newest


def run(*arguments: str) -> None:
    """A command of rnnlab, in the repository's folder."""
    ended = subprocess.run(
        [sys.executable, "-m", "rnnlab", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    if ended.returncode != 0:
        raise ExtensionError(f"rnnlab {' '.join(arguments)}: {ended.stderr}")


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx."""
    app.connect("builder-inited", make)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
