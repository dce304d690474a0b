"""The results folder: its layout, and writes that are whole or not there.

A results folder holds ``experiment.json`` (what the present config asks for), ``config.yaml``,
``environment.json`` and ``runs/<id>/``: ``run.json`` (settings, status, summary), Parquet tables
and the final parameters; a failed run has ``error.txt`` instead.
"""

import contextlib
import errno
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from rnnlab.errors import UserError, did_you_mean
from rnnlab.version import RESULTS_VERSION

FORMAT = "rnnlab results"


@dataclass(frozen=True)
class Store:
    """A results folder."""

    folder: Path

    def experiment(self) -> dict[str, Any]:
        """What the present config asks for: name, question, runs (id, seed, settings)."""
        return _read_json(self.folder / "experiment.json")

    def write_experiment(
        self, experiment: dict[str, Any], config_yaml: str, environment: dict[str, Any]
    ) -> None:
        """Make the folder that of this config; runs of earlier ones stay."""
        head = {"format": FORMAT, "results_version": RESULTS_VERSION}
        with storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_text(self.folder / "experiment.json", _to_json(head | experiment))
            write_text(self.folder / "config.yaml", config_yaml)
            write_text(self.folder / "environment.json", _to_json(environment))

    def run_folder(self, run_id: str) -> Path:
        """Where a run's files are."""
        return self.folder / "runs" / run_id

    def run_ids(self) -> list[str]:
        """Every run that is stored, whatever its status or config."""
        return sorted(path.parent.name for path in self.folder.glob("runs/[!.]*/run.json"))

    def read_run(self, run_id: str) -> dict[str, Any] | None:
        """A run's ``run.json``, or None where the run is missing."""
        path = self.run_folder(run_id) / "run.json"
        return _read_json(path) if path.exists() else None

    def is_done(self, run_id: str) -> bool:
        """Whether a run has its results; a failed one has not."""
        run = self.read_run(run_id)
        return run is not None and run["status"] != "failed"

    def read_table(self, run_id: str, table: str) -> pd.DataFrame:
        """One of a run's Parquet tables."""
        path = self.run_folder(run_id) / f"{table}.parquet"
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise UserError(
                f"{path}: cannot be read: {error}; delete {path.parent} and run the config again"
            ) from None

    def write_run(
        self,
        run_id: str,
        run: dict[str, Any],
        tables: dict[str, pd.DataFrame],
        params: dict[str, Any],
    ) -> None:
        """Store a run that finished or diverged."""
        from safetensors.numpy import save

        with storage_errors(self.folder), self._replacing_run(run_id) as folder:
            for name, table in tables.items():
                write_parquet(table, folder / f"{name}.parquet")
            (folder / "params.safetensors").write_bytes(save(params))
            write_text(folder / "run.json", _to_json(run))

    def write_failure(self, run_id: str, run: dict[str, Any], traceback: str) -> None:
        """Store that a run failed, and why."""
        with storage_errors(self.folder), self._replacing_run(run_id) as folder:
            write_text(folder / "error.txt", traceback)
            write_text(folder / "run.json", _to_json(run))

    @contextlib.contextmanager
    def _replacing_run(self, run_id: str) -> Iterator[Path]:
        """A scratch folder that takes the run's place when all is written."""
        target = self.run_folder(run_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{run_id}.", dir=target.parent))
        partial.chmod(0o755)
        try:
            yield partial
            if target.exists():
                shutil.rmtree(target)
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def open_for_writing(folder: Path) -> Store:
    """The results folder, which may not exist yet.

    Raises:
        UserError: it holds something else, or results of a newer version.
    """
    store = Store(folder)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: is a file, not a results folder")
    if folder.exists() and any(folder.iterdir()):
        _check_is_ours(store)
    return store


def open_for_reading(folder: Path) -> Store:
    """An existing results folder.

    Raises:
        UserError: there is none, or it is empty, not ours, or of a newer version.
    """
    if not folder.is_dir():
        siblings = [p.name for p in folder.parent.glob("*/") if (p / "experiment.json").exists()]
        raise UserError(f"{folder}: no such results folder; {did_you_mean(folder.name, siblings)}")
    if not any(folder.iterdir()):
        raise UserError(f"{folder}: is empty; rnnlab run CONFIG --out {folder} fills it")
    store = Store(folder)
    _check_is_ours(store)
    return store


def _check_is_ours(store: Store) -> None:
    path = store.folder / "experiment.json"
    if not path.exists():
        raise UserError(f"{store.folder}: not a results folder of rnnlab (no experiment.json)")
    experiment = _read_json(path)
    if not isinstance(experiment, dict) or experiment.get("format") != FORMAT:
        raise UserError(f"{path}: not written by rnnlab")
    if experiment["results_version"] > RESULTS_VERSION:
        raise UserError(
            f"{path}: results of version {experiment['results_version']}, and this rnnlab reads "
            f"up to {RESULTS_VERSION}: install a newer rnnlab"
        )


@contextlib.contextmanager
def storage_errors(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses into a message."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise UserError(
                f"{folder}: no space left on the device; what was stored before is intact, and "
                "running the same command again goes on from there"
            ) from None
        raise UserError(f"{error.filename or folder}: {error.strerror or error}") from None


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A scratch file of the same ending that takes the path's place when it is written."""
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a file that appears whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Floats are split into byte streams, which makes them compress."""
    floats = [name for name, dtype in table.dtypes.items() if dtype.kind == "f"]
    keys = [column for column in table.columns if column not in floats]
    with replacing(path) as partial:
        table.to_parquet(
            partial,
            index=False,
            compression="zstd",
            use_dictionary=keys,
            use_byte_stream_split=floats,
        )


def _to_json(content: dict[str, Any]) -> str:
    return json.dumps(_finite(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity; null stands for a number that there is not."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
