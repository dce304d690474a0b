"""Damage of any kind is found and named, and repair drops what is damaged and nothing else."""

import errno
import json
import random
import shutil

import made_up
import pytest
from typer.testing import CliRunner

from rnnlab.cli.app import app
from rnnlab.engine.checkpoint import Checkpoint, to_bytes
from rnnlab.results.check import find_damage, repair
from rnnlab.results.read import load
from rnnlab.support.checksums import Damaged, write_sealed
from rnnlab.support.errors import UserError
from rnnlab.support.version import RESULTS_VERSION

FINISHED = ("finished", {"read_step": 5, "final_loss": 0.1, "last_step": 100})
RUNS = [(made_up.settings(forget_bias=bias), 0, *FINISHED) for bias in (0.0, 1.0, 2.0)]
IDS = [f"{index:016x}" for index in range(3)]


@pytest.fixture
def store(tmp_path):
    return made_up.write(tmp_path / "made_up", RUNS)


def files(folder):
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def test_nothing_is_damaged(store):
    assert find_damage(store.folder) == []


@pytest.mark.parametrize("how", ["flipped", "truncated", "empty", "deleted"])
def test_every_file_of_a_run(store, how):
    """One bit, the last byte, all bytes, the file: whatever is wrong with whichever file."""
    chance = random.Random(0)
    for path in files(store.run_folder(IDS[1])):
        content = path.read_bytes()
        changed = bytearray(content)
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        damaged = {"flipped": bytes(changed), "truncated": content[:-1], "empty": b""}
        path.unlink() if how == "deleted" else path.write_bytes(damaged[how])
        (damage,) = find_damage(store.folder)
        assert damage.run == IDS[1]
        assert path.name in damage.message
        path.write_bytes(content)
    assert find_damage(store.folder) == []


def test_repair_drops_the_damaged_run_only(store):
    before = {run: [p.read_bytes() for p in files(store.run_folder(run))] for run in IDS}
    rows = len(load(store.folder).gates)
    path = store.run_folder(IDS[1]) / "gates.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(Damaged, match=r"gates\.parquet: is not as it was written .* --repair"):
        _ = load(store.folder).gates
    assert list(load(store.folder).runs["status"]) == ["finished"] * 3
    assert repair(store.folder) == ([f"dropped run {IDS[1]}"], [])
    assert list(load(store.folder).runs["status"]) == ["finished", "missing", "finished"]
    for run in (IDS[0], IDS[2]):
        assert [p.read_bytes() for p in files(store.run_folder(run))] == before[run]
    assert 3 * len(load(store.folder).gates) == 2 * rows


def test_a_damaged_head_counts_as_not_run(store):
    path = store.run_folder(IDS[0]) / "run.json"
    path.write_text(path.read_text().replace('"last_step": 100', '"last_step": 900'))
    runs = load(store.folder).runs
    assert list(runs["status"]) == ["damaged", "finished", "finished"]
    assert "run.json: is not as it was written" in runs["error"][0]
    assert not store.is_done(IDS[0])


def test_a_table_of_another_version(store):
    run = store.read_run(IDS[0])
    write_sealed(
        store.run_folder(IDS[0]) / "run.json", run | {"results_version": RESULTS_VERSION + 1}
    )
    (damage,) = find_damage(store.folder)
    assert f"version {RESULTS_VERSION + 1} of the results format" in damage.message
    assert repair(store.folder) == ([], [damage])
    assert store.run_ids() == IDS
    assert list(load(store.folder).runs["status"]) == ["damaged", "finished", "finished"]


def test_results_of_the_first_version_are_left_alone(store):
    """They had no checksums."""
    path = store.run_folder(IDS[0]) / "run.json"
    content = json.loads(path.read_text()) | {"results_version": 1}
    del content["sha256"]
    path.write_text(json.dumps(content))
    assert "in version 1 of the results format" in find_damage(store.folder)[0].message
    repair(store.folder)
    assert store.run_ids() == IDS


def test_what_cannot_be_read_is_not_damaged(store, monkeypatch):
    """An input error need not be for good: no run is dropped for it, or done again."""

    def broken(path):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("pathlib.Path.read_bytes", broken)
    with pytest.raises(UserError, match="Input/output error") as raised:
        store.is_done(IDS[0])
    assert not isinstance(raised.value, Damaged)
    with pytest.raises(UserError, match="Input/output error"):
        repair(store.folder)
    assert store.run_ids() == IDS


def test_a_run_in_another_place(store):
    shutil.copytree(store.run_folder(IDS[0]), store.run_folder("f" * 16))
    (damage,) = find_damage(store.folder)
    assert damage.run == "f" * 16
    assert f"is of run {IDS[0]}" in damage.message


def test_config_experiment_and_environment(store):
    store.write_environment({"device": "cpu"})
    for name in ("config.yaml", "experiment.json", "environment.json"):
        path = store.folder / name
        content = path.read_bytes()
        path.write_bytes(content[:-2])
        (damage,) = find_damage(store.folder)
        assert name in damage.message
        assert damage.run is None
        path.write_bytes(content)


def test_checkpoints(store):
    content = to_bytes(Checkpoint("0" * 16, 1, 2.0, [], {}, {}))
    store.checkpoints.write(IDS[0], content)
    assert find_damage(store.folder) == []
    store.checkpoints.write(IDS[0], content[:-1] + b"!")
    assert len(find_damage(store.folder)) == 1
    repair(store.folder)
    assert store.checkpoints.read(IDS) == {}


def test_a_run_that_names_a_place_outside_the_folder(store):
    experiment = store.experiment()
    experiment["runs"][0]["id"] = "../../elsewhere"
    write_sealed(store.folder / "experiment.json", experiment)
    with pytest.raises(Damaged, match=r"'\.\./\.\./elsewhere' is no run's id"):
        load(store.folder)


def test_no_results_folder(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="not a results folder of rnnlab"):
        find_damage(tmp_path)
    with pytest.raises(UserError, match="nowhere: does not exist"):
        find_damage(tmp_path / "nowhere")


def test_the_command(store):
    run = CliRunner().invoke
    arguments = ["check", str(store.folder)]
    assert run(app, arguments).exit_code == 0
    (store.run_folder(IDS[2]) / "gates.parquet").write_bytes(b"")
    found = run(app, arguments)
    assert found.exit_code == 1
    assert "gates.parquet: is not as it was written" in found.output
    repaired = run(app, [*arguments, "--repair"])
    assert repaired.exit_code == 0
    assert f"dropped run {IDS[2]}" in repaired.output
    assert run(app, arguments).exit_code == 0


def test_only_one_writes(store):
    with store.locked(), pytest.raises(UserError, match="another rnnlab is at work in this folder"):
        repair(store.folder)


def test_damage_that_no_repair_mends_is_told_once_and_ends_with_1(store):
    path = store.folder / "experiment.json"
    path.write_text(path.read_text().replace('"name"', '"nAme"'))
    ended = CliRunner().invoke(app, ["check", str(store.folder), "--repair"])
    assert ended.exit_code == 1
    assert ended.output.count("experiment.json: is not as it was written") == 1
