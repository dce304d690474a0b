"""What a plug-in imports from files beside it: it works, is part of the id, and is its own."""

import sys

import jax
import pytest
from in_process import rnnlab

from rnnlab.config.sweep import load_experiment, unpack
from rnnlab.support.errors import UserError

CONFIG = """
task: {kind: adding, length: 5}
cell: {kind: cells/own.py:Own, hidden: 3}
training: {steps: 2, batch: 4}
record: {every: 2, examples: 2}
"""
FILES = {
    "cells/own.py": """
from rnnlab import LSTM
from helper import SCALE
import pkg.one
from pkg import two as second
from lib.far import FAR
from .helper import SCALE as SAME

class Own(LSTM):
    def init(self, key, input_size):
        import late
        factor = SCALE * SAME * pkg.one.ONE * second.TWO * FAR * late.LATE
        return {k: v * factor for k, v in super().init(key, input_size).items()}
""",
    "cells/helper.py": "SCALE = 2.0",
    "cells/late.py": "from pkg.deep.three import LATE",
    "cells/pkg/__init__.py": "import copy, jax.numpy",
    "cells/pkg/one.py": "from .two import TWO as ONE",
    "cells/pkg/two.py": "from . import deep\nTWO = 2.0",
    "cells/pkg/deep/__init__.py": "",
    "cells/pkg/deep/three.py": "from ..two import TWO\nLATE = TWO",
    "lib/far.py": "FAR = 2.0",
}
# Names of Python's own, of rnnlab and its libraries: beside a plug-in they are not taken.
OTHERS = ("cells/copy.py", "cells/jax.py", "cells/rnnlab.py", "cells/unused.py")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for file, text in FILES.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    for file in OTHERS:
        (tmp_path / file).write_text("raise SystemExit")
    (tmp_path / "own.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def only_run():
    (run,) = load_experiment("own.yaml").runs
    return run


def largest_weight(run):
    return abs(run.settings.cell.init(jax.random.key(0), 2)["U_f"]).max()


def test_neighbours_are_found_without_pythonpath_and_named(folder):
    run = only_run()
    assert run.settings.resolved["plugins"].keys() == FILES.keys()
    bare = load_experiment("own.yaml", ["cell.kind=lstm"]).runs[0]
    assert largest_weight(run) == 2.0**6 * largest_weight(bare)
    assert not {"helper", "late", "pkg", "lib"} & sys.modules.keys()


@pytest.mark.parametrize("file", FILES)
def test_a_change_of_each_file_is_another_run(folder, file):
    before = only_run()
    path = folder / file
    path.write_text(path.read_text().replace("2.0", "4.0") + "\n")
    after = only_run()
    assert after.id != before.id
    changed = (
        before.settings.resolved["plugins"].items() ^ after.settings.resolved["plugins"].items()
    )
    assert {name for name, _ in changed} == {file}
    factor = {"helper": 4, "two": 8, "far": 2}.get(path.stem, 1)
    assert largest_weight(after) == factor * largest_weight(before)


def test_files_that_it_does_not_import_do_not_count(folder):
    before = only_run().id
    for file in OTHERS:
        (folder / file).write_text("changed")
    assert only_run().id == before


def test_two_plugins_have_each_its_own_helper(folder):
    (folder / "others").mkdir()
    (folder / "others/own.py").write_text((folder / "cells/own.py").read_text())
    (folder / "others/helper.py").write_text("SCALE = 1.0")
    for name in ("late.py", "pkg"):
        (folder / "others" / name).symlink_to(folder / "cells" / name)
    text = CONFIG + "sweep: {cell: {kind: ['cells/own.py:Own', 'others/own.py:Own']}}"
    (folder / "own.yaml").write_text(text)
    one, other = load_experiment("own.yaml").runs
    assert one.id != other.id
    assert largest_weight(one) == 4 * largest_weight(other)


def test_another_machine_gets_them(folder, tmp_path, monkeypatch):
    run = only_run()
    packed, expected = run.packed(), largest_weight(run)
    for name in [n for n in sys.modules if n.startswith("rnnlab_plugin_own")]:
        monkeypatch.delitem(sys.modules, name)
    for file in FILES:
        (folder / file).unlink()
    unpacked = unpack(packed)
    assert (unpacked.id, largest_weight(unpacked)) == (run.id, expected)


def test_what_only_shows_while_it_runs_is_refused(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder / "cells")
    own = folder / "cells/own.py"
    own.write_text("import importlib\nimportlib.import_module('unused')\n" + own.read_text())
    (folder / "cells/unused.py").write_text("")
    with pytest.raises(UserError, match=r"imports unused .* seen only while it runs"):
        only_run()
    assert "unused" not in sys.modules


def test_what_is_on_pythons_path_counts_unless_it_is_installed(folder, monkeypatch):
    shared, installed = folder / "shared", folder / "site-packages"
    own = folder / "cells/own.py"
    own.write_text("import mine, theirs\n" + own.read_text())
    for name, place in {"mine": shared, "theirs": installed}.items():
        place.mkdir()
        (place / f"{name}.py").write_text("")
        monkeypatch.syspath_prepend(place)
    assert only_run().settings.resolved["plugins"].keys() == FILES.keys() | {"mine.py"}
    monkeypatch.delitem(sys.modules, "theirs")


def test_rerun_names_the_helper_that_has_changed(folder):
    assert rnnlab("run", "own.yaml", "--workers", 0)[0] == 0
    (folder / "cells/helper.py").write_text("SCALE = 3.0")
    code, said = rnnlab("rerun", "results/own")
    assert code == 2
    assert "cells/helper.py has changed since these runs" in said
    code, said = rnnlab("measure", "results/own")
    assert code == 2
    assert "cells/helper.py has changed since this run was trained" in said


def test_show_lists_them_and_runs_none(folder):
    (folder / "cells/helper.py").write_text("raise SystemExit('it ran')")
    code, said = rnnlab("show", "own.yaml")
    assert code == 0
    assert all(file in said for file in FILES)
    assert "it ran" not in said


def test_errors_in_a_helper_are_sentences(folder):
    (folder / "cells/helper.py").write_text("SCALE = (")
    with pytest.raises(UserError, match=r"own\.py fails: SyntaxError: .*helper\.py, line 1: "):
        only_run()
    (folder / "cells/helper.py").write_text("SCALE = 1 / 0")
    with pytest.raises(UserError, match=r"own\.py fails: Zero.*helper\.py, line 1: "):
        only_run()
    (folder / "cells/helper.py").write_text("SCALE = 1.0")
    only_run()
