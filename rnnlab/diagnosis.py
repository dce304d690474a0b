"""From measurements to words: how far the gradient reaches, along which path, what would help."""

import math
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from rnnlab.analysis import half_life, indirect_share, sensitivity_decay, top_exponent
from rnnlab.cells import GRU, LSTM, Cell, VanillaRNN
from rnnlab.gradients.theory import bias_to_keep, critical_gain, eigenvalue_ring

REACHED = -3.0
SAME = math.log10(2)
WIDTH = 100
KERNELS = {"LSTM": "U_g", "GRU": "U_n", "VanillaRNN": "U_h"}
AGAINST_EXPLOSION = {
    "LSTM": "tie the input gate (b_i = −b_f), lower b_f, or scale U_g down",
    "GRU": "raise the update bias b_z, or scale U_n down",
    "VanillaRNN": "scale U_h down",
    "other": "scale the recurrent kernels down",
}

Row = dict[str, Any]


def summarize(cell: Cell, params: Any, tables: dict[str, pd.DataFrame], wanted: int) -> Row:
    """The numbers that a diagnosis is made from, of one set of parameters; of the top layer.

    Args:
        cell: the cell.
        params: its parameters.
        tables: see ``measurement.measure``.
        wanted: how many steps back the gradient should reach.

    Returns:
        ``cell`` (its class), ``quantity`` (c or h), ``steps``, ``wanted``;
        ``reach``, the steps back for which ‖∂c_T/∂c_t‖ stays at 10⁻³ or above;
        ``log10_at``, ``log10_direct_at``: log10 of that norm and of the direct product ``at`` steps
        back, where it has fallen below or, if it has not, at ``wanted`` or the first step;
        ``decay``, ``half_life``, ``indirect_share``, ``top_exponent``, ``top_exponent_error``;
        ``strongest``, the gate whose path is greatest in the mean; ``keep``, ``write``: means over
        units of σ(b_f) and σ(b_i)σ(b_o) (or their like); ``kernel``, the spectral radius of the
        candidate's recurrent kernel; ``critical_kernel``, the one at which the zero state loses
        stability at the earliest.
    """
    top = tables["jacobians"].query("layer == layer.max()").sort_values("t", ascending=False)
    log10 = top["log10_sensitivity"].to_numpy()
    direct = top.get("log10_direct_product", pd.Series(np.nan, top.index)).to_numpy()
    fallen = np.flatnonzero(~(log10 >= REACHED))
    reach = int(fallen[0]) - 1 if len(fallen) else len(log10) - 1
    at = min(reach + 1 if len(fallen) else wanted, len(log10) - 1)
    decay = sensitivity_decay(top)
    ring = eigenvalue_ring(cell, params if cell.layers == 1 else params[-1])
    exponents = tables["lyapunov"].query("index == 0")
    return {
        "cell": next((k.__name__ for k in (LSTM, GRU, VanillaRNN) if type(cell) is k), "other"),
        "quantity": cell.carry,
        "steps": len(log10),
        "wanted": wanted,
        "reach": reach,
        "at": at,
        "log10_at": log10[at],
        "log10_direct_at": direct[at],
        "decay": decay,
        "half_life": half_life(decay),
        "indirect_share": indirect_share(top),
        "strongest": _strongest_gate(top),
        "top_exponent": top_exponent(exponents),
        "top_exponent_error": float(exponents["standard_error"].mean()),
        "keep": ring.centre,
        "write": ring.radius / ring.kernel,
        "kernel": ring.kernel,
        "critical_kernel": ring.kernel * (1 - ring.centre) / ring.radius,
    }


def _strongest_gate(top: pd.DataFrame) -> str:
    parts = ("direct", "indirect", "total")
    names = [c.removesuffix("_frobenius") for c in top.columns if c.endswith("_frobenius")]
    sizes = {name: top[f"{name}_frobenius"].mean() for name in names if name not in parts}
    return max(sizes, key=lambda name: sizes[name])


def diagnose(setting: str, rows: pd.DataFrame) -> str:
    """What the numbers of one setting say, medians over its seeds.

    Args:
        setting: its label.
        rows: one for each seed, see ``summarize``.
    """
    medians = rows.select_dtypes("number").median()
    row = {str(key): value for key, value in (rows.iloc[0].to_dict() | dict(medians)).items()}
    seeds = f"{len(rows)} seeds" if len(rows) > 1 else "1 seed"
    sentences = {
        "reach": _reach(row),
        "path": _path(row),
        "stability": _stability(row),
        f"to reach {row['wanted']:.0f}": _remedy(row),
    }
    lines = [
        textwrap.fill(
            text,
            WIDTH,
            initial_indent=f"  {name + ':':<14} ",
            subsequent_indent=" " * 17,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name, text in sentences.items()
    ]
    return "\n".join([f"{setting} ({seeds}, {row['steps']:.0f} time steps)", *lines])


def _norm(row: Row) -> str:
    return f"‖∂{row['quantity']}_T/∂{row['quantity']}_t‖"


def _reach(row: Row) -> str:
    last = row["steps"] - 1
    if row["reach"] < last:
        return (
            f"{row['reach']:.0f} steps back; then {_norm(row)} is below 10⁻³. "
            f"The gradient vanishes: {_pace(row)}."
        )
    if row["log10_at"] > -REACHED:
        how = "explodes"
    else:
        how = "shrinks, but does not vanish" if row["decay"] < 0 else "grows, but does not explode"
    return (
        f"all {last:.0f} steps back, where {_norm(row)} is {_power(row['log10_at'])}. "
        f"The gradient {how}: {_pace(row)}."
    )


def _pace(row: Row) -> str:
    verb = "halved" if row["decay"] < 0 else "doubled"
    return f"it is {verb} every {math.log10(2) / abs(row['decay']):.3g} steps back"


def _path(row: Row) -> str:
    share = f"one step's indirect share is {row['indirect_share']:.2f}"
    strongest = f"mostly through {row['strongest']}"
    if math.isnan(row["log10_direct_at"]):
        return f"there is no direct path: all of it goes through gates or kernels, {strongest}."
    gap = row["log10_at"] - row["log10_direct_at"]
    total = f"{_power(row['log10_at'])} in all, {row['at']:.0f} steps back"
    alone = f"{_power(row['log10_direct_at'])} along the direct path alone"
    if abs(gap) <= SAME:
        return f"{total}, {alone}: the direct path carries it ({share}, {strongest})."
    verb = "add" if gap > 0 else "take away"
    return f"{total}, {alone}: the gates {verb} {abs(gap):.1f} decades ({share}, {strongest})."


def _stability(row: Row) -> str:
    exponent, error = row["top_exponent"], row["top_exponent_error"]
    text = f"top Lyapunov exponent {exponent:+.3g} ± {error:.1g} per step: the state "
    if abs(exponent) <= 2 * error:
        text += "neither contracts nor expands."
    else:
        text += "contracts." if exponent < 0 else "expands."
    if math.isnan(row["kernel"]):
        return text
    kernel, critical = row["kernel"], row["critical_kernel"]
    how_far = (
        f"{critical / kernel:.3g} times" if critical > kernel else f"1/{kernel / critical:.3g} of"
    )
    return (
        f"{text} The zero state can lose stability where the spectral radius of "
        f"{KERNELS[row['cell']]} is {critical:.3g}, {how_far} what it is ({kernel:.3g})."
    )


def _remedy(row: Row) -> str:
    is_reached = row["reach"] >= row["wanted"]
    if row["log10_at"] > -REACHED:
        start = "it does, but explodes" if is_reached else "it explodes on the way"
        return f"{start}: {AGAINST_EXPLOSION[row['cell']]}."
    if is_reached:
        return "it does."
    if row["reach"] == row["steps"] - 1 and row["decay"] * row["wanted"] >= REACHED:
        return "at this pace it would; longer inputs tell."
    remedies: dict[str, Callable[[Row], str]] = {"LSTM": _lstm, "GRU": _gru, "VanillaRNN": _rnn}
    if row["cell"] not in remedies:
        return "no closed form is known for a cell of your own."
    return remedies[row["cell"]](row)


def _biases(row: Row, symbol: str) -> str:
    least, kept = (bias_to_keep(kept, row["wanted"]) for kept in (10**REACHED, math.exp(-1)))
    return (
        f"the direct path alone keeps 10⁻³ from {symbol} = {least:.2f} on, 1/e from {kept:.2f} on"
    )


def _lstm(row: Row) -> str:
    kept = bias_to_keep(math.exp(-1), row["wanted"])
    untied, tied = critical_gain(kept), critical_gain(kept, b_i=-kept)
    return (
        f"{_biases(row, 'b_f')}. At {kept:.2f} the zero state can lose stability where the "
        f"spectral radius of U_g is {untied:.3g} with b_i = 0, {tied:.3g} with b_i = −b_f "
        "(which chrono ties)."
    )


def _gru(row: Row) -> str:
    return f"{_biases(row, 'b_z')}. z and 1 − z are tied: the critical spectral radius stays."


def _rnn(row: Row) -> str:
    return (
        "there is no direct path to set: a recurrent kernel "
        f"{10 ** -row['decay']:.3g} times as large would cancel the mean decay, and a little more "
        "explode. An LSTM or a GRU has a bias for it."
    )


def _power(log10: float) -> str:
    return f"10^{log10:.1f}" if abs(log10) >= 2 else f"{10**log10:.2g}"
