"""Storage of the states of unfinished runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rnnlab.support.files import storage_errors, sync_folder, write_bytes


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints in a results folder, as bytes; see ``engine.checkpoint``."""

    folder: Path

    def path(self, run_id: str) -> Path:
        """The file that holds a run's state."""
        return self.folder / "checkpoints" / f"{run_id}.safetensors"

    def read(self, run_ids: Iterable[str]) -> dict[str, bytes]:
        """Read the states of the given runs, for those that have begun."""
        paths = {run_id: self.path(run_id) for run_id in run_ids}
        with storage_errors(self.folder):
            return {run_id: path.read_bytes() for run_id, path in paths.items() if path.exists()}

    def write(self, run_id: str, content: bytes) -> None:
        """Store the state that a run has reached.

        Raises:
            UserError: the folder cannot be written.
        """
        path = self.path(run_id)
        with storage_errors(self.folder):
            path.parent.mkdir(exist_ok=True)
            sync_folder(self.folder)
            write_bytes(path, content)

    def drop(self, run_id: str) -> None:
        """Delete a run's state, if there is one.

        Raises:
            UserError: the folder cannot be written.
        """
        with storage_errors(self.folder):
            self.path(run_id).unlink(missing_ok=True)
