"""The instrument and an example of a report: pages of rnnlab's own, made as the site is built.

They are made again when the code has changed since.
"""

import subprocess
import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "build" / "pages"
INSTRUMENT, REPORT = PAGES / "instrument.html", PAGES / "example_report.html"
SOURCES = ("rnnlab", "configs", "experiments", "docs/extensions/whole_pages.py")
# The demo, in a size that takes seconds.
EXAMPLE = (
    "run forget_bias task.length=50 cell.hidden=16 training.steps=300 record.every=30 "
    "record.jacobians.every=90 seeds=2 before_training.seeds=3 --out build/example"
)


def command() -> str:
    """How to make the example."""
    return f"```bash\nrnnlab {EXAMPLE}\n```"


def make(app: Sphinx) -> None:
    """Write both pages, where they are older than what makes them."""
    PAGES.mkdir(parents=True, exist_ok=True)
    if is_old(INSTRUMENT):
        run("explore", "--out", str(INSTRUMENT))
    if is_old(REPORT):
        run(*EXAMPLE.split(), "--no-report")
        run("report", "build/example", "--out", str(REPORT))


def is_old(page: Path) -> bool:
    """Whether it is missing, or some source is newer."""
    files = (file for name in SOURCES for file in [ROOT / name, *(ROOT / name).rglob("*")])
    newest = max(file.stat().st_mtime for file in files if file.suffix != ".pyc" and file.is_file())
    return not page.exists() or page.stat().st_mtime < newest


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
