"""The comparison table: one row a setting, over its seeds."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from rnnlab.config.labels import varying_keys
from rnnlab.results.intervals import geometric_t_interval, median_solved_at, t_interval
from rnnlab.results.read import Results
from rnnlab.results.summary import half_life
from rnnlab.support.errors import UserError, did_you_mean

Group = list[dict[str, Any]]


def compare(
    results: Results, by: str | None = None, against: str | int | float | None = None
) -> pd.DataFrame:
    """One row for each setting, over its seeds.

    Diverged and failed runs are counted, and left out of every mean. Intervals are 95 % t-intervals
    over seeds (of the logarithm, for losses and their ratios), given for three seeds or more.

    Args:
        results: see ``rnnlab.load``.
        by: a setting's dotted key; rows are ordered by it. Settings that differ in any other key
            too stay apart. Default: the order of the sweep.
        against: a value of ``by``; adds each setting's difference to the one with that value,
            paired by seed: the ratio of final losses and the difference in decay at the end;
            ``reference`` names the setting it is taken to.

    Returns:
        Columns ``setting``; the keys that differ; ``runs``, ``diverged``, ``failed``, ``missing``;
        ``final_loss`` (geometric mean) with ``_low`` and ``_high``; ``final_metric``; ``solved``
        (number of runs; one that diverged is unsolved); ``solved_at`` (median, ∞: unsolved);
        ``forget_first``, ``forget_last`` (mean f_t of the top layer, first and last record);
        ``decay_of``, ``decay_first``, ``decay_last`` (log10 per step back in time, negative:
        vanishing), ``half_life_first``, ``half_life_last`` (steps); ``baseline``, ``last_step``.
        Where runs record Jacobians also, ``_first`` and ``_last``: ``sensitivity_decay`` and
        ``sensitivity_half_life`` of log10‖∂c_T/∂c_t‖, ``indirect_share`` (mean over t ≥ 1),
        ``top_exponent`` (natural logarithm per step); of the top layer, the exponent of all.

    Raises:
        UserError: ``by`` is no key of a setting, or no setting has the value ``against``.
    """
    runs = results.runs
    keys = [column for column in runs.columns if "." in column]
    groups = _groups(runs)
    shown = varying_keys([{key: group[0][key] for key in keys} for group in groups.values()])
    if by is not None and by not in keys:
        raise UserError(f"--by {by}: no such key; {did_you_mean(by, keys)}")
    shown = list(dict.fromkeys([by, *shown] if by else shown))
    table = pd.DataFrame(
        [
            {"setting": name, **{key: group[0][key] for key in shown}, **_row(group)}
            for name, group in groups.items()
        ]
    )
    if results.has_jacobians:
        of_jacobians = pd.DataFrame([_jacobian_row(groups[name]) for name in table["setting"]])
        table = pd.concat([table, of_jacobians], axis=1)
    if against is not None:
        if by is None:
            raise UserError("--against needs --by: the key that has this value")
        pairs = _references(table, by, against, shown)
        differences = [
            _difference(groups[setting], groups.get(pairs[setting] or ""))
            for setting in table["setting"]
        ]
        table = pd.concat([table, pd.DataFrame(differences)], axis=1)
        table["reference"] = table["setting"].map(pairs)
    return table.sort_values(by, key=_order, kind="stable", ignore_index=True) if by else table


def _groups(runs: pd.DataFrame) -> dict[str, Group]:
    """The runs of each setting, settings in the order of the sweep."""
    groups: dict[str, Group] = {name: [] for name in runs["setting"].cat.categories}
    for run in cast(Group, runs.to_dict("records")):
        groups[run["setting"]].append(run)
    return groups


def _with_status(group: Group, *statuses: str) -> Group:
    return [run for run in group if run["status"] in statuses]


def _row(group: Group) -> dict[str, Any]:
    done = _with_status(group, "finished", "diverged")
    finished = _with_status(group, "finished")
    first = done[0] if done else {}
    loss = geometric_t_interval(_column(finished, "final_loss"))
    means = {
        name: _mean(finished, name)
        for name in ("final_metric", "forget_first", "forget_last", "decay_first", "decay_last")
    }
    solved = np.array(
        [run["solved_at"] for run in finished] + [np.nan] * (len(done) - len(finished)), float
    )
    return {
        "runs": len(done),
        "diverged": len(_with_status(group, "diverged")),
        "failed": len(_with_status(group, "failed")),
        "missing": len(_with_status(group, "missing")),
        "final_loss": loss.mean,
        "final_loss_low": loss.low,
        "final_loss_high": loss.high,
        "solved": int(np.isfinite(solved).sum()),
        "solved_at": median_solved_at(solved) if done else math.nan,
        **means,
        "decay_of": first.get("decay_of"),
        "half_life_first": half_life(means["decay_first"]),
        "half_life_last": half_life(means["decay_last"]),
        "baseline": first.get("baseline", math.nan),
        "last_step": group[0]["training.steps"],
    }


def _jacobian_row(group: Group) -> dict[str, float]:
    finished = _with_status(group, "finished")
    row: dict[str, float] = {}
    for end in ("first", "last"):
        decay = _mean(finished, f"sensitivity_decay_{end}")
        row |= {
            f"sensitivity_decay_{end}": decay,
            f"sensitivity_half_life_{end}": half_life(decay),
            f"indirect_share_{end}": _mean(finished, f"indirect_share_{end}"),
            f"top_exponent_{end}": _mean(finished, f"top_exponent_{end}"),
        }
    return row


def _column(group: Group, column: str) -> np.ndarray:
    return np.array([run[column] for run in group], float)


def _mean(group: Group, column: str) -> float:
    """NaN where one of the runs has no such number: a mean over the others would mislead."""
    return float(_column(group, column).mean()) if group else math.nan


def _references(
    table: pd.DataFrame, by: str, against: str | int | float, shown: Sequence[str]
) -> dict[str, str | None]:
    """For each setting the one to compare it with: equal but for ``by``, or the only one."""
    candidates = table[table[by].map(_text) == _text(against)]
    if candidates.empty:
        hint = did_you_mean(against, set(table[by].map(_text)))
        raise UserError(f"--against {against}: no such value; {hint}")
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


def _difference(group: Group, reference: Group | None) -> dict[str, float]:
    names = ("loss_ratio", "decay_last_difference")
    if reference is None:
        return {f"{name}{end}": math.nan for name in names for end in ("", "_low", "_high")}
    others = {run["seed"]: run for run in _with_status(reference, "finished")}
    paired = [run for run in _with_status(group, "finished") if run["seed"] in others]
    matching = [others[run["seed"]] for run in paired]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = _column(paired, "final_loss") / _column(matching, "final_loss")
    differences = _column(paired, "decay_last") - _column(matching, "decay_last")
    ratio = geometric_t_interval(ratios)
    decay = t_interval(differences[~np.isnan(differences)])
    return {
        f"{name}{end}": value
        for name, estimate in zip(names, (ratio, decay), strict=True)
        for end, value in zip(("", "_low", "_high"), estimate, strict=True)
    }


def _order(values: pd.Series) -> pd.Series:
    """Numbers first, in order, then words."""
    numbers = pd.to_numeric(values, errors="coerce")
    return numbers.fillna(math.inf)


def _text(value: object) -> str:
    """A value as a user writes it: 1 and 1.0 are the same."""
    try:
        return f"{float(str(value)):g}"
    except ValueError:
        return str(value)
