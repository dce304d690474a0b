"""The comparison table: one row per setting, over its seeds."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from rnnlab.config.labels import varying_keys
from rnnlab.results.intervals import Estimate, confidence, median_and_range, ratios
from rnnlab.results.read import Results
from rnnlab.support.errors import ArgumentError, did_you_mean
from rnnlab.training.quantities import QUANTITIES
from rnnlab.training.quantities.quantity import Quantity
from rnnlab.training.quantities.summary import INTERVAL, AtEnds, FromMedians, Number, OverSeeds

Group = list[dict[str, Any]]


def compare(
    results: Results, by: str | None = None, against: str | int | float | None = None
) -> pd.DataFrame:
    """One row for each setting, over its seeds.

    Numbers are medians over seeds, each with an interval that holds the median of any distribution:
    ``median_and_range``. Diverged and failed runs are counted; a diverged run has not solved the
    task, and is left out of the other medians.

    Args:
        results: see ``rnnlab.load``.
        by: a setting's dotted key, which orders the rows. Settings that also differ in another key
            stay separate. Default: the order of the sweep.
        against: a value of ``by``; adds each setting's difference to the one with that value,
            paired by seed: ratio and difference of the final losses and the difference in decay
            at the end, of so many ``pairs``; ``reference`` names the setting that it is compared
            with.

    Returns:
        Columns ``setting``; the keys that differ; ``runs`` (finished or diverged), ``diverged``,
        ``failed``, ``missing``; ``confidence``, that of the intervals; the numbers of the
        quantities that every run records, as in ``final_loss``, ``final_loss_low`` and
        ``final_loss_high``; ``baseline``, ``last_step``; those of the quantities that were asked
        for, first of the first record, then of the last. docs/results.md explains each.

    Raises:
        UserError: ``by`` is not a key of a setting, or no setting has the value ``against``.
    """
    keys = [column for column in results.runs.columns if "." in column]
    groups = _groups(results.runs)
    shown = varying_keys([{key: group[0][key] for key in keys} for group in groups.values()])
    if by is not None and by not in keys:
        raise ArgumentError("by", by, f"no such key; {did_you_mean(by, keys)}")
    shown = list(dict.fromkeys([by, *shown] if by else shown))
    recorded = [q for name, q in QUANTITIES.items() if q.option is None or results.has(name)]
    table = pd.DataFrame(
        [
            {"setting": name, **{key: group[0][key] for key in shown}, **_row(group, recorded)}
            for name, group in groups.items()
        ]
    )
    if against is not None:
        if by is None:
            raise ArgumentError("against", against, "needs {by}: the key that has this value")
        table = _with_differences(table, groups, _references(table, by, against, shown))
    return table.sort_values(by, key=_order, kind="stable", ignore_index=True) if by else table


def _groups(runs: pd.DataFrame) -> dict[str, Group]:
    """The runs of each setting, settings in the order of the sweep."""
    groups: dict[str, Group] = {name: [] for name in runs["setting"].cat.categories}
    for run in cast(Group, runs.to_dict("records")):
        groups[run["setting"]].append(run)
    return groups


def _with_status(group: Group, *statuses: str) -> Group:
    return [run for run in group if run["status"] in statuses]


def _row(group: Group, recorded: Sequence[Quantity]) -> dict[str, Any]:
    done = _with_status(group, "finished", "diverged")
    standard: dict[str, Any] = {}
    asked_for: dict[str, Any] = {}
    for quantity in recorded:
        row = standard if quantity.option is None else asked_for
        for entry in quantity.summary:
            if isinstance(entry, FromMedians):
                row |= entry.of_medians(row)
            else:
                row |= _joined(entry, group)
    return {
        "runs": len(done),
        "diverged": len(_with_status(group, "diverged")),
        "failed": len(_with_status(group, "failed")),
        "missing": len(_with_status(group, "missing")),
        "confidence": confidence(len(_with_status(group, "finished"))),
        **standard,
        "baseline": float(_column(done, "baseline")[0]) if done else math.nan,
        "last_step": group[0]["training.steps"],
        **{column: asked_for[column] for column in sorted(asked_for, key=_is_of_last)},
    }


def _is_of_last(column: str) -> bool:
    return column.removesuffix("_low").removesuffix("_high").endswith("_last")


def _joined(entry: Number | AtEnds, group: Group) -> dict[str, Any]:
    """Compute the columns of a number over the runs of a setting."""
    if entry.over_seeds is None:
        return {}
    found = [JOIN[entry.over_seeds](group, column) for column in entry.columns]
    return {column: value for columns in found for column, value in columns.items()}


def _median(group: Group, column: str) -> dict[str, float]:
    """Median; NaN where one of the runs lacks the number: that of the others would mislead."""
    return _with_interval(column, _of_all(_column(_with_status(group, "finished"), column)))


def _of_all(values: np.ndarray) -> Estimate:
    """Median and range; NaN where one value is missing."""
    return Estimate(*[math.nan] * 3) if np.isnan(values).any() else median_and_range(values)


def _median_step(group: Group, column: str) -> dict[str, Any]:
    """Median and number of runs that have such a step; a diverged run has none."""
    finished = _with_status(group, "finished")
    diverged = len(_with_status(group, "diverged"))
    steps = np.array([run[column] for run in finished] + [np.nan] * diverged, float)
    solved = {column.removesuffix("_at"): int(np.isfinite(steps).sum())}
    return solved | _with_interval(column, median_and_range(steps))


def _same(group: Group, column: str) -> dict[str, Any]:
    """The value of the first run, which all runs share."""
    done = _with_status(group, "finished", "diverged")
    return {column: done[0].get(column) if done else None}


JOIN: dict[OverSeeds, Callable[[Group, str], dict[str, Any]]] = {
    "median": _median,
    "median step": _median_step,
    "same": _same,
}


def _column(group: Group, column: str) -> np.ndarray:
    return np.array([run[column] for run in group], float)


def _with_interval(column: str, estimate: Estimate) -> dict[str, float]:
    return {f"{column}{end}": value for end, value in zip(INTERVAL, estimate, strict=True)}


def _references(
    table: pd.DataFrame, by: str, against: str | int | float, shown: Sequence[str]
) -> dict[str, str | None]:
    """The setting to compare each setting with: equal except for ``by``, or the only candidate."""
    candidates = table[table[by].map(_text) == _text(against)]
    if candidates.empty:
        hint = did_you_mean(against, set(table[by].map(_text)))
        raise ArgumentError("against", against, f"no such value; {hint}")
    others = [key for key in shown if key != by]
    alike: dict[tuple[str, ...], list[str]] = {}
    for setting, same in _with_other_keys(candidates, others):
        alike.setdefault(same, []).append(setting)
    only = list(candidates["setting"])
    references: dict[str, str | None] = {}
    for setting, same in _with_other_keys(table, others):
        found = alike.get(same, [])
        found = found if len(found) == 1 else only
        references[setting] = found[0] if len(found) == 1 else None
    return references


def _with_other_keys(
    table: pd.DataFrame, others: list[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each setting with its values of some keys, as words."""
    rows = cast(Group, table[["setting", *others]].to_dict("records"))
    return ((row["setting"], tuple(str(row[key]) for key in others)) for row in rows)


def _with_differences(
    table: pd.DataFrame, groups: dict[str, Group], references: dict[str, str | None]
) -> pd.DataFrame:
    """Add each setting's difference to its reference to the table."""
    differences = [
        _difference(groups[setting], groups.get(references[setting] or ""))
        for setting in table["setting"]
    ]
    table = pd.concat([table, pd.DataFrame(differences)], axis=1)
    return table.assign(reference=table["setting"].map(references))


def _difference(group: Group, reference: Group | None) -> dict[str, Any]:
    others = {run["seed"]: run for run in _with_status(reference or [], "finished")}
    paired = [run for run in _with_status(group, "finished") if run["seed"] in others]
    matching = [others[run["seed"]] for run in paired]
    loss, than = _column(paired, "final_loss"), _column(matching, "final_loss")
    have_ratios = not (np.minimum(loss, than) < 0).any()
    decay = _column(paired, "decay_last") - _column(matching, "decay_last")
    return {
        "pairs": len(paired),
        **_with_interval("loss_ratio", median_and_range(ratios(loss, than) if have_ratios else [])),
        **_with_interval("loss_difference", median_and_range(loss - than)),
        **_with_interval("decay_last_difference", _of_all(decay)),
    }


def _order(values: pd.Series) -> pd.Series:
    """A sort key: numbers first, in order, then words."""
    numbers = pd.to_numeric(values, errors="coerce")
    return numbers.fillna(math.inf)


def _text(value: object) -> str:
    """A value as text in one form: 1 and 1.0 are the same."""
    try:
        return f"{float(str(value)):g}"
    except ValueError:
        return str(value)
