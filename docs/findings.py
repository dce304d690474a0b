"""Collects the answers of the claims and of published results, and writes docs/findings.md.

python docs/findings.py names      the configs that test a claim
python docs/findings.py long       those that do so at long lags
python docs/findings.py papers     the published results, reduced where they take long
python docs/findings.py collect    from results/ into results/reference/, then the page
python docs/findings.py            the page, from results/reference/
"""

import argparse
import ast
import itertools
import json
import re
import shutil
from pathlib import Path

from rnnlab.cells import CELLS
from rnnlab.config.labels import Flat, flatten, kind_name
from rnnlab.config.model import load_config
from rnnlab.config.sweep import Experiment, load_experiment
from rnnlab.support.bundled import config_names, find_config

ROOT = Path(__file__).parents[1]
RESULTS, REFERENCE = ROOT / "results", ROOT / "results" / "reference"
PAGE, HEAD = ROOT / "docs" / "findings.md", ROOT / "docs" / "findings_head.md"
KEPT = (
    "compare.csv",
    "config.yaml",
    "environment.json",
    "findings.txt",
    "numbers.csv",
    "verdict.json",
)
DRAWN_BY = {
    "forget_bias": "rnnlab/report/figures/retention_and_learning.py:retention_and_learning",
    "forget_bias_full": "rnnlab/report/figures/against_forget_bias.py:against_forget_bias",
}
CURVES = "rnnlab/report/claims/published.py:curves_of_baseline"
# Of the others only the figure of the claim, which is named after its analysis.
WITH_ALL_FIGURES = ("forget_bias",)
RAW = argparse.RawDescriptionHelpFormatter
COMMANDS = ("names", "long", "papers")
LONG, REDUCED, PAPERS = "_long", "_reduced", "papers/"
# The version of the results, and that of tables that were kept before it was.
VERSION, FIRST_KEPT = "results_version", 2


def analysed() -> list[str]:
    """The configs that come to a verdict: claims, then papers."""
    found = [name for name in config_names() if load_config(name)[0].analysis is not None]
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


def analysis_of(name: str) -> str:
    """Its file in experiments/, without the ending."""
    analysis = load_config(name)[0].analysis
    assert analysis is not None
    return analysis.partition(".py:")[0]


def main_figure(name: str) -> str:
    """The figure of what is claimed or published."""
    return "published.png" if name.startswith(PAPERS) else f"{analysis_of(name)}.png"


def collect(name: str) -> None:
    """Keep what a run's findings are, without its data."""
    source, to = RESULTS / load_config(name)[0].name, REFERENCE / name
    (to / "figures").mkdir(parents=True, exist_ok=True)
    figures = [path.name for path in (source / "figures").glob("*.png")]
    if name not in WITH_ALL_FIGURES:
        figures = [figure for figure in figures if figure == main_figure(name)]
    for file in (*KEPT, *(f"figures/{figure}" for figure in figures)):
        shutil.copyfile(source / file, to / file)
    experiment = json.loads((source / "experiment.json").read_text(encoding="utf-8"))
    (to / f"{VERSION}.txt").write_text(f"{experiment[VERSION]}\n", encoding="utf-8")


def version(name: str) -> int:
    """The version of the results that its tables were made from."""
    file = REFERENCE / name / f"{VERSION}.txt"
    return int(file.read_text(encoding="utf-8")) if file.exists() else FIRST_KEPT


def rule(name: str) -> str:
    """The claim or result and its rule: the docstring of the analysis."""
    return docstring(parsed(ROOT / "experiments" / f"{analysis_of(name)}.py"))


def caption(name: str) -> str:
    """The docstring of the function that draws its figure: that of its analysis, or else shared."""
    own = f"experiments/{analysis_of(name)}.py:figure"
    places = (DRAWN_BY.get(name, own), *([CURVES] if name.startswith(PAPERS) else []))
    for file, _, function in (place.partition(":") for place in places):
        for node in parsed(ROOT / file).body:
            if isinstance(node, ast.FunctionDef) and node.name == function:
                return docstring(node).partition("\n\nArgs:")[0]
    raise KeyError(f"{name}: no function draws its figure")


def parsed(file: Path) -> ast.Module:
    """A file of Python."""
    return ast.parse(file.read_text(encoding="utf-8"))


def docstring(node: ast.Module | ast.FunctionDef) -> str:
    """The docstring of a module or function, as Markdown."""
    return (ast.get_docstring(node) or "").replace("``", "`")


def verdict(name: str) -> dict[str, str]:
    """Answer and evidence."""
    text = (REFERENCE / name / "verdict.json").read_text(encoding="utf-8")
    found: dict[str, str] = json.loads(text)
    return found


def answer(name: str) -> str:
    """In the words of claims, or of papers."""
    found = verdict(name)
    return found["called"] or found["answer"]


def evidence(name: str) -> str:
    """A line for each thing it lists; then one for those parts that hold, and so on."""
    text = verdict(name)["evidence"]
    listed, *parts = re.split(r"(?<=\.) (?=Holds: |Fails: |Undecided: )", text)
    outside_brackets = r"; (?![^(]*\))"
    return "\n".join(f"- {line}" for line in (*re.split(outside_brackets, listed), *parts))


def differing(settings: list[Flat], key: str) -> str:
    """The different values that settings have, in order."""
    values = {flat[key]: None for flat in settings if key in flat}
    written = (f"{value:g}" if isinstance(value, float) else str(value) for value in values)
    return ", ".join(kind_name(value) if value in CELLS else value for value in written)


def set_up(experiment: Experiment) -> str:
    """Runs, cells, tasks, training and seeds, in words."""
    settings = [flatten(own.resolved) for own in experiment.settings]
    words = [f"{len(experiment.runs)} runs: {differing(settings, 'cell.kind')}"]
    layers = differing(settings, "cell.layers")
    many = "" if layers == "1" else "s"
    words.append(f"{layers} layer{many} of {differing(settings, 'cell.hidden')} units")
    for kind in dict.fromkeys(flat["task.kind"] for flat in settings):
        own = [flat for flat in settings if flat["task.kind"] == kind]
        lengths, alphabet = differing(own, "task.length"), differing(own, "task.alphabet")
        words.append(f"{kind}, T = {lengths}" if lengths else kind)
        if alphabet:
            words[-1] += f" ({differing(own, 'task.symbols')} symbols, alphabet of {alphabet})"
    steps, optimizer, rate, batch = (
        differing(settings, f"training.{key}")
        for key in ("steps", "optimizer", "learning_rate", "batch")
    )
    trained = f"{steps} updates of {optimizer} at {rate}, batches of {batch}"
    words.append("before training" if steps == "0" else trained)
    return "; ".join([*words, f"{len(experiment.config.seed_list())} seeds"])


def chosen(name: str) -> list[str]:
    """The choices and reductions that the configs of a paper state in their first lines."""
    full = name.removesuffix(REDUCED)
    if full == name:
        return [comment(name)]
    return [f"In full, not run here: {comment(full)}", f"Here: {comment(name)}"]


def comment(name: str) -> str:
    """The first lines of a config."""
    lines = find_config(name).read_text(encoding="utf-8").splitlines()
    head = itertools.takewhile(lambda line: line.startswith("#"), lines)
    return " ".join(line.lstrip("# ") for line in head)


def section(name: str, like: str) -> str:
    """Question, set-up, rule, verdict and figure; the rule is there once, at ``like``."""
    to = f"../results/reference/{name}"
    experiment = load_experiment(name)
    config, source = experiment.config, find_config(name).relative_to(ROOT)
    is_paper = name.startswith(PAPERS)
    parts = [
        f"## {name}",
        f"**{config.question}**",
        f"`rnnlab run {name}`: [config](../{source}), [numbers]({to}/numbers.csv), of version "
        f"{version(name)} of the results.",
        "\n".join(f"- {set_up(own)}" for own, _ in experiment.parts(REFERENCE)),
        *(chosen(name) if is_paper else []),
        rule(name) if name == like else f"Claim and rule are those of [{like}](#{anchor(like)}).",
    ]
    found = f"**{answer(name).capitalize()}**"
    if is_paper:
        text, _, _ = (REFERENCE / name / "findings.txt").read_text("utf-8").rpartition("\n\n")
        parts.append(f"{found}:\n\n```text\n{text}\n```")
    else:
        parts.append(f"{found}:\n\n{evidence(name)}")
    words = " ".join(caption(name).split())
    parts.append(f"![{words}]({to}/figures/{main_figure(name)})\n\n*{words}*")
    return "\n\n".join(parts)


def anchor(name: str) -> str:
    """The anchor of its section."""
    return name.replace("/", "")


def summary(names: list[str]) -> str:
    """A line for each, with its answer."""
    rows = ["| question | answer |", "|---|---|"]
    for name in names:
        question = load_config(name)[0].question
        rows.append(f"| [{question}](#{anchor(name)}) | {answer(name)} |")
    return "\n".join(rows)


def page() -> str:
    """Docs/findings.md: all that are in results/reference."""
    names = [name for name in analysed() if (REFERENCE / name / "verdict.json").exists()]
    firsts: dict[str, str] = {}
    sections = [section(name, firsts.setdefault(analysis_of(name), name)) for name in names]
    return (
        "\n\n".join([HEAD.read_text(encoding="utf-8").rstrip(), summary(names), *sections]) + "\n"
    )


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
            if (RESULTS / load_config(name)[0].name / "verdict.json").exists():
                collect(name)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
