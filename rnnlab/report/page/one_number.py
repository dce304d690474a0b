"""One number a run, of one record: to draw against a setting, such as the forget bias."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from rnnlab.report.page.drawn import Drawn
from rnnlab.report.page.tables import SPECTRAL, paths_of
from rnnlab.results.stored_run import StoredRun

# Of numbers that are not the norm of a path.
LABELS = {
    "share": "share of the indirect path",
    "radius": "spectral radius of one step of the whole state",
    "left": "log10 of the gradient left at the first step",
    "gate": "mean of the gate on the direct path",
    "decay": "decay of the gradient, decades a step back in time",
}
ENDS = ("first", "last")
NOTHING_LEFT = (
    "The gradient at the first step reads exactly zero, in some examples or in all, in runs of {}: "
    "the plot of what is left has no point of theirs."
)

Numbers = dict[str, float]


def by_setting_data(drawn: Drawn) -> list[dict[str, Any]]:
    """Numbers of each run, by name: before training, and at the end of each run.

    Before training, what was measured of a setting for that purpose, with seeds of its own, takes
    the place of its trained runs' first records.
    """
    found: dict[tuple[str, str], dict[int, dict[int, float]]] = {}
    vanished: set[str] = set()
    for index, setting in drawn.settings.items():
        for end, of in (("first", setting.before or setting), ("last", setting)):
            for run in of.ended if end == "first" or not setting.is_before else ():
                for name, value in _numbers(drawn, run, end).items():
                    if name == "left" and math.isnan(value):
                        vanished.add(setting.label)
                        continue
                    own = found.setdefault((name, end), {}).setdefault(index, {})
                    own[int(run.record["seed"])] = value
    if vanished:
        drawn.notes.append(NOTHING_LEFT.format(", ".join(sorted(vanished))))
    last = max((int(s.runs["training.steps"].max()) for s in drawn.settings.values()), default=0)
    names = dict.fromkeys([*LABELS, *dict.fromkeys(name for name, _ in found)])
    paths = [name for name in names if name not in LABELS]
    order = [(name, end) for name in [*paths, *LABELS] for end in ENDS if (name, end) in found]
    return [
        {
            "name": name,
            "step": 0 if end == "first" else last,
            "items": [
                {"setting": index, "seeds": list(own), "values": list(own.values())}
                for index, own in found[name, end].items()
            ],
        }
        for name, end in order
        if end == "first" or last > 0
    ]


def _numbers(drawn: Drawn, run: StoredRun, end: str) -> Numbers:
    """The numbers of a run at its first or last record."""
    summary = run.record.get("summary", {})
    numbers: dict[str, float | None] = {
        name: summary.get(f"{name}_{end}") for name in ("gate", "decay")
    }
    table = "jacobians" if run.has_table("jacobians") else "gradients"
    rows = drawn.read(run, table) if run.has_table(table) else pd.DataFrame()
    if not rows.empty and table == "jacobians":
        numbers |= dict(_of_jacobians(_record(rows, end)))
    elif not rows.empty:
        numbers["left"] = _left(_record(rows, end), summary)
    return {name: float(value) for name, value in numbers.items() if value is not None}


def _record(table: pd.DataFrame, end: str) -> pd.DataFrame:
    """The top layer's rows of the first or last record."""
    step = table["step"].min() if end == "first" else table["step"].max()
    return table[(table["step"] == step) & (table["layer"] == table["layer"].max())]


def _of_jacobians(record: pd.DataFrame) -> Iterator[tuple[str, float]]:
    later = record[record["t"] > 0]
    for path in paths_of(record):
        yield path, later[f"{path}{SPECTRAL}"].mean()
    if "share" in later:
        yield "share", later["share"].mean()
    yield "radius", later["spectral_radius"].mean()
    yield "left", _log10_mean(record[record["t"] == 0], "log10_sensitivity")


def _left(record: pd.DataFrame, summary: dict[str, Any]) -> float | None:
    """log10 of ‖∂L/∂c_0‖/‖∂L/∂c_T‖, T being where the loss is read."""
    own = record[record["quantity"] == summary.get("decay_of")]
    first, read = (own[own["t"] == t] for t in (0, summary.get("read_step")))
    if first.empty or read.empty:
        return None
    return _log10_mean(first, "log10_mean") - _log10_mean(read, "log10_mean")


def _log10_mean(row: pd.DataFrame, column: str) -> float:
    """The mean logarithm; NaN where some or all examples are zero."""
    return float(row[column].where(row["zero_fraction"] == 0).mean())
