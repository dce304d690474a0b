"""What the source says of a claim or a published result: its sentence, rule, caption, choices."""

import ast
import itertools
import re
from pathlib import Path

from extensions.kept import PAPERS, ROOT, analysis_of
from rnnlab.support.bundled import find_config

REDUCED = "_reduced"
DRAWN_BY = {
    "forget_bias": "rnnlab/report/figures/paths_and_learning.py:paths_and_learning",
    "forget_bias_full": "rnnlab/report/figures/against_forget_bias.py:against_forget_bias",
}
CURVES = "rnnlab/report/claims/published_figure.py:curves_and_published"


def said(name: str) -> str:
    """The claim as people repeat it, or a paper and what it reports: the analysis says so first."""
    first, second, *_ = docstring(parsed(own_file(name))).split("\n\n")
    if name.startswith(PAPERS):
        return f"{first} {' '.join(second.split())}"
    sentence = first.removeprefix("Claim: ")
    return sentence[0].upper() + sentence[1:]


def rule(name: str) -> str:
    """The claim or result and its rule: the docstring of the analysis."""
    return docstring(parsed(own_file(name)))


def own_file(name: str) -> Path:
    """The file of its analysis."""
    return ROOT / "experiments" / f"{analysis_of(name)}.py"


def caption(name: str) -> str:
    """The docstring of the function that draws its figure: that of its analysis, or else shared."""
    own = f"experiments/{analysis_of(name)}.py:figure"
    places = (DRAWN_BY.get(name, own), *([CURVES] if name.startswith(PAPERS) else []))
    for file, _, function in (place.partition(":") for place in places):
        for node in parsed(ROOT / file).body:
            if isinstance(node, ast.FunctionDef) and node.name == function:
                return " ".join(docstring(node).partition("\n\nArgs:")[0].split())
    raise KeyError(f"{name}: no function draws its figure")


def parsed(file: Path) -> ast.Module:
    """A file of Python."""
    return ast.parse(file.read_text(encoding="utf-8"))


def docstring(node: ast.Module | ast.FunctionDef) -> str:
    """The docstring of a module or function, as Markdown, in which symbols keep their indices."""
    text = (ast.get_docstring(node) or "").replace("``", "`")
    return re.sub(r"(?<=[^\w\s`])_(?=\w)", r"\\_", text)


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
