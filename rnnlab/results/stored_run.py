"""One run of a results folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from rnnlab.results.store import Store
from rnnlab.support.checksums import Damaged
from rnnlab.training.quantities import QUANTITIES

# Statuses of a run that has results.
ENDED = ("finished", "diverged")


@dataclass(frozen=True)
class StoredRun:
    """A run of a results folder; its tables are read on access.

    Attributes:
        store: the results folder.
        record: the content of ``run.json``; for a missing or damaged run, its definition
            with that status.
    """

    store: Store
    record: dict[str, Any]

    @classmethod
    def read(cls, store: Store, wanted: dict[str, Any]) -> "StoredRun":
        """Read a run's ``run.json``.

        Args:
            store: the results folder.
            wanted: the run's definition, with at least ``id``.

        Raises:
            UserError: the file system cannot read it.
        """
        try:
            return cls(store, store.read_run(wanted["id"]) or wanted | {"status": "missing"})
        except Damaged as damage:
            return cls(store, wanted | {"status": "damaged", "error": str(damage)})

    @property
    def id(self) -> str:
        """The run's hash."""
        return str(self.record["id"])

    @property
    def has_ended(self) -> bool:
        """Whether the run has results: it finished or diverged."""
        return self.record["status"] in ENDED

    @property
    def has_begun(self) -> bool:
        """Whether a checkpoint of the run is stored."""
        return self.store.checkpoints.path(self.id).exists()

    def file(self, name: str) -> Path:
        """The path of one of the run's files."""
        return self.store.run_folder(self.id) / name

    def has_table(self, name: str) -> bool:
        """Whether the table of a quantity is stored."""
        return f"{name}.parquet" in self.record.get("files", ())

    def table(self, name: str, setting: str) -> pd.DataFrame:
        """The table of a quantity, with ``run``, ``setting`` and ``seed`` in front.

        Args:
            name: the name of the quantity.
            setting: the label of the run's setting.

        Raises:
            Damaged: the file is missing, or differs from what was written.
        """
        table = self.store.read_table(self.id, name)
        table = QUANTITIES[name].as_read(table, self.record["summary"])
        head = {"run": self.id, "setting": setting, "seed": self.record["seed"]}
        for position, (key, value) in enumerate(head.items()):
            table.insert(position, key, value)
        return table
