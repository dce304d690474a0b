"""Collects the answers of the claims, and writes docs/findings.md.

python docs/findings.py names      the configs that test a claim
python docs/findings.py long       those that do so at long lags
python docs/findings.py collect    from results/ into results/reference/, then the page
python docs/findings.py            the page, from results/reference/
"""

import ast
import json
import shutil
import sys
from pathlib import Path

import pandas as pd

from rnnlab.bundled import config_names, find_config
from rnnlab.config import load_config

ROOT = Path(__file__).parents[1]
RESULTS, REFERENCE = ROOT / "results", ROOT / "results" / "reference"
PAGE = ROOT / "docs" / "findings.md"
KEPT = (
    "compare.csv",
    "config.yaml",
    "environment.json",
    "findings.txt",
    "numbers.csv",
    "verdict.json",
)
# Of the others only the figure that is named after the config.
WITH_ALL_FIGURES = ("forget_bias",)
LONG = "_long"
HEAD = """# Findings

What textbooks and tutorials say of gradients in recurrent networks, each tested by one config and
one file of `experiments/`, which states its rule before it is applied. `make reference` runs them
all and writes this page; the numbers behind each verdict are in `numbers.csv` beside its figure.
"""


def names() -> list[str]:
    """The configs that test a claim."""
    found = [name for name in config_names() if "/" not in name]
    return [name for name in found if load_config(name)[0].analysis is not None]


def collect(name: str) -> None:
    """Keep what a run's findings are, without its data."""
    source, to = RESULTS / name, REFERENCE / name
    (to / "figures").mkdir(parents=True, exist_ok=True)
    figures = [path.name for path in (source / "figures").glob("*.png")]
    if name not in WITH_ALL_FIGURES:
        figures = [figure for figure in figures if figure == f"{name}.png"]
    for file in (*KEPT, *(f"figures/{figure}" for figure in figures)):
        shutil.copyfile(source / file, to / file)


def rule(name: str) -> str:
    """The claim and how it is decided: the docstring of the analysis."""
    analysis = load_config(name)[0].analysis
    assert analysis is not None
    file = ROOT / "experiments" / analysis.rpartition(":")[0]
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return docstring.replace("``", "`")


def section(name: str) -> str:
    """Question, rule, verdict, figure, and what it was made of."""
    folder = REFERENCE / name
    config, _, _ = load_config(name)
    verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    runs = pd.read_csv(folder / "compare.csv")["runs"].sum()
    numbers = f"../results/reference/{name}/numbers.csv"
    source = find_config(name).relative_to(ROOT)
    parts = [
        f"## {config.question}",
        f"`rnnlab run {name}`; [config](../{source}), [numbers]({numbers}), {runs} trained runs.",
        rule(name),
        f"**{verdict['answer'].capitalize()}**: {verdict['evidence']}",
    ]
    if (folder / "figures" / f"{name}.png").exists():
        parts.append(f"![{config.question}](../results/reference/{name}/figures/{name}.png)")
    return "\n\n".join(parts)


def page() -> str:
    """All that are in results/reference."""
    kept = [name for name in names() if (REFERENCE / name / "verdict.json").exists()]
    return "\n\n".join([HEAD.rstrip(), *map(section, kept)]) + "\n"


def main() -> None:
    """See above."""
    command = sys.argv[1] if len(sys.argv) > 1 else "page"
    if command in ("names", "long"):
        print(*(name for name in names() if name.endswith(LONG) == (command == "long")))
        return
    if command == "collect":
        for name in names():
            if (RESULTS / name / "verdict.json").exists():
                collect(name)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
