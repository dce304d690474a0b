"""docs/extending.md says how many files an addition touches: what is there keeps to it."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from rnnlab.cells import CELLS
from rnnlab.report.figures.standard import OF_JACOBIANS, STANDARD
from rnnlab.results.export import WRITERS
from rnnlab.support.bundled import config_names
from rnnlab.tasks import TASKS
from rnnlab.training.quantities import QUANTITIES

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"\| an? ([a-z ]+) \| `([^`]+)` \| `([^`]+)` \(`?([^`)]+)`?\) \| (\d+) \|")
ROWS = {
    thing: (new, registry, line, int(count))
    for thing, new, registry, line, count in ROW.findall((ROOT / "docs/extending.md").read_text())
}
MEMBERS = {
    "cell": CELLS,
    "task": TASKS,
    "recorded quantity": {name: type(quantity) for name, quantity in QUANTITIES.items()},
    "exporter": WRITERS,
}
# Written as tables for all exports to share.
SHARED = {"to_csv"}
# The instrument has the equations of three cells and two tasks of its own, in the browser.
INSTRUMENT = {"instrument.py", "instrument_texts.py", "measured.py"}


def module_of(member):
    return Path(member.__module__.replace(".", "/") + ".py")


def test_every_kind_of_addition_is_told():
    things = {"cell", "task", "recorded quantity", "figure", "exporter", "claim"}
    assert ROWS.keys() == things
    for new, registry, _, count in ROWS.values():
        assert count == len({new, registry}) == 2


@pytest.mark.parametrize("thing", MEMBERS)
def test_each_is_a_file_of_its_own_and_a_line_in_the_registry(thing):
    new, registry, line, _ = ROWS[thing]
    members = MEMBERS[thing]
    holder = importlib.import_module(registry.removesuffix("/__init__.py").replace("/", "."))
    assert set(getattr(holder, line)) == set(members)
    pattern = re.escape(new).replace("<name>", "[a-z_0-9]+")
    modules = [module_of(m) for m in members.values() if m.__name__ not in SHARED]
    assert all(re.fullmatch(pattern, module.as_posix()) for module in modules)
    assert len(set(modules)) == len(modules)


def test_each_figure_is_in_a_file_of_its_own():
    new, registry, _, _ = ROWS["figure"]
    imported = {
        node.module
        for node in ast.walk(ast.parse((ROOT / registry).read_text()))
        if isinstance(node, ast.ImportFrom) and node.module.startswith("rnnlab.report.figures")
    }
    assert len(imported) >= 8
    folder = new.removesuffix("/<name>.py").replace("/", ".")
    assert {module.rpartition(".")[0] for module in imported} == {folder}
    assert len({**STANDARD, **OF_JACOBIANS}) >= len(imported)


def test_each_claim_has_a_config_of_its_own():
    for path in (ROOT / "experiments").glob("*.py"):
        used = [
            name
            for name in config_names()
            if f"{path.name}:" in (ROOT / "configs" / f"{name}.yaml").read_text()
        ]
        assert used, path


def names_in(path):
    """Words that a file compares with, and names that it imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("thing", ["cell", "task", "exporter"])
def test_no_other_file_knows_one_by_name(thing):
    folder = (ROOT / ROWS[thing][1]).parent
    members = MEMBERS[thing]
    known = set(members) | {m.__name__ for m in members.values()}
    # Words that mean other things too: a Parquet key, a format of tables, a function of users.
    known -= {"arrays", "csv", "copy", "digits", "adding"}
    public = ROOT / "rnnlab/__init__.py"
    for path in (ROOT / "rnnlab").rglob("*.py"):
        of_the_page = path.parent.name == "page" and path.name in INSTRUMENT
        if folder not in path.parents and path != public and not of_the_page:
            assert not known & set(names_in(path)), path
