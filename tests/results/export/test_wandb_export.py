"""Offline runs, read back as the records of wandb's own protocol."""

import json
import struct

import pytest
from exported import expected, stored

from rnnlab.config.labels import flatten
from rnnlab.results.export import export
from rnnlab.results.export.runs import runs_to_export

pytest.importorskip("wandb")
BLOCK, HEAD = 32768, 7


def exported(results, out):
    """The folders, once wandb has written all."""
    import wandb

    folders = export(results, "wandb-offline", out)
    wandb.teardown()
    return folders


def records(folder):
    """wandb keeps its records in blocks of 32 KiB, in LevelDB's log format."""
    from wandb.proto.wandb_internal_pb2 import Record

    (path,) = folder.glob("*.wandb")
    data, place, parts = path.read_bytes(), HEAD, b""
    assert data[:4] == b":W&B"
    while place < len(data):
        if BLOCK - place % BLOCK < HEAD:
            place += BLOCK - place % BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", data, place)
        parts += data[place + HEAD : place + HEAD + length]
        place += HEAD + length
        if kind in (1, 4):
            yield Record.FromString(parts)
            parts = b""


def named(items):
    return {".".join(i.nested_key) or i.key: json.loads(i.value_json) for i in items}


class Read:
    def __init__(self, folder):
        self.history, self.summary, self.exits = [], {}, 0
        for record in records(folder):
            kind = record.WhichOneof("record_type")
            if kind == "run":
                self.run, self.config = record.run, named(record.run.config.update)
            elif kind == "history":
                self.history.append(named(record.history.item))
            elif kind == "summary":
                self.summary |= named(record.summary.update)
            self.exits += kind == "exit"


def test_every_number(results, out, capfd):
    folders = exported(results, out)
    assert capfd.readouterr() == ("", "")
    rows = stored(results)
    assert len(folders) == len(rows) == 4
    for folder, row in zip(folders, rows, strict=True):
        assert folder.parent == out / "wandb"
        found = Read(folder)
        numbers = {
            (name, step["_step"]): value
            for step in found.history
            for name, value in step.items()
            if not name.startswith("_")
        }
        assert numbers == pytest.approx(expected(results, row.run), rel=1e-6)
        assert found.exits == 1


def test_names_settings_and_summary(results, out):
    folders = exported(results, out)
    for folder, row in zip(folders, stored(results), strict=True):
        found, record = Read(folder), results.stores[0].read_run(row.run)
        assert found.run.run_id == row.run
        assert found.run.display_name == f"{row.setting}, seed {row.seed}"
        assert (found.run.run_group, found.run.project) == ("tiny", "rnnlab")
        wanted = flatten(record["settings"]) | {"seed": row.seed, "setting": row.setting}
        assert {k: v for k, v in found.config.items() if k != "_wandb"} == wanted
        for key, value in record["summary"].items():
            assert found.summary.get(key) == (value if value is None else pytest.approx(value))
        assert found.summary["status"] == "finished"
        assert found.summary["training/loss"] == found.history[-2]["training/loss"]


def test_times_are_those_of_the_run(results, out):
    folders = exported(results, out)
    for folder, run in zip(folders, runs_to_export(results), strict=True):
        for step in Read(folder).history:
            assert step["_timestamp"] == pytest.approx(run.time(step["_step"]), abs=1e-3)


def test_exporting_again_replaces(results, out):
    earlier = out / "wandb" / f"offline-run-20200101_000000-{stored(results)[0].run}"
    earlier.mkdir(parents=True)
    folders = exported(results, out)
    assert not earlier.exists()
    folders = exported(results, out)
    assert set((out / "wandb").iterdir()) == set(folders)
    assert len(Read(folders[0]).history) == 26


def test_a_run_of_the_users_own_is_left_alone(results, out, tmp_path_factory):
    import wandb

    folder = tmp_path_factory.mktemp("own")
    own = wandb.init(mode="offline", dir=str(folder), settings={"silent": True, "symlink": False})
    own.log({"mine": 1})
    export(results, "wandb-offline", out)
    own.log({"mine": 2})
    own.finish()
    wandb.teardown()
    (own_run,) = folder.glob("wandb/offline-run-*")
    assert [step["mine"] for step in Read(own_run).history] == [1, 2]


def test_odd_names_stay_inside(odd, out):
    folders = exported(odd, out)
    assert {folder.parent for folder in folders} == {out / "wandb"}
    assert set(out.iterdir()) == {out / "wandb"}
    for folder, row in zip(folders, stored(odd), strict=True):
        found = Read(folder)
        assert found.run.display_name == f"{row.setting}, seed {row.seed}"[:128]
        assert found.config["setting"] == row.setting
    assert found.summary["status"] == "diverged"


def test_no_reports_are_sent(results, out, monkeypatch):
    import os

    import wandb

    seen = []
    original = wandb.init
    monkeypatch.setattr(
        wandb,
        "init",
        lambda **k: seen.append((k["mode"], os.environ["WANDB_ERROR_REPORTING"])) or original(**k),
    )
    export(results, "wandb-offline", out)
    assert set(seen) == {("offline", "false")}
    assert "WANDB_ERROR_REPORTING" not in os.environ


def test_what_wandb_refuses_is_a_message(results, out, monkeypatch):
    import wandb

    from rnnlab.support.errors import UserError

    def refuses(**_):
        raise wandb.Error("no")

    monkeypatch.setattr(wandb, "init", refuses)
    with pytest.raises(UserError, match="out: wandb: no"):
        export(results, "wandb-offline", out)
