"""Collects the answers of the claims and of published results, and writes docs/findings.md.

python docs/findings.py names      the configs that test a claim
python docs/findings.py long       those that do so at long lags
python docs/findings.py papers     the published results, reduced where they take long
python docs/findings.py collect    from results/ into results/reference/, then the pages
python docs/findings.py            the pages, from results/reference/
"""

import argparse
import json
import shutil

from extensions.cards import cards, summary, tables_page
from extensions.kept import PAPERS, REFERENCE, ROOT, VERSION, config_of, figure_names
from extensions.reports import keep_report
from extensions.sources import REDUCED

from rnnlab.report.figure_files import CAPTIONS
from rnnlab.report.figures.captions import captions_text, read_captions
from rnnlab.support.bundled import config_names

RESULTS, DOCS = ROOT / "results", ROOT / "docs"
PAGE, HEAD, FOOT = (DOCS / f"findings{part}.md" for part in ("", "_head", "_foot"))
KEPT = (
    "compare.csv",
    "config.yaml",
    "environment.json",
    "findings.txt",
    "numbers.csv",
    "verdict.json",
)
# Of the others only the figure of the claim, which is named after its analysis.
WITH_ALL_FIGURES = ("forget_bias",)
RAW = argparse.RawDescriptionHelpFormatter
COMMANDS = ("names", "long", "papers")
LONG = "_long"


def analysed() -> list[str]:
    """The configs that come to a verdict: claims, then papers."""
    found = [name for name in config_names() if config_of(name).analysis is not None]
    return sorted(found, key=lambda name: (name.startswith(PAPERS), name))


def configs(command: str) -> list[str]:
    """The configs of a command, see above."""
    papers = [name for name in analysed() if name.startswith(PAPERS)]
    claims = [name for name in analysed() if name not in papers]
    return {
        "names": [name for name in claims if not name.endswith(LONG)],
        "long": [name for name in claims if name.endswith(LONG)],
        "papers": [name for name in papers if name + REDUCED not in papers],
    }[command]


def collect(name: str) -> None:
    """Keep what a run's findings are and what its page shows, without its data."""
    source, to = RESULTS / config_of(name).name, REFERENCE / name
    (to / "figures").mkdir(parents=True, exist_ok=True)
    figures = sorted(path.name for path in (source / "figures").glob("*.png"))
    if name not in WITH_ALL_FIGURES:
        figures = [figure for figure in figures if figure in figure_names(name)]
    for file in (*KEPT, *(f"figures/{figure}" for figure in figures)):
        shutil.copyfile(source / file, to / file)
    drawn = read_captions((source / "figures" / CAPTIONS).read_text(encoding="utf-8"))
    own = {figure.removesuffix(".png"): drawn[figure] for figure in figures}
    (to / "figures" / CAPTIONS).write_text(captions_text(figures, own), encoding="utf-8")
    keep_report(name, source)
    experiment = json.loads((source / "experiment.json").read_text(encoding="utf-8"))
    (to / f"{VERSION}.txt").write_text(f"{experiment[VERSION]}\n", encoding="utf-8")


def answered() -> list[str]:
    """Those that are in results/reference."""
    return [name for name in analysed() if (REFERENCE / name / "verdict.json").exists()]


def page() -> str:
    """Docs/findings.md: head, summary, cards, foot."""
    head, foot = (part.read_text(encoding="utf-8").strip() for part in (HEAD, FOOT))
    return "\n\n".join([head, summary(answered()), cards(answered()), foot]) + "\n"


def write() -> None:
    """Write the page, and one of tables for each."""
    PAGE.write_text(page(), encoding="utf-8")
    for name in answered():
        to = DOCS / "findings" / f"{name}.md"
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(tables_page(name), encoding="utf-8")


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=RAW)
    parser.add_argument("command", nargs="?", choices=(*COMMANDS, "collect"))
    command = parser.parse_args().command
    if command in COMMANDS:
        print(*configs(command))
        return
    if command == "collect":
        for name in analysed():
            if (RESULTS / config_of(name).name / "verdict.json").exists():
                collect(name)
    write()


if __name__ == "__main__":
    main()
