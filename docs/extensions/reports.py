"""The reports of the results that are kept: their pages' data in results/reference, their pages."""

import gzip
import json
from pathlib import Path

from extensions.kept import REFERENCE
from rnnlab.report.page.analyses import analyses
from rnnlab.report.page.html import json_text
from rnnlab.report.page.report import report_data, report_html
from rnnlab.results.read import load

DATA = "report.json.gz"
# Of the data of a page, before compression.
BYTES = 1_200_000
# Of the site, below its root.
REPORTS = "reports"


def keep_report(name: str, source: Path) -> None:
    """Keep the data of the page of a results folder, with thinned curves."""
    results = [load(source)]
    data = report_data(results, *analyses(results), size=BYTES)
    # A time in the file would make it differ each time.
    content = gzip.compress(json_text(data).encode("utf-8"), mtime=0)
    (REFERENCE / name / DATA).write_bytes(content)


def reported() -> list[str]:
    """Those whose data are kept."""
    return sorted(
        str(path.parent.relative_to(REFERENCE).as_posix()) for path in REFERENCE.rglob(DATA)
    )


def page(name: str) -> str:
    """The page of results that are kept."""
    content = gzip.decompress((REFERENCE / name / DATA).read_bytes())
    return report_html(json.loads(content))


def address(name: str) -> str:
    """Where the page is, below the root of the site."""
    return f"{REPORTS}/{name}.html"


def markdown(name: str) -> str:
    """A link to the page from that of the tables; nothing where no data are kept."""
    if name not in reported():
        return ""
    up = "../" * (1 + name.count("/"))
    return f'<p><a href="{up}{address(name)}">The report</a>: all plots, to drag and click.</p>'


def listed() -> str:
    """A link to each of the pages."""
    return "\n".join(f'- <a href="{address(name)}">{name}</a>' for name in reported())
