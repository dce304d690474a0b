"""Reading results back as data frames."""

import contextlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from rnnlab.config.labels import flatten, label_each
from rnnlab.config.model import BEFORE_TRAINING
from rnnlab.results.folders import open_for_reading
from rnnlab.results.store import Store
from rnnlab.support.checksums import Damaged
from rnnlab.support.errors import UserError

# What ``analysis.summarize_run`` and the engine say of a run; None where it has not run.
SUMMARY = (
    "baseline",
    "threshold",
    "metric",
    "read_step",
    "parameters",
    "last_step",
    "final_loss",
    "final_metric",
    "solved_at",
    "forget_first",
    "forget_last",
    "decay_of",
    "decay_first",
    "decay_last",
    "sensitivity_decay_first",
    "sensitivity_decay_last",
    "indirect_share_first",
    "indirect_share_last",
    "top_exponent_first",
    "top_exponent_last",
    "seconds",
)


# Of a run that has no results here, another folder may have them.
NO_RESULTS = ("missing", "failed", "damaged")


class Results:
    """Stored results, read when asked for.

    Attributes:
        name: of the experiment.
        question: what it answers.
        stores: the results folders.
        runs: one row a run, also those that are missing or failed: ``run`` (id), ``seed``,
            ``setting`` (its label), ``status`` (finished, diverged, failed, damaged, missing),
            ``error``, every setting under its dotted key, and the run's summary.
    """

    def __init__(self, stores: Sequence[Store], *, every_config: bool = False) -> None:
        experiments = [store.experiment() for store in stores]
        self.stores = list(stores)
        self.name = " + ".join(dict.fromkeys(e["name"] for e in experiments))
        self.question = experiments[0]["question"]
        self._home: dict[str, Store] = {}
        records: dict[str, dict[str, Any]] = {}
        for store, experiment in zip(stores, experiments, strict=True):
            for wanted in _wanted_runs(store, experiment, every_config):
                run_id = wanted["id"]
                if records.get(run_id, {"status": "missing"})["status"] in NO_RESULTS:
                    self._home[run_id] = store
                    records[run_id] = _record(store, wanted)
        self.runs = _runs_frame(list(records.values()))
        self._environments = _environments(list(records.values()))

    @cached_property
    def before_training(self) -> "Results":
        """What was measured before training, by the config's ``measure``: runs of no step.

        Raises:
            UserError: nothing was.
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
        return [
            f"mixed results: {name} is {', '.join(sorted(values))}"
            for name, values in self._environments.items()
            if len(values) > 1
        ]

    @cached_property
    def training(self) -> pd.DataFrame:
        """``run, setting, seed`` and, at each step, the training and evaluation numbers."""
        return self._table("training")

    @cached_property
    def gradients(self) -> pd.DataFrame:
        """``run, setting, seed`` and log10 adjoint norms by step, t, layer and quantity.

        ``distance`` is the number of steps from t to where the memory loss is read.
        """
        frame = self._table("gradients")
        read_step = frame["run"].map(self.runs.set_index("run")["read_step"]).astype(float)
        frame["distance"] = read_step - frame["t"]
        return frame

    @cached_property
    def gates(self) -> pd.DataFrame:
        """``run, setting, seed`` and gate statistics by step, t, layer and gate."""
        return self._table("gates")

    @cached_property
    def means(self) -> pd.DataFrame:
        """``run, setting, seed`` and mean adjoint norms and gates by every step, t and layer.

        Raises:
            UserError: no stored run recorded them.
        """
        stored = self._stored_with("record.means")
        if stored.empty:
            raise UserError(f"{self._folders}: no run recorded means; set record.means=true")
        return self._read(stored, "means")

    @cached_property
    def jacobians(self) -> pd.DataFrame:
        """``run, setting, seed`` and sizes of ∂c_t/∂c_{t−1} by path, by step, t and layer."""
        return self._jacobian_table("jacobians")

    @cached_property
    def lyapunov(self) -> pd.DataFrame:
        """``run, setting, seed`` and exponents at the start and the end, by example and index."""
        return self._jacobian_table("lyapunov")

    @cached_property
    def eigenvalues(self) -> pd.DataFrame:
        """``run, setting, seed`` and eigenvalues of ∂(h, c)_t/∂(h, c)_{t−1}, start and end."""
        return self._jacobian_table("eigenvalues")

    def file_of(self, run: str, name: str) -> Path:
        """Where a file of a stored run is."""
        return self._home[run].run_folder(run) / name

    def has_begun(self, run: str) -> bool:
        """Whether a checkpoint of the run is stored."""
        return run in self._home and self._home[run].checkpoints.path(run).exists()

    @property
    def has_jacobians(self) -> bool:
        """Whether a stored run recorded Jacobians."""
        return not self._stored_with("record.jacobians.every").empty

    def _jacobian_table(self, name: str) -> pd.DataFrame:
        if not self.has_jacobians:
            raise UserError(
                f"{self._folders}: no run recorded Jacobians; set record.jacobians={{every: …}}, "
                "or measure the runs as they ended with rnnlab measure"
            )
        return self._read(self._stored_with("record.jacobians.every"), name)

    @property
    def _folders(self) -> str:
        return ", ".join(str(store.folder) for store in self.stores)

    def _stored(self) -> pd.DataFrame:
        return self.runs[self.runs["status"].isin(["finished", "diverged"])]

    def _stored_with(self, key: str) -> pd.DataFrame:
        """Those whose config sets this key."""
        stored = self._stored()
        if key not in stored:
            return stored.iloc[:0]
        return stored[[not pd.isna(value) and bool(value) for value in stored[key]]]

    def _table(self, name: str) -> pd.DataFrame:
        stored = self._stored()
        if stored.empty:
            raise UserError(
                f"{self._folders}: no run has finished yet; rnnlab run CONFIG does what is missing"
            )
        return self._read(stored, name)

    def _read(self, stored: pd.DataFrame, name: str) -> pd.DataFrame:
        tables = []
        for run, setting, seed in zip(
            stored["run"], stored["setting"], stored["seed"], strict=True
        ):
            table = self._home[run].read_table(run, name)
            table.insert(0, "run", run)
            table.insert(1, "setting", setting)
            table.insert(2, "seed", seed)
            tables.append(table)
        frame = pd.concat(tables, ignore_index=True)
        frame["setting"] = pd.Categorical(frame["setting"], self.settings, ordered=True)
        return frame


def load(*folders: str | Path, every_config: bool = False) -> Results:
    """Open one or more results folders.

    Args:
        folders: as ``rnnlab run`` wrote them.
        every_config: include runs stored in the folders that the present config does not name.

    Raises:
        UserError: a folder is missing, empty, damaged, of a newer version, or not rnnlab's.
    """
    stores = [open_for_reading(Path(folder)) for folder in folders]
    return Results(stores, every_config=every_config)


def folders_of(folder: Path) -> list[Path]:
    """A results folder and, inside it, that of what was measured before training, if it was."""
    inner = folder / BEFORE_TRAINING
    return [folder, inner] if inner.is_dir() else [folder]


def _wanted_runs(
    store: Store, experiment: dict[str, Any], every_config: bool
) -> list[dict[str, Any]]:
    """What defines each run; one of an earlier config that is damaged does not tell."""
    runs = list(experiment["runs"])
    if every_config:
        named = {run["id"] for run in runs}
        for run_id in store.run_ids():
            if run_id not in named:
                with contextlib.suppress(Damaged):
                    runs.append(store.read_run(run_id))
    return runs


def _record(store: Store, wanted: dict[str, Any]) -> dict[str, Any]:
    """What is stored of a run."""
    try:
        return store.read_run(wanted["id"]) or wanted | {"status": "missing"}
    except Damaged as damage:
        return wanted | {"status": "damaged", "error": str(damage)}


def _runs_frame(records: list[dict[str, Any]]) -> pd.DataFrame:
    flat = [flatten(record["settings"]) for record in records]
    names = label_each(flat)
    rows = [
        {
            "run": record["id"],
            "setting": name,
            "seed": record["seed"],
            "status": record["status"],
            "error": record.get("error"),
            **settings,
            **dict.fromkeys(SUMMARY),
            **record.get("summary", {}),
        }
        for record, settings, name in zip(records, flat, names, strict=True)
    ]
    frame = pd.DataFrame(rows)
    frame["setting"] = pd.Categorical(frame["setting"], list(dict.fromkeys(names)), ordered=True)
    return frame


def _environments(records: list[dict[str, Any]]) -> dict[str, set[str]]:
    """The values that each part of the environment has over the stored runs."""
    values: dict[str, set[str]] = {}
    for record in records:
        made_in = record.get("environment", {})
        for name, value in (made_in | made_in.get("libraries", {})).items():
            if name not in ("libraries", "git_revision"):
                values.setdefault(name, set()).add(str(value))
    return values
