"""What is exported: runs one after the other, and what became of them step by step."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from rnnlab.config.labels import flatten
from rnnlab.results.read import Results
from rnnlab.results.store import Store
from rnnlab.support.errors import UserError

TRAINING_NAMES = {
    "loss": "training/loss",
    "gradient_norm": "training/gradient_norm",
    "update_norm": "training/update_norm",
    "eval_loss": "eval/loss",
    "eval_metric": "eval/metric",
}
LABEL_LENGTH = 40


@dataclass(frozen=True)
class StoredRun:
    """A run that finished or diverged, whose tables are read when asked for.

    Attributes:
        id: its hash.
        setting: the label of its setting.
        seed: of its initial parameters and data.
        store: the results folder that holds it.
    """

    id: str
    setting: str
    seed: int
    store: Store

    @property
    def name(self) -> str:
        """What people call it: the label and the seed."""
        return f"{self.setting}, seed {self.seed}"

    @property
    def key(self) -> str:
        """The id as a part of file names."""
        return safe_name(self.id)

    @property
    def folder_name(self) -> str:
        """A name for files, unique among runs; it ends with ``key``."""
        label = safe_name(self.setting)[:LABEL_LENGTH]
        return f"{label}-seed{safe_name(str(self.seed))}-{self.key}"

    @cached_property
    def record(self) -> dict[str, Any]:
        """What ``run.json`` says."""
        record = self.store.read_run(self.id)
        if record is None:
            raise UserError(f"{self.store.run_folder(self.id)}: is gone since it was listed")
        return record

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting under its dotted key."""
        return flatten(self.record["settings"])

    @property
    def summary(self) -> dict[str, Any]:
        """The run's few numbers, of those that it has."""
        return {key: v for key, v in self.record["summary"].items() if v is not None}

    def time(self, step: int) -> float:
        """When a step was made, as seconds since 1970: an estimate, as no clock was stored.

        The run's ``seconds``, spread evenly over its steps, end when its ``run.json`` was written.
        """
        end = (self.store.run_folder(self.id) / "run.json").stat().st_mtime
        share = step / max(self.summary["last_step"], 1)
        return end - self.summary.get("seconds", 0.0) * (1 - share)

    def table(self, name: str) -> pd.DataFrame:
        """A table with ``run``, ``setting`` and ``seed`` in front; of gradients ``distance``."""
        table = self.store.read_table(self.id, name)
        if name == "gradients":
            read_step = self.record["summary"].get("read_step")
            table["distance"] = float("nan") if read_step is None else read_step - table["t"]
        table.insert(0, "run", self.id)
        table.insert(1, "setting", self.setting)
        table.insert(2, "seed", self.seed)
        return table

    def history(self) -> dict[int, dict[str, float]]:
        """By step, the numbers that a dashboard shows, under names like ``training/loss``.

        Also, at recorded steps, ``gradients/c/layer0/log10_at_distance_10`` (mean over examples
        of log10‖∂L/∂c_t‖, at a few distances; at a few ``t`` where there is no distance) and
        ``gates/f/layer0/mean`` (over units, examples and time). A number that is missing, such as
        the logarithm of a norm that reads zero, is left out.
        """
        parts = [_training(self.table("training")), _gradients(self.table("gradients"))]
        gates = self.table("gates")
        if not gates.empty:
            parts.append(_gates(gates))
        long = pd.concat(parts).dropna(subset="value").sort_values("step", kind="stable")
        by_step: dict[int, dict[str, float]] = {}
        for step, name, value in zip(long["step"], long["name"], long["value"], strict=True):
            by_step.setdefault(int(step), {})[name] = float(value)
        return by_step


def stored_runs(results: Results) -> Iterator[StoredRun]:
    """The runs that finished or diverged, in the order of the sweep.

    Raises:
        UserError: there is none.
    """
    runs = results.runs[results.runs["status"].isin(["finished", "diverged"])]
    if runs.empty:
        raise UserError(f"{results.name}: no run has finished yet, so there is nothing to export")
    for run, setting, seed in zip(runs["run"], runs["setting"], runs["seed"], strict=True):
        yield StoredRun(run, setting, int(seed), results._home[run])


def safe_name(text: str) -> str:
    """A text as a part of file names: letters, digits and ``_ . + -``, no dot in front."""
    return re.sub(r"[^\w.+-]+", "_", text).strip("._") or "_"


def _training(table: pd.DataFrame) -> pd.DataFrame:
    table = table.rename(columns=TRAINING_NAMES)
    names = [name for name in TRAINING_NAMES.values() if name in table]
    return table.melt("step", names, var_name="name")


def _gradients(table: pd.DataFrame) -> pd.DataFrame:
    place = "distance" if table["distance"].notna().any() else "t"
    table = table[table[place].isin(_few(int(table[place].max())))]
    where = table[place].astype(int).astype(str)
    prefix = "gradients/" + table["quantity"] + "/layer" + table["layer"].astype(str)
    name = prefix + f"/log10_at_{place}_" + where
    return pd.DataFrame({"step": table["step"], "name": name, "value": table["log10_mean"]})


def _gates(table: pd.DataFrame) -> pd.DataFrame:
    means = table.groupby(["step", "layer", "gate"])["mean"].mean().reset_index(name="value")
    means["name"] = "gates/" + means["gate"] + "/layer" + means["layer"].astype(str) + "/mean"
    return means[["step", "name", "value"]]


def _few(furthest: int) -> list[int]:
    """0, 1, 3, 10, 30, … and the furthest."""
    powers = [digit * 10**power for power in range(len(str(furthest))) for digit in (1, 3)]
    return [0, *(number for number in powers if number < furthest), furthest]
