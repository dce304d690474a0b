"""The comparison table: one row a setting, over its seeds."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from rnnlab.analysis import half_life
from rnnlab.errors import UserError, did_you_mean
from rnnlab.labels import varying_keys
from rnnlab.results import Results

CONFIDENCE = 0.95
FEWEST_FOR_INTERVAL = 3


class Estimate(NamedTuple):
    """A mean over seeds and its 95 % t-interval, NaN with fewer than three seeds."""

    mean: float
    low: float
    high: float


def t_interval(values: ArrayLike) -> Estimate:
    """Mean and 95 % interval by Student's t."""
    values = np.asarray(values, float)
    if len(values) == 0:
        return Estimate(math.nan, math.nan, math.nan)
    mean = float(values.mean())
    if len(values) < FEWEST_FOR_INTERVAL:
        return Estimate(mean, math.nan, math.nan)
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * stats.sem(values)
    return Estimate(mean, mean - float(half), mean + float(half))


def geometric_t_interval(values: ArrayLike) -> Estimate:
    """Geometric mean of positive values, and the t-interval of their logarithms, back as values."""
    with np.errstate(divide="ignore"):
        logs = np.log(np.asarray(values, float))
    if not np.isfinite(logs).all():
        return Estimate(float(np.exp(logs.mean())), math.nan, math.nan)
    return Estimate(*(float(value) for value in np.exp(t_interval(logs))))


def median_solved_at(solved_at: pd.Series) -> float:
    """Median over runs; an unsolved run (NaN) counts as later than any step, ∞."""
    return float(solved_at.astype(float).fillna(math.inf).median())


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
        (number of runs); ``solved_at`` (median, ∞: later than the last step); ``forget_first``,
        ``forget_last`` (mean f_t of the top layer at the first and the last record);
        ``decay_of``, ``decay_first``, ``decay_last`` (log10 per step back in time, negative:
        vanishing), ``half_life_first``, ``half_life_last`` (steps); ``baseline``, ``last_step``.
        Where runs record Jacobians also, ``_first`` and ``_last``: ``sensitivity_decay`` and
        ``sensitivity_half_life`` of log10‖∂c_T/∂c_t‖, ``indirect_share`` (mean over t ≥ 1),
        ``top_exponent`` (natural logarithm per step); of the top layer, the exponent of all.

    Raises:
        UserError: ``by`` is no key of a setting, or no setting has the value ``against``.
    """
    runs = results.runs
    keys = _setting_keys(runs)
    distinct = runs.drop_duplicates("setting")[keys]
    shown = varying_keys([dict(row) for _, row in distinct.iterrows()])
    if by is not None and by not in keys:
        raise UserError(f"--by {by}: {did_you_mean(by, keys)}")
    shown = list(dict.fromkeys([by, *shown] if by else shown))
    groups = {name: runs[runs["setting"] == name] for name in results.settings}
    table = pd.DataFrame(
        [{"setting": name, **group.iloc[0][shown], **_row(group)} for name, group in groups.items()]
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


def _setting_keys(runs: pd.DataFrame) -> list[str]:
    return [column for column in runs.columns if "." in column]


def _row(group: pd.DataFrame) -> dict[str, Any]:
    done = group[group["status"].isin(["finished", "diverged"])]
    finished = group[group["status"] == "finished"]
    first = done.iloc[0] if len(done) else pd.Series(dtype=object)
    loss = geometric_t_interval(_column(finished, "final_loss"))
    means = {
        name: _mean(finished, name)
        for name in ("final_metric", "forget_first", "forget_last", "decay_first", "decay_last")
    }
    solved = _column(done, "solved_at")
    return {
        "runs": len(done),
        "diverged": int((group["status"] == "diverged").sum()),
        "failed": int((group["status"] == "failed").sum()),
        "missing": int((group["status"] == "missing").sum()),
        "final_loss": loss.mean,
        "final_loss_low": loss.low,
        "final_loss_high": loss.high,
        "solved": int(solved.notna().sum()),
        "solved_at": median_solved_at(solved) if len(done) else math.nan,
        **means,
        "decay_of": first.get("decay_of"),
        "half_life_first": half_life(means["decay_first"]),
        "half_life_last": half_life(means["decay_last"]),
        "baseline": first.get("baseline", math.nan),
        "last_step": group.iloc[0]["training.steps"],
    }


def _jacobian_row(group: pd.DataFrame) -> dict[str, float]:
    finished = group[group["status"] == "finished"]
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


def _column(runs: pd.DataFrame, column: str) -> pd.Series:
    return runs[column].astype(float)


def _mean(runs: pd.DataFrame, column: str) -> float:
    """NaN where one of the runs has no such number: a mean over the others would mislead."""
    return float(_column(runs, column).mean(skipna=False))


def _references(
    table: pd.DataFrame, by: str, against: str | int | float, shown: Sequence[str]
) -> dict[str, str | None]:
    """For each setting the one to compare it with: equal but for ``by``, or the only one."""
    candidates = table[table[by].map(_text) == _text(against)]
    if candidates.empty:
        raise UserError(f"--against {against}: {did_you_mean(against, set(table[by].map(_text)))}")
    others = [key for key in shown if key != by]
    references: dict[str, str | None] = {}
    for _, row in table.iterrows():
        same = candidates[(candidates[others].astype(str) == row[others].astype(str)).all(axis=1)]
        found = same if len(same) == 1 else candidates
        references[row["setting"]] = found.iloc[0]["setting"] if len(found) == 1 else None
    return references


def _difference(group: pd.DataFrame, reference: pd.DataFrame | None) -> dict[str, float]:
    names = ("loss_ratio", "decay_last_difference")
    if reference is None:
        return {f"{name}{end}": math.nan for name in names for end in ("", "_low", "_high")}
    one, other = (
        frame[frame["status"] == "finished"].set_index("seed")[["final_loss", "decay_last"]]
        for frame in (group, reference)
    )
    paired = one.astype(float).join(other.astype(float).add_suffix("_other"), how="inner")
    ratio = geometric_t_interval(paired["final_loss"] / paired["final_loss_other"])
    decay = t_interval((paired["decay_last"] - paired["decay_last_other"]).dropna())
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
