"""rnnlab report, and the page at the end of run and rerun."""

import errno
from pathlib import Path

import pytest
from in_process import run_command
from random_runs import settings, store

TINY = """
question: Is it quick?
task: {kind: adding, length: 5}
cell: {kind: lstm, hidden: 3}
training: {steps: 20, batch: 4}
record: {every: 10}
"""


@pytest.fixture
def stored(tmp_path):
    for name in ("one", "two"):
        runs = [(settings(bias), 0, "finished", {}) for bias in (0.0, 1.0)]
        store(tmp_path / name, runs, name=name, question=f"Question {name}?")
    return tmp_path


def test_the_page_goes_into_the_first_folder(stored):
    ended = run_command("report", "one", cwd=stored)
    assert (ended.returncode, ended.stdout) == (0, "one/report.html\n")
    assert ended.stderr == ""
    page = (stored / "one/report.html").read_text("utf-8")
    assert "Question one?" in page
    assert "<title>one</title>" in page


def test_several_folders_and_a_file(stored):
    ended = run_command("report", "one", "two", "one", "--out", "new/both.html", cwd=stored)
    assert (ended.returncode, ended.stdout) == (0, "new/both.html\n")
    page = (stored / "new/both.html").read_text("utf-8")
    assert "<title>one + two</title>" in page
    assert page.count('"beforeTraining": false') == 4  # two settings of each folder
    assert not (stored / "one/report.html").exists()


@pytest.mark.parametrize("command", [["report", "one"], ["explore"]], ids=str)
def test_a_page_that_cannot_be_written(stored, monkeypatch, command):
    opened = Path.open

    def refuse(path, mode="r", *arguments, **options):
        if "w" in mode:
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return opened(path, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    ended = run_command(*command, "--out", "page.html", cwd=stored)
    assert ended.returncode == 2
    told = "page.html: Read-only file system; --out FILE writes elsewhere"
    assert ended.stderr.splitlines() == [f"rnnlab: {told}"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["noe"], "noe: does not exist; did you mean 'one'? results folders: one, two"),
        (["one", "--out", "one"], "--out one: must be a file whose name ends in .html"),
        (["one", "--out", "one/config.yaml"], "must be a file whose name ends in .html"),
        (
            ["one", "--out", "one/config.yaml/new/r.html"],
            "one/config.yaml: is a file, not a folder; --out FILE writes elsewhere",
        ),
        (["here"], "here: is empty; rnnlab run CONFIG --out here fills it"),
    ],
)
def test_mistakes_are_one_message(stored, arguments, message):
    (stored / "here").mkdir()
    ended = run_command("report", *arguments, cwd=stored)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert message in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_an_analysis_that_cannot_be_run_is_told_and_there_is_a_page(tmp_path):
    store(tmp_path / "one", [(settings(0.0), 0, "finished", {})], analysis="gone.py:analyse")
    ended = run_command("report", "one", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "one/report.html\n")
    assert "the analysis was not run" in ended.stderr
    assert "gone.py" in ended.stderr


def written_by(ended):
    return [line.strip() for line in ended.stdout.split("written:\n")[1].splitlines() if line]


def test_run_and_rerun_end_with_the_page(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    for command in (["run", "tiny.yaml"], ["rerun", "results/tiny"]):
        ended = run_command(*command, cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr
        assert written_by(ended)[0] == "results/tiny/report.html"
        page = tmp_path / "results/tiny/report.html"
        assert "Is it quick?" in page.read_text("utf-8")
        page.unlink()
        ended = run_command(*command, "--no-report", cwd=tmp_path)
        assert ended.returncode == 0
        assert not page.exists()
        assert written_by(ended)[0] == "results/tiny/compare.csv"


@pytest.mark.parametrize("error", [RuntimeError("no\nlines"), OSError("full")])
def test_a_page_that_cannot_be_written_keeps_nothing_else_from_it(tmp_path, monkeypatch, error):
    def fail(*arguments):
        raise error

    monkeypatch.setattr("rnnlab.report.page.report.page_html", fail)
    (tmp_path / "tiny.yaml").write_text(TINY)
    ended = run_command("run", "tiny.yaml", cwd=tmp_path)
    assert ended.returncode == 0
    assert "report.html: not written: " in ended.stderr
    assert written_by(ended)[0] == "results/tiny/compare.csv"
    assert (tmp_path / "results/tiny/figures/gradient_decay.png").exists()
