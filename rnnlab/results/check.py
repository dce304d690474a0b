"""Checking a results folder for damage, and repairing it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rnnlab.results.folders import find_store
from rnnlab.results.store import Store
from rnnlab.support.checksums import (
    Damaged,
    OtherVersion,
    has_its_checksum,
    read_bytes,
    read_sealed,
    sha256,
)
from rnnlab.support.files import storage_errors


@dataclass(frozen=True)
class Damage:
    """A damaged file.

    Attributes:
        message: names the file and the damage.
        run: the id of the run that the file belongs to, or None.
        checkpoint: the damaged checkpoint, or None.
    """

    message: str
    run: str | None = None
    checkpoint: Path | None = None


def find_damage(folder: Path) -> list[Damage]:
    """Read every file of a results folder and compare it with its checksum.

    Raises:
        UserError: there is no such folder, or it is not a results folder.
    """
    store = find_store(folder)
    return [*_of_the_experiment(store), *_of_runs(store), *_of_checkpoints(store)]


def _of_the_experiment(store: Store) -> Iterator[Damage]:
    try:
        files = store.experiment()["files"]
        for name, checksum in files.items():
            path = store.folder / name
            if sha256(read_bytes(path)) != checksum:
                yield Damage(f"{path}: is not as it was written; run the config again")
    except Damaged as damage:
        yield Damage(str(damage))
    environment = store.folder / "environment.json"
    if environment.exists():
        try:
            read_sealed(environment)
        except Damaged as damage:
            yield Damage(f"{damage}; the next run writes it again")


def _of_runs(store: Store) -> Iterator[Damage]:
    for run_id in store.run_ids():
        try:
            run = store.read_run(run_id)
            for name in run["files"] if run is not None else ():
                store.read_file(run_id, name)
        except OtherVersion as other:
            yield Damage(str(other))
        except Damaged as damage:
            yield Damage(str(damage), run=run_id)


def _of_checkpoints(store: Store) -> Iterator[Damage]:
    for path in sorted(store.folder.glob("checkpoints/*.safetensors")):
        with storage_errors(path):
            if not has_its_checksum(path.read_bytes()):
                yield Damage(f"{path}: is not as it was written", checkpoint=path)


def repair(folder: Path) -> tuple[list[str], list[Damage]]:
    """Delete damaged runs and checkpoints, and nothing else.

    Returns:
        One line for each deletion, and the damage that remains.

    Raises:
        UserError: another process is writing into the folder, or it cannot be written.
    """
    store = Store(folder)
    done = []
    with store.locked():
        damages = find_damage(folder)
        for run_id in dict.fromkeys(damage.run for damage in damages if damage.run):
            store.drop_run(run_id)
            done.append(f"dropped run {run_id}")
        for path in [damage.checkpoint for damage in damages if damage.checkpoint]:
            with storage_errors(path):
                path.unlink(missing_ok=True)
            done.append(f"dropped {path}")
    return done, [d for d in damages if d.run is None and d.checkpoint is None]
