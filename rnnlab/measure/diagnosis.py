"""Diagnosis in words: how far the gradient reaches, along which path, and what would help."""

import math
import textwrap
from typing import Any

import numpy as np
import pandas as pd

from rnnlab.cells import CELLS, Cell
from rnnlab.cells.advice import REACHED
from rnnlab.gradients.decay import half_life
from rnnlab.gradients.theory import (
    critical_factor,
    recurrent_kernel,
    spectral_radius,
)
from rnnlab.measure import saturation
from rnnlab.measure.sentences import class_of, path, reach
from rnnlab.training.quantities.jacobian_paths import indirect_share, sensitivity_decay
from rnnlab.training.quantities.lyapunov import top_asymptotic, top_exponent
from rnnlab.training.quantities.summary import column_of

WIDTH = 100
# A factor on a kernel below which all of it counts as too large.
LEAST_FACTOR = 1e-6

Row = dict[str, Any]


def summarize(cell: Cell, params: Any, tables: dict[str, pd.DataFrame], wanted: int) -> Row:
    """The numbers for a diagnosis, for the top layer and one set of parameters.

    Args:
        cell: the cell.
        params: its parameters.
        tables: see ``measurement.measure``.
        wanted: how many steps back the gradient should reach.

    Returns:
        ``cell`` (its kind, or ``own``), ``layers``, ``quantity`` (c or h), ``has_direct`` (a direct
        path), ``has_gates``, ``examples``, ``steps``, ``wanted``;
        ``reach``, the steps back for which ‖∂c_T/∂c_t‖ stays at 10⁻³ or above;
        ``at``, the number of steps back at which it has fallen below, or else the first step;
        ``log10_at``, ``log10_direct_at``: log10 of that norm and of the direct product there, −∞
        where it is zero in every example, else means over the examples in which it is not;
        ``log10_excess_at``, by how much the first is larger, over the examples in which neither is;
        ``zeros_at``, ``direct_zeros_at``: in how many examples they are zero;
        ``log10_later``: the greatest norm from there on back;
        ``decay``, ``half_life``, ``indirect_share``; ``strongest``, the gate with the largest mean
        path; ``top_exponent``, the greatest finite-time exponent, mean over examples;
        ``top_asymptotic``, the same in the long run, and ``top_asymptotic_error``, half its 95 %
        interval, NaN where an example's is not settled;
        ``kernel``, ``kernel_radius``: name and spectral radius of the candidate's recurrent kernel;
        ``critical_factor``: see ``theory.critical_factor``.
    """
    frame = tables["jacobians"]
    top = frame[frame["layer"] == frame["layer"].max()].sort_values("t", ascending=False)
    examples = tables["lyapunov"]["example"].nunique()
    decay = sensitivity_decay(top)
    return {
        "cell": next((name for name, kind in CELLS.items() if type(cell) is kind), "own"),
        "layers": cell.layers,
        "quantity": cell.carry,
        "has_direct": cell.has_direct_path,
        "has_gates": bool(cell.gates),
        "examples": examples,
        "steps": len(top),
        "wanted": wanted,
        **_reach(top, examples),
        "decay": decay,
        "half_life": half_life(decay),
        "indirect_share": indirect_share(top),
        "strongest": _strongest_gate(top),
        **_top_exponent(tables["lyapunov"]),
        **_stability_of_zero(cell, params if cell.layers == 1 else params[-1]),
    }


def _reach(top: pd.DataFrame, examples: int) -> Row:
    """How far back the norm stays at 10⁻³, and what is left where it has fallen below."""
    zeros, direct_zeros = (
        column_of(top, name).fillna(0).to_numpy(float)
        for name in ("zero_fraction", "direct_zero_fraction")
    )
    log10, direct = (
        np.where(share == 1, -np.inf, column_of(top, name).to_numpy(float))
        for name, share in (("log10_sensitivity", zeros), ("log10_direct_product", direct_zeros))
    )
    fallen = np.flatnonzero(~(log10 >= REACHED))
    at = int(fallen[0]) if len(fallen) else len(log10) - 1
    return {
        "reach": at - 1 if len(fallen) else at,
        "at": at,
        "log10_at": log10[at],
        "log10_direct_at": direct[at],
        "log10_excess_at": column_of(top, "log10_excess").to_numpy(float)[at],
        "zeros_at": round(zeros[at] * examples),
        "direct_zeros_at": round(direct_zeros[at] * examples),
        "log10_later": np.max(log10[at:]),
    }


def _strongest_gate(top: pd.DataFrame) -> str:
    parts = ("direct", "indirect", "total")
    names = [c.removesuffix("_frobenius") for c in top.columns if c.endswith("_frobenius")]
    sizes = {name: top[f"{name}_frobenius"].mean() for name in names if name not in parts}
    largest = max(sizes, key=lambda name: sizes[name], default="")
    return largest if largest and sizes[largest] > 0 else ""


def _top_exponent(lyapunov: pd.DataFrame) -> Row:
    """Means over examples, whose errors are independent."""
    record = lyapunov[lyapunov["index"] == 0]
    widths = (record["asymptotic_high"] - record["asymptotic_low"]) / 2
    return {
        "top_exponent": top_exponent(record),
        "top_asymptotic": top_asymptotic(record),
        "top_asymptotic_error": float((widths**2).sum(skipna=False) ** 0.5 / len(record)),
    }


def _stability_of_zero(cell: Cell, params: Any) -> Row:
    factor = critical_factor(cell, params)
    if math.isnan(factor):
        return {"kernel": "", "kernel_radius": math.nan, "critical_factor": math.nan}
    name, U = recurrent_kernel(cell, params)
    return {"kernel": name, "kernel_radius": spectral_radius(U), "critical_factor": factor}


def diagnose(setting: str, rows: pd.DataFrame) -> str:
    """Diagnose one setting in words, from the numbers of the seed with the median reach.

    Args:
        setting: the label of the setting.
        rows: one row for each seed, see ``summarize``.
    """
    ordered = rows.sort_values(["reach", "log10_at"])
    row: Row = {str(k): v for k, v in ordered.iloc[(len(rows) - 1) // 2].to_dict().items()}
    seeds = f", the middle one of {len(rows)} seeds" if len(rows) > 1 else ""
    sentences = {
        "inputs": saturation.in_words(row),
        "reach": reach(row) + _range(ordered["reach"]),
        "path": path(row),
        "stability": _stability(row),
        f"to reach {row['wanted']}": _remedy(row),
    }
    paragraphs = [
        textwrap.fill(
            text,
            WIDTH,
            initial_indent=f"  {name + ':':<14} ",
            subsequent_indent=" " * 17,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name, text in sentences.items()
        if text
    ]
    times = "step" if row["steps"] == 1 else "steps"
    layer = f"top layer of {row['layers']}, " if row["layers"] > 1 else ""
    return "\n".join([f"{setting} ({layer}{row['steps']} time {times}{seeds})", *paragraphs])


def _range(reach: pd.Series) -> str:
    low, high = int(reach.min()), int(reach.max())
    return f" (The reach of all seeds is from {low} to {high} steps.)" if low < high else ""


def _stability(row: Row) -> str:
    text = _exponents(row)
    if math.isnan(row["critical_factor"]):
        return text
    kernel, factor, radius = row["kernel"], row["critical_factor"], row["kernel_radius"]
    text += f" With zero input, and the bias beside {kernel} set to 0, the zero state "
    if math.isinf(factor):
        return f"{text}is stable however large {kernel} is."
    if factor < LEAST_FACTOR:
        return f"{text}is unstable, or becomes unstable with any {kernel}, however small."
    now = f"becomes unstable once {kernel} is scaled to a spectral radius of {factor * radius:.3g}"
    return f"{text}{now}; its radius here is {radius:.3g}, {1 / factor:.3g} times as large."


def _exponents(row: Row) -> str:
    """The finite-time exponent, which is exact, and the asymptotic one where it is settled."""
    exponent = row["top_exponent"]
    if not math.isfinite(exponent):
        return "within these steps every difference between states dies out (exponent −∞)."
    text = f"over these {row['steps']} steps nearby states {_motion(exponent)}: the largest "
    text += f"finite-time Lyapunov exponent is {exponent:+.3g} per step. "
    mean, error = row["top_asymptotic"], row["top_asymptotic_error"]
    if math.isnan(mean):
        return f"{text}This is too short to tell the exponent in the long run."
    text += f"In the long run it is {mean:+.3g} ± {error:.1g}: "
    if abs(mean) <= error:
        return f"{text}not clearly different from 0."
    return f"{text}they {_motion(mean)}."


def _motion(exponent: float) -> str:
    return "converge" if exponent < 0 else "diverge"


def _remedy(row: Row) -> str:
    is_reached = row["reach"] >= row["wanted"]
    if row["log10_at"] > -REACHED:
        start = "it reaches that far, but it explodes" if is_reached else "it explodes before that"
        return f"{start}. Against this, {class_of(row).against_explosion}."
    if is_reached:
        return "nothing needs to change."
    if row["steps"] == 1:
        return "inputs of one time step cannot tell."
    is_whole = row["reach"] == row["steps"] - 1
    if is_whole and row["decay"] * row["wanted"] >= REACHED:
        return "at this pace the gradient would reach that far; measure longer inputs to see it."
    is_linearised = not math.isnan(row["critical_factor"])
    start = "scale the inputs first. Then: " if saturation.in_words(row) else ""
    if is_whole and row["decay"] < 0:
        steps = f"{REACHED / row['decay']:.0f}"
        start += f"at this pace the norm falls below 10⁻³ after {steps} steps; "
    return start + class_of(row).against_vanishing(row["wanted"], row["decay"], is_linearised)
