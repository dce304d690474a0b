"""Reading stored results as data frames."""

from collections.abc import Sequence, Sized
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from rnnlab.config.model import BEFORE_TRAINING
from rnnlab.results.folders import open_for_reading
from rnnlab.results.runs import environments, mixtures_of, runs_frame, wanted_runs
from rnnlab.results.store import Store
from rnnlab.results.stored_run import StoredRun
from rnnlab.support.errors import UserError, did_you_mean
from rnnlab.support.paths import user_path
from rnnlab.support.provided import provided
from rnnlab.support.text import printable
from rnnlab.training.quantities import QUANTITIES


class Results:
    """Stored results, read on access.

    Each recorded quantity is a data frame under its name, such as ``results.gradients``, with
    ``run``, ``setting`` and ``seed`` in front; see ``rnnlab.training.quantities`` and
    docs/results.md.

    Attributes:
        name: the name of the experiment.
        question: the question that the experiment answers.
        stores: the results folders.
        runs: one row per run, including missing and failed ones: ``run`` (id), ``seed``,
            ``setting`` (its label), ``status`` (finished, diverged, failed, damaged, missing),
            ``error``, every setting under its dotted key, and the run's summary.
    """

    def __init__(self, stores: Sequence[Store], *, every_config: bool = False) -> None:
        experiments = [store.experiment() for store in stores]
        self.stores = list(stores)
        self.name = " + ".join(dict.fromkeys(e["name"] for e in experiments))
        self.question = experiments[0]["question"]
        self._stored: dict[str, StoredRun] = {}
        for store, experiment in zip(stores, experiments, strict=True):
            for wanted in wanted_runs(store, experiment, every_config):
                earlier = self._stored.get(wanted["id"])
                if earlier is None or not earlier.has_ended:
                    self._stored[wanted["id"]] = StoredRun.read(store, wanted)
        records = [run.record for run in self._stored.values()]
        self.runs = runs_frame(records)
        self._environments = environments(records)

    def counted(self) -> str:
        """How many runs there are, of how many settings, by their status."""
        counts = self.runs["status"].value_counts()
        by_status = ", ".join(f"{count} {status}" for status, count in counts.items())
        return f"{_many(self.runs, 'run')} of {_many(self.settings, 'setting')}: {by_status}"

    @property
    def has_only_diverged(self) -> bool:
        """Whether runs diverged, and none finished."""
        statuses = set(self.runs["status"])
        return "diverged" in statuses and "finished" not in statuses

    def __repr__(self) -> str:
        folders = ", ".join(str(store.folder) for store in self.stores)
        return f"<Results {self.name!r}: {self.counted()}; in {printable(folders)}>"

    def _repr_html_(self) -> str:
        return str(provided("results as HTML")(self))

    @property
    def plotly(self) -> Any:
        """Interactive figures, such as ``results.plotly.decay()``; see ``Interactive``."""
        return provided("interactive figures")(self)

    @cached_property
    def before_training(self) -> "Results":
        """Results measured before training, by the config's ``measure``; their runs make no step.

        Raises:
            UserError: nothing was measured before training.
        """
        outer, *inner = folders_of(self.stores[0].folder)
        if not inner:
            raise UserError(f"{outer}: nothing was measured before training; set before_training")
        return load(*inner)

    @property
    def has_before_training(self) -> bool:
        """Whether anything was measured before training."""
        return len(folders_of(self.stores[0].folder)) > 1

    @property
    def settings(self) -> list[str]:
        """The labels of the settings, in the order of the sweep."""
        return list(self.runs["setting"].cat.categories)

    def mixtures(self) -> list[str]:
        """A sentence for each part of the environment on which the runs differ."""
        return mixtures_of(self._environments)

    def __getattr__(self, name: str) -> pd.DataFrame:
        """The table of a recorded quantity, over all runs that have it.

        Raises:
            AttributeError: there is no such quantity.
            UserError: no stored run has it.
        """
        if name not in QUANTITIES:
            raise AttributeError(f"Results have no {name!r}; {did_you_mean(name, QUANTITIES)}")
        frame = self.__dict__[name] = self._table(name)
        return frame

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *QUANTITIES]

    def has(self, name: str) -> bool:
        """Whether a stored run has the table of this quantity."""
        return not self._with_table(name).empty

    def stored_run(self, run: str) -> StoredRun:
        """A run by its id."""
        return self._stored[run]

    def file_of(self, run: str, name: str) -> Path:
        """The path of one of a stored run's files."""
        return self._stored[run].file(name)

    def has_begun(self, run: str) -> bool:
        """Whether a checkpoint of the run is stored."""
        return run in self._stored and self._stored[run].has_begun

    @property
    def has_jacobians(self) -> bool:
        """Whether a stored run recorded Jacobians."""
        return self.has("jacobians")

    def _with_table(self, name: str) -> pd.DataFrame:
        """The rows of the runs that have a table."""
        stored = [self._stored[run].has_table(name) for run in self.runs["run"]]
        return self.runs[stored]

    def _table(self, name: str) -> pd.DataFrame:
        runs = self._with_table(name)
        if runs.empty:
            folders = ", ".join(str(store.folder) for store in self.stores)
            raise UserError(f"{folders}: {self._why_not(name)}")
        tables = [
            self._stored[run].table(name, setting)
            for run, setting in zip(runs["run"], runs["setting"], strict=True)
        ]
        frame = pd.concat(tables, ignore_index=True)
        frame["setting"] = pd.Categorical(frame["setting"], self.settings, ordered=True)
        return frame

    def _why_not(self, name: str) -> str:
        option = QUANTITIES[name].option
        if option is not None:
            return f"no run recorded {option.what}; set {option.request}"
        if not self.runs["status"].isin(["finished", "diverged"]).any():
            return "no run has finished yet; rnnlab run CONFIG does what is missing"
        return f"no run recorded {name}"


def _many(things: Sized, name: str) -> str:
    return f"{len(things)} {name}{'s' * (len(things) != 1)}"


def load(*folders: str | Path, every_config: bool = False) -> Results:
    """Open one or more results folders.

    Args:
        folders: results folders that ``rnnlab run`` wrote.
        every_config: include runs stored in the folders that the present config does not name.

    Raises:
        UserError: no folder is given; or one is missing, empty, damaged, of a newer version, or
            not a results folder.
    """
    if not folders:
        raise UserError("load needs a results folder, such as rnnlab.load('results/forget_bias')")
    stores = [open_for_reading(user_path(folder)) for folder in folders]
    return Results(stores, every_config=every_config)


def folders_of(folder: Path) -> list[Path]:
    """A results folder, and the folder inside it of measurements before training, if present."""
    inner = folder / BEFORE_TRAINING
    return [folder, inner] if inner.is_dir() else [folder]
