"""The results folder: its layout, and atomic writes.

A results folder holds ``experiment.json`` (the experiment of the present config), ``config.yaml``,
``environment.json`` and ``runs/<id>/``: ``run.json`` (settings, status, summary, and the checksum
of every other file), Parquet tables and the final parameters; a failed run has ``error.txt``
instead. ``checkpoints/`` holds the state of runs that are not finished.
"""

import contextlib
import io
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

from rnnlab.results.checkpoints import Checkpoints
from rnnlab.support.checksums import (
    Damaged,
    OtherVersion,
    read_bytes,
    read_sealed,
    sealed,
    sha256,
    write_sealed,
)
from rnnlab.support.errors import UserError
from rnnlab.support.files import standing_for, storage_errors, sync_folder, write_bytes, write_text
from rnnlab.support.version import RESULTS_VERSION

FORMAT = "rnnlab results"
RUN_ID = re.compile(r"[0-9a-f]{16}")
# Temporary files of ``Store._replacing_run`` and ``files.replacing``, left by a killed process.
UNFINISHED_RUN = re.compile(r"\.[0-9a-f]{16}\.")
UNFINISHED_FILE = re.compile(r"\.\d+\.")


@dataclass(frozen=True)
class Store:
    """A results folder."""

    folder: Path

    def experiment(self) -> dict[str, Any]:
        """The experiment of the present config: name, question, runs (id, seed, settings).

        Raises:
            Damaged: the file is not as it was written, or (OtherVersion) is of another version.
        """
        experiment = read_experiment(self.folder / "experiment.json")
        for run in experiment["runs"]:
            if not RUN_ID.fullmatch(run["id"]):
                raise Damaged(f"{self.folder / 'experiment.json'}: {run['id']!r} is no run's id")
        return experiment

    def write_experiment(self, experiment: dict[str, Any], config_yaml: str) -> None:
        """Make this the experiment of the folder; runs of earlier experiments stay.

        Raises:
            UserError: the folder cannot be written.
        """
        head = {
            "format": FORMAT,
            "results_version": RESULTS_VERSION,
            "files": {"config.yaml": sha256(config_yaml.encode())},
        }
        with storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            # Written first: it marks the folder as ours, if this process is killed in between.
            write_sealed(self.folder / "experiment.json", head | experiment)
            write_text(self.folder / "config.yaml", config_yaml)

    def write_environment(self, environment: dict[str, Any]) -> None:
        """Store the environment of the latest runs.

        Raises:
            UserError: the folder cannot be written.
        """
        with storage_errors(self.folder):
            write_sealed(self.folder / "environment.json", environment)

    @property
    def checkpoints(self) -> Checkpoints:
        """The states of runs that are not finished."""
        return Checkpoints(self.folder)

    def run_folder(self, run_id: str) -> Path:
        """The folder of a run's files."""
        return self.folder / "runs" / run_id

    def run_ids(self) -> list[str]:
        """The ids of all stored runs, of any status and config, damaged ones included."""
        return sorted(p.name for p in self.folder.glob("runs/*") if RUN_ID.fullmatch(p.name))

    def read_run(self, run_id: str) -> dict[str, Any] | None:
        """A run's ``run.json``, or None where the run is missing.

        Raises:
            Damaged: the file is not as it was written, or (OtherVersion) is of another version.
            UserError: the file system cannot read it.
        """
        path = self.run_folder(run_id) / "run.json"
        if not path.parent.exists():
            return None
        run = read_sealed(path)
        if run["id"] != run_id:
            raise Damaged(f"{path}: is of run {run['id']}")
        return run

    def is_done(self, run_id: str) -> bool:
        """Whether a run has results: not if it has failed or its ``run.json`` is damaged."""
        try:
            run = self.read_run(run_id)
        except Damaged:
            return False
        return run is not None and run["status"] != "failed"

    def read_file(self, run_id: str, name: str) -> bytes:
        """The content of one of a run's files.

        Raises:
            Damaged: the file is missing, or differs from what was written.
        """
        run = self.read_run(run_id)
        path = self.run_folder(run_id) / name
        try:
            content = read_bytes(path)
        except Damaged as damage:
            raise Damaged(f"{damage}; {self._remedy()}") from None
        if run is None or run["files"].get(name) != sha256(content):
            raise Damaged(
                f"{path}: is not as it was written (its checksum differs); {self._remedy()}"
            )
        return content

    def _remedy(self) -> str:
        return f"rnnlab check {self.folder} --repair drops such runs, so that they run again"

    def read_table(self, run_id: str, table: str) -> pd.DataFrame:
        """One of a run's Parquet tables; raises the same errors as ``read_file``."""
        return pd.read_parquet(io.BytesIO(self.read_file(run_id, f"{table}.parquet")))

    def write_run(self, run_id: str, head: dict[str, Any], files: dict[str, bytes]) -> None:
        """Store a run that has ended, in place of an earlier attempt.

        Its checkpoint is deleted, unless the run has failed and may continue from there.

        Args:
            run_id: the run.
            head: the content of ``run.json`` without the checksums.
            files: content by name.

        Raises:
            UserError: the folder cannot be written.
        """
        checksums = {name: sha256(content) for name, content in files.items()}
        with storage_errors(self.folder), self._replacing_run(run_id) as folder:
            for name, content in files.items():
                write_bytes(folder / name, content)
            write_bytes(folder / "run.json", sealed(head | {"files": checksums}))
        if head["status"] != "failed":
            self.checkpoints.drop(run_id)

    @contextlib.contextmanager
    def _replacing_run(self, run_id: str) -> Iterator[Path]:
        """A temporary folder that replaces the run's when it is complete."""
        target = self.run_folder(run_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        sync_folder(self.folder)
        partial = target.with_name(f".{run_id}.{os.getpid()}")
        try:
            with standing_for(target, partial):
                partial.mkdir()
                yield partial
                if target.exists():
                    shutil.rmtree(target)
                partial.rename(target)
            sync_folder(target.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def drop_run(self, run_id: str) -> None:
        """Delete a run, so that it counts as missing.

        Raises:
            UserError: the folder cannot be written.
        """
        with storage_errors(self.folder):
            shutil.rmtree(self.run_folder(run_id))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder for writing, and remove temporary files of a killed process.

        Raises:
            UserError: another process is writing into the folder.
        """
        with storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / ".lock")
            try:
                lock.acquire(blocking=False)
            except Timeout:
                raise UserError(
                    f"{self.folder}: another rnnlab is at work in this folder; "
                    f"rnnlab watch {self.folder} follows it"
                ) from None
        try:
            self._remove_leftovers()
            yield
        finally:
            lock.release()

    def _remove_leftovers(self) -> None:
        for path in self.folder.glob("runs/.*"):
            if UNFINISHED_RUN.match(path.name):
                shutil.rmtree(path, ignore_errors=True)
        with storage_errors(self.folder):
            for path in [p for pattern in (".*", "*/.*") for p in self.folder.glob(pattern)]:
                if UNFINISHED_FILE.match(path.name) and path.is_file():
                    path.unlink(missing_ok=True)


def read_experiment(path: Path) -> dict[str, Any]:
    """Read ``experiment.json``.

    Raises:
        Damaged: the file is not as it was written, or (OtherVersion) is of another version.
    """
    try:
        return read_sealed(path)
    except OtherVersion:
        raise
    except Damaged as damage:
        raise Damaged(f"{damage}; rnnlab run CONFIG --out {path.parent} writes it again") from None
