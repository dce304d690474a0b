"""The settings of results that the instrument can show, and what was measured of them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnlab.report.figures.biases import number
from rnnlab.report.page.html import packed
from rnnlab.report.page.instrument_texts import HIDDEN, LIMITS, START
from rnnlab.report.page.settings import Setting
from rnnlab.report.page.tables import Lines, of_jacobians
from rnnlab.report.page.thinning import evenly
from rnnlab.results.stored_run import StoredRun
from rnnlab.support.checksums import Damaged

MOST = 24
MOST_POINTS = 100
CELLS = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}
SEQUENCES = ("adding", "copy")
BIASES = {"b_f": "forget_bias", "b_i": "input_bias", "b_o": "output_bias", "b_z": "update_bias"}
KERNELS = ("orthogonal", "uniform")
# Names in the tables' curves, and in the page.
POINTS = {"sensitivity": "sensitivity", "total": "oneStep"}


def measured_data(settings: Sequence[Setting]) -> list[dict[str, Any]]:
    """The settings that the instrument can be set to, each with its measured points.

    They are at most ``MOST``, evenly over the sweep.

    ``choice`` is what the instrument is set to, ``differs`` what it cannot follow; ``sensitivity``
    and ``oneStep`` are medians over runs before training, by ``x``: steps back, and t.
    """
    known = [setting for setting in settings if choice_of(setting.values) is not None]
    offered = [known[place] for place in evenly(len(known), MOST)]
    return [
        {
            "label": setting.label,
            "choice": choice_of(setting.values),
            "differs": differs(setting.values),
            **_points(setting),
        }
        for setting in offered
    ]


def choice_of(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The instrument's settings nearest to a setting of results; None for another cell."""
    cell = CELLS.get(str(values.get("cell.kind")))
    if cell is None:
        return None
    chrono = "chrono" in (values.get("cell.forget_bias"), values.get("cell.update_bias"))
    choice: dict[str, Any] = {
        "cell": cell,
        "kernel": _kernel(values),
        "sequence": _sequence(values) or START["sequence"],
        "T": int(_within("T", _length(values))),
        "gain": _within("gain", _number(values.get("cell.recurrent_gain"), 1.0)),
        "chrono": chrono,
        "tie": values.get("cell.input_bias") == "tied",
    }
    for name, option in BIASES.items():
        value = values.get(f"cell.{option}")
        if isinstance(value, int | float) and np.isfinite(value):
            choice[name] = _within(name, float(value))
    return choice


def differs(values: Mapping[str, Any]) -> str:
    """List in words which options of a setting the instrument lacks; empty where it has all.

    An option that the cell does not have, None or NaN, is no difference.
    """
    kernel, length = values.get("cell.recurrent_kernel"), _length(values)
    parts = [
        (_has_other(values, "cell.hidden", HIDDEN), f"{values.get('cell.hidden')} units"),
        (_has_other(values, "cell.layers", 1), f"{values.get('cell.layers')} layers"),
        (_has_other(values, "cell.activation", "tanh"), f"{values.get('cell.activation')}"),
        (_has_other(values, "cell.reset", "after"), "reset before the product"),
        (_has_other(values, "cell.recurrent_kernel", _kernel(values)), f"{kernel} kernels"),
        (_within("T", length) != length, f"{length:.0f} time steps"),
        (_sequence(values) is None, f"the task {values.get('task.kind')}"),
    ]
    return ", ".join(text for is_so, text in parts if is_so)


def _has_other(values: Mapping[str, Any], key: str, own: Any) -> bool:
    value = values.get(key)
    is_missing = value is None or (isinstance(value, float) and math.isnan(value))
    return not is_missing and value != own


def _length(values: Mapping[str, Any]) -> float:
    """Time steps of an adding sequence; of a copy sequence T + 2K."""
    length = _number(values.get("task.length"), float(START["T"]))
    is_copy = _sequence(values) == "copy"
    return length + 2 * _number(values.get("task.symbols"), 10.0) * is_copy


def _sequence(values: Mapping[str, Any]) -> str | None:
    kind = values.get("task.kind")
    return kind if kind in SEQUENCES else None


def _kernel(values: Mapping[str, Any]) -> str:
    own = values.get("cell.recurrent_kernel")
    return own if own in KERNELS else KERNELS[0]


def _number(value: Any, default: float) -> float:
    """A setting's value; the default where it is not a finite number, as a user's task may have."""
    return default if math.isnan(own := number(value)) else own


def _within(name: str, value: float) -> float:
    low, high = LIMITS[name]
    return float(min(max(value, low), high))


def _points(setting: Setting) -> dict[str, Any]:
    """Medians over the runs before training; nothing where no Jacobians were recorded."""
    runs = [_of_run(run) for run in (setting.before or setting).ended]
    found = {POINTS[name]: [own[name] for own in runs if name in own] for name in POINTS}
    return {name: _median(lines) for name, lines in found.items() if lines}


def _of_run(run: StoredRun) -> dict[str, Lines]:
    """Sensitivity and norm of one step, at the first record."""
    try:
        if not run.has_table("jacobians"):
            return {}
        table = run.table("jacobians", "")
    except Damaged:
        return {}
    first = table[table["step"] == table["step"].min()]
    return {name.name: own for name, own in of_jacobians(first) if name.name in POINTS}


def _median(lines: list[Lines]) -> dict[str, Any]:
    shortest = min(len(own.x) for own in lines)
    every = -(-shortest // MOST_POINTS)
    values = np.median([own.values[0, :shortest] for own in lines], axis=0)
    return {"x": lines[0].x[:shortest:every].tolist(), "values": packed(values[::every])}
