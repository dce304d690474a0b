"""The runs that are exported, and their numbers by step."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnnlab.config.labels import flatten
from rnnlab.results.read import Results
from rnnlab.results.stored_run import ENDED, StoredRun
from rnnlab.support.errors import UserError
from rnnlab.training.quantities import QUANTITIES

LABEL_LENGTH = 40


@dataclass(frozen=True)
class ExportedRun:
    """A run that finished or diverged, and its names in other tools.

    Attributes:
        setting: the label of its setting.
        stored: the run.
    """

    setting: str
    stored: StoredRun

    @property
    def id(self) -> str:
        """The run's hash."""
        return self.stored.id

    @property
    def seed(self) -> int:
        """The seed of its initial parameters and data."""
        return int(self.record["seed"])

    @property
    def name(self) -> str:
        """The label and the seed."""
        return f"{self.setting}, seed {self.seed}"

    @property
    def key(self) -> str:
        """The id in a form for file names."""
        return safe_name(self.id)

    @property
    def folder_name(self) -> str:
        """A name for files, unique among runs; it ends with ``key``."""
        label = safe_name(self.setting)[:LABEL_LENGTH]
        return f"{label}-seed{safe_name(str(self.seed))}-{self.key}"

    @property
    def record(self) -> dict[str, Any]:
        """The content of ``run.json``."""
        return self.stored.record

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting under its dotted key."""
        return flatten(self.record["settings"])

    @property
    def summary(self) -> dict[str, Any]:
        """The numbers of the run's summary, without missing ones."""
        return {key: v for key, v in self.record["summary"].items() if v is not None}

    def time(self, step: int) -> float:
        """The time of a step in seconds since 1970: an estimate, as times of steps are not stored.

        The run's ``seconds`` are spread evenly over its steps, up to when ``run.json`` was written.
        """
        end = self.stored.file("run.json").stat().st_mtime
        share = step / max(self.summary["last_step"], 1)
        return end - self.summary.get("seconds", 0.0) * (1 - share)

    def has_table(self, name: str) -> bool:
        """Whether the run has the table of a quantity."""
        return self.stored.has_table(name)

    def table(self, name: str) -> pd.DataFrame:
        """The table of a quantity, with ``run``, ``setting`` and ``seed`` in front."""
        return self.stored.table(name, self.setting)

    def history(self) -> dict[int, dict[str, float]]:
        """The numbers for a dashboard, by step, under names like ``training/loss``.

        The numbers are the ``curves`` of the quantities. Missing numbers, such as the logarithm of
        a norm that reads zero, are left out.
        """
        recorded = {name: q for name, q in QUANTITIES.items() if self.has_table(name)}
        parts = [quantity.curves(self.table(name)) for name, quantity in recorded.items()]
        long = pd.concat([part for part in parts if part is not None])
        long = long.dropna(subset="value").sort_values("step", kind="stable")
        by_step: dict[int, dict[str, float]] = {}
        for step, name, value in zip(long["step"], long["name"], long["value"], strict=True):
            by_step.setdefault(int(step), {})[name] = float(value)
        return by_step


def runs_to_export(results: Results) -> Iterator[ExportedRun]:
    """The runs that finished or diverged, in the order of the sweep.

    Raises:
        UserError: there is no such run.
    """
    runs = results.runs[results.runs["status"].isin(ENDED)]
    if runs.empty:
        raise UserError(f"{results.name}: no run has finished yet, so there is nothing to export")
    for run, setting in zip(runs["run"], runs["setting"], strict=True):
        yield ExportedRun(setting, results.stored_run(run))


def safe_name(text: str) -> str:
    """A text in a form for file names: letters, digits and ``_ . + -``, no leading dot."""
    return re.sub(r"[^\w.+-]+", "_", text).strip("._") or "_"
