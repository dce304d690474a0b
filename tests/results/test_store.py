"""What is written appears whole or not at all; what is no results folder is refused."""

import errno
import json
from pathlib import Path

import pandas as pd
import pytest
from made_up import files, settings, summary, tables, write

from rnnlab.results.folders import open_for_reading, open_for_writing
from rnnlab.results.read import load
from rnnlab.results.store import Store
from rnnlab.support.checksums import read_sealed, write_sealed
from rnnlab.support.errors import UserError
from rnnlab.support.version import RESULTS_VERSION


@pytest.fixture
def folder(tmp_path):
    runs = [
        (settings(forget_bias=0.0), 0, "finished", summary()),
        (settings(forget_bias=1.0), 0, "missing", {}),
    ]
    write(tmp_path / "made_up", runs)
    return tmp_path / "made_up"


def test_tables_come_back_as_they_were(folder):
    for name, table in tables(0.0).items():
        stored = Store(folder).read_table("0" * 16, name)
        pd.testing.assert_frame_equal(stored, table.reset_index(drop=True))


def head(status):
    return {"id": "1" * 16, "results_version": RESULTS_VERSION, "status": status}


def test_a_run_that_cannot_be_stored_whole_is_not_there(folder, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    before = sorted(folder.rglob("*"))
    with pytest.raises(UserError, match="no space left on the device; what was stored before"):
        Store(folder).write_run("1" * 16, head("finished"), files(settings(forget_bias=1.0)))
    assert sorted(folder.rglob("*")) == before


def test_an_error_of_the_file_system_names_no_temporary_file(folder, monkeypatch):
    def refuse(path, mode="r", *_, **__):
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    store = Store(folder)
    run = store.run_folder("1" * 16)
    with pytest.raises(UserError, match=f"^{run}/error.txt: Read-only file system$"):
        store.write_run("1" * 16, head("failed"), {"error.txt": b"Traceback"})
    with pytest.raises(UserError, match=f"^{folder}/environment.json: Read-only file system$"):
        store.write_environment({})
    made = Path.mkdir
    monkeypatch.setattr(
        Path, "mkdir", lambda path, **how: (refuse if path.name[0] == "." else made)(path, **how)
    )
    with pytest.raises(UserError, match=f"^{run}: Read-only file system$"):
        store.write_run("1" * 16, head("failed"), {"error.txt": b"Traceback"})


def test_a_failed_run_gives_way_to_a_finished_one(folder):
    store = Store(folder)
    store.write_run("1" * 16, head("failed"), {"error.txt": b"Traceback"})
    assert not store.is_done("1" * 16)
    store.write_run("1" * 16, head("finished"), files(settings(forget_bias=1.0)))
    assert store.is_done("1" * 16)
    assert not (store.run_folder("1" * 16) / "error.txt").exists()


def test_a_half_written_run_is_missing(folder):
    partial = folder / "runs" / ".abc.123.partial"
    partial.mkdir()
    (partial / "run.json").write_text("{")
    assert Store(folder).run_ids() == ["0" * 16]
    assert list(load(folder).runs["status"]) == ["finished", "missing"]


def test_numbers_that_are_none_are_null(folder):
    store = Store(folder)
    summary = {"final_loss": float("nan"), "seconds": float("inf")}
    store.write_run("2" * 16, head("finished") | {"summary": summary}, {})
    text = (store.run_folder("2" * 16) / "run.json").read_text()
    assert json.loads(text)["summary"] == {"final_loss": None, "seconds": None}


def not_there(folder):
    return folder.parent / "made_upp"


def empty(folder):
    (folder.parent / "empty").mkdir()
    return folder.parent / "empty"


def of_something_else(folder):
    other = empty(folder)
    (other / "thesis.tex").write_text("years of work")
    return other


def newer(folder):
    path = folder / "experiment.json"
    write_sealed(path, read_sealed(path) | {"results_version": RESULTS_VERSION + 1})
    return folder


def cut_short(folder):
    path = folder / "experiment.json"
    path.write_text(path.read_text()[:40])
    return folder


def other_json(folder):
    (folder / "experiment.json").write_text("[1, 2]")
    return folder


def of_another_program(folder):
    write_sealed(
        folder / "experiment.json", {"format": "other", "results_version": RESULTS_VERSION}
    )
    return folder


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (not_there, "does not exist; did you mean .*made_up'"),
        (empty, "is empty"),
        (of_something_else, "not a results folder"),
        (
            newer,
            f"in version {RESULTS_VERSION + 1} of the results .* reads version {RESULTS_VERSION}",
        ),
        (cut_short, "experiment.json: cannot be read"),
        (other_json, "experiment.json: is not as it was written"),
        (of_another_program, "not written by rnnlab"),
    ],
)
def test_reading_what_is_no_results_folder(folder, make, message):
    with pytest.raises(UserError, match=message):
        open_for_reading(make(folder))


@pytest.mark.parametrize("make", [of_something_else, newer, of_another_program])
def test_writing_into_what_is_no_results_folder(folder, make):
    with pytest.raises(UserError):
        open_for_writing(make(folder))


@pytest.mark.parametrize("make", [cut_short, other_json])
def test_a_damaged_description_is_written_anew(folder, make):
    store = open_for_writing(make(folder))
    assert store.run_ids() == ["0" * 16]


def test_damaged_run_and_table_are_named(folder):
    table = folder / "runs" / ("0" * 16) / "gates.parquet"
    table.write_bytes(table.read_bytes()[:50])
    with pytest.raises(UserError, match=r"gates\.parquet: is not as it was written"):
        _ = load(folder).gates
    (table.parent / "run.json").write_text("{")
    assert "run.json: cannot be read" in load(folder).runs["error"][0]
