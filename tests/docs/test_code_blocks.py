"""Every code block of README.md, CONTRIBUTING.md and docs/, run from top to bottom of its page.

Python is executed, YAML is read as a config, commands of rnnlab are given in this process, all in
one folder and one namespace a page. What is large is made small, see ``small_runs``. The tutorial's
cells are run when the site is built.
"""

import re
import shlex
import sys
import tomllib
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import yaml
from docs.blocks import PAGES, ROOT, RUN, SHOWN, blocks_of
from docs.small_runs import small
from in_process import run_command

import rnnlab
from rnnlab.config.sweep import load_experiment
from rnnlab.support.bundled import config_names

WITH_BLOCKS = [page for page in PAGES if any(block.language in RUN for block in blocks_of(page))]
# Not among what tests need: a block that imports one of these runs where it is installed.
OPTIONAL = {"torch", "duckdb"}
LEFT_OUT = ["docs/howto/tables.md: r"]
LEAST = {"task": {"kind": "adding"}, "cell": {"kind": "lstm"}}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TARGETS = re.findall(r"^([\w-]+(?: [\w-]+)*):", (ROOT / "Makefile").read_text("utf-8"), re.M)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in, whose modules are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    run = rnnlab.run
    monkeypatch.setattr(
        rnnlab,
        "run",
        lambda source, overrides=(), *rest, **options: run(
            source, small(source, overrides), *rest, **options
        ),
        raising=False,
    )
    before = set(sys.modules)
    yield tmp_path
    plt.close("all")
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", None)):
            del sys.modules[name]


def run_python(block, names):
    if block.file:
        Path(block.file).write_text(block.text, encoding="utf-8")
        names = {"__name__": Path(block.file).stem}
    try:
        exec(compile(block.text, block.file or "block", "exec"), names)
    except ModuleNotFoundError as error:
        if error.name not in OPTIONAL:
            raise


def run_yaml(block, names):
    """A config, or keys of one."""
    path = Path(block.file or "config.yaml")
    config = yaml.safe_load(block.text)
    text = block.text if "cell" in config else f"{yaml.safe_dump(LEAST)}{block.text}"
    path.write_text(text, encoding="utf-8")
    assert load_experiment(path).runs


def run_bash(block, names):
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            COMMANDS[words[0]](words[1:])


def run_rnnlab(words):
    words, to = (words[:-2], words[-1]) if ">" in words else (words, None)
    command, target = words[0], words[1] if len(words) > 1 else None
    if command in ("run", "measure") and not Path(target).is_dir():
        given = [word for word in words[2:] if re.match(r"[a-z_.]+=", word)]
        options = [word for word in words[2:] if word not in given]
        if "--workers" in options:
            options[options.index("--workers") + 1] = "0"
        overrides = [f"{key}={value}" for key, value in small(target, given).items()]
        words = [command, target, *overrides, *options]
    ended = run_command(*words)
    assert ended.returncode == 0, (words, ended.stderr)
    if to is not None:
        Path(to).write_text(ended.stdout, encoding="utf-8")


def check_pip(words):
    """Install the checkout, or an extra that there is."""
    assert words[0] == "install"
    for what in words[1:]:
        named = re.fullmatch(r"(\.|-e|--editable|rnnlab)(?:\[([\w,]+)\])?", what)
        assert named, what
        extras = named[2].split(",") if named[2] else []
        assert set(extras) <= set(PROJECT["optional-dependencies"])


def check_make(words):
    assert set(words) <= {name for names in TARGETS for name in names.split()}


def check_path(words):
    """What a clone or a change of folder names is not there in a test."""


COMMANDS = {
    "rnnlab": run_rnnlab,
    "pip": check_pip,
    "make": check_make,
    "git": check_path,
    "cd": check_path,
    "python3": check_path,
    "source": check_path,
}
RUNNERS = {"python": run_python, "yaml": run_yaml, "bash": run_bash}


def marked(page):
    """The page; one that runs a bundled config takes longer, and belongs to make test-all."""
    runs = re.findall(r"rnnlab (?:run|measure) (\S+)", "".join(b.text for b in blocks_of(page)))
    is_long = bool(set(runs) & set(config_names()))
    return pytest.param(page, marks=[pytest.mark.processes] if is_long else [])


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
@pytest.mark.parametrize("page", list(map(marked, WITH_BLOCKS)))
def test_the_blocks_of_a_page_run(page, folder):
    names = {"__name__": "__main__"}
    for block in blocks_of(page):
        if block.language in RUNNERS and not block.is_left_out:
            RUNNERS[block.language](block, names)


def test_blocks_that_do_not_run_are_few_and_say_so():
    """A block of another language is output, or the page says why no test runs it."""
    found = [(page, block) for page in PAGES for block in blocks_of(page)]
    unknown = [
        f"{page}: {block.language}"
        for page, block in found
        if block.language not in (*RUN, *SHOWN) and not block.is_left_out
    ]
    assert unknown == []
    assert [f"{page}: {block.language}" for page, block in found if block.is_left_out] == LEFT_OUT
    assert sum(block.language in RUN for _, block in found) > 30


def test_cells_of_notebooks_are_executed_by_the_build():
    conf = (ROOT / "docs" / "conf.py").read_text(encoding="utf-8")
    assert 'nb_execution_mode = "cache"' in conf
    assert "nb_execution_raise_on_error = True" in conf
