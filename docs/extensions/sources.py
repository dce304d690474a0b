"""What the source says of a claim or a published result: its sentence, rule, choices."""

import ast
import itertools
from pathlib import Path

from extensions.kept import PAPERS, ROOT, analysis_of, as_markdown
from rnnlab.support.bundled import find_config

REDUCED = "_reduced"


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


def parsed(file: Path) -> ast.Module:
    """A file of Python."""
    return ast.parse(file.read_text(encoding="utf-8"))


def docstring(node: ast.Module) -> str:
    """The docstring of a module, as Markdown."""
    return as_markdown(ast.get_docstring(node) or "")


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
