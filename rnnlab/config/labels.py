"""What the settings of a sweep are called in tables and figures."""

import json
from collections.abc import Sequence
from typing import Any

from rnnlab.support.text import printable

BIAS_KEYS = ("cell.forget_bias", "cell.input_bias", "cell.update_bias", "cell.t_max")
LONGEST = 120
# A bias with this value is left out of labels.
UNNAMED = ""
CELL_NAMES = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}

Flat = dict[str, Any]


def flatten(settings: dict[str, Any]) -> Flat:
    """Settings with dotted keys; ``kind``s of optimiser and schedule lose the last part."""
    flat: Flat = {}
    for section, options in settings.items():
        for key, value in options.items():
            if isinstance(value, dict):
                flat |= {f"{section}.{key}.{inner}": v for inner, v in value.items()}
                if "kind" not in value:
                    flat[f"{section}.{key}"] = ", ".join(f"{k} {v}" for k, v in value.items())
            else:
                flat[f"{section}.{key}"] = value
    return {key.removesuffix(".kind") if key.count(".") > 1 else key: v for key, v in flat.items()}


def varying_keys(settings: Sequence[Flat]) -> list[str]:
    """Keys on which those settings that have them differ."""
    keys = dict.fromkeys(key for flat in settings for key in flat)
    return [key for key in keys if len({repr(f[key]) for f in settings if key in f}) > 1]


def labels(settings: Sequence[Flat]) -> list[str]:
    """A short name for each setting that tells it from the others.

    Names give a forget bias as the effective offset b_f, and the tie to the input gate's.
    """
    varying = varying_keys(settings)
    shown = _unsettled(settings, varying)
    names = [_label(flat, shown) for flat in settings]
    names = [name or cell_name(flat) for name, flat in zip(names, settings, strict=True)]
    if len(set(names)) < len(names):
        names = [", ".join(f"{k}={f[k]!r}" for k in varying if k in f) for f in settings]
    names = [_one_line(name) for name in names]
    if len(set(names)) < len(names):
        names = [f"{name} #{number}" for number, name in enumerate(names, 1)]
    return names


def _unsettled(settings: Sequence[Flat], varying: Sequence[str]) -> list[str]:
    """The varying keys less those that the task's kind settles, as its length and batch may be."""
    if "task.kind" not in varying:
        return list(varying)
    by_kind: dict[str, list[Flat]] = {}
    for flat in settings:
        by_kind.setdefault(str(flat["task.kind"]), []).append(flat)
    left = {key for group in by_kind.values() for key in varying_keys(group)}
    return [key for key in varying if key in left or key == "task.kind"]


def _one_line(name: str) -> str:
    line = printable(name).replace("\n", " ")
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def label_settings(settings: Sequence[dict[str, Any]]) -> list[str]:
    """As ``label_each``, of settings with nested keys."""
    return label_each([flatten(one) for one in settings])


def label_each(settings: Sequence[Flat]) -> list[str]:
    """As ``labels``, where settings may occur more than once."""
    keys = [json.dumps(flat, sort_keys=True) for flat in settings]
    distinct = dict(zip(keys, settings, strict=True))
    names = dict(zip(distinct, labels(list(distinct.values())), strict=True))
    return [names[key] for key in keys]


def cell_name(flat: Flat) -> str:
    """RNN, LSTM, GRU, or the name of a user's class."""
    kind = str(flat["cell.kind"])
    return CELL_NAMES.get(kind, kind.rpartition(":")[2])


def _label(flat: Flat, varying: Sequence[str]) -> str:
    parts = []
    if "task.kind" in varying:
        parts.append(str(flat["task.kind"]).rpartition(":")[2])
    if "cell.kind" in varying:
        parts.append(cell_name(flat))
    if {"cell.forget_bias", "cell.input_bias", "cell.update_bias", "cell.kind"} & set(varying):
        parts += _biases(flat)
    for key in varying:
        if key in flat and key not in ("task.kind", "cell.kind", *BIAS_KEYS):
            parts.append(f"{key.rpartition('.')[2]} = {_short(flat[key])}")
    return ", ".join(parts)


def _biases(flat: Flat) -> list[str]:
    kept = {"cell.forget_bias": "b_f", "cell.update_bias": "b_z"}
    parts = []
    for key, symbol in kept.items():
        if flat.get(key, UNNAMED) == UNNAMED:
            continue
        if flat[key] == "chrono":
            longest = flat.get("cell.t_max")
            parts.append(f"{symbol} chrono" + (f" to {_short(longest)}" if longest else ""))
        else:
            parts.append(f"{symbol} = {_short(flat[key])}")
    input_bias = flat.get("cell.input_bias")
    if input_bias == "tied":
        parts.append("b_i = −b_f")
    elif input_bias:
        parts.append(f"b_i = {_short(input_bias)}")
    return parts


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(value)[:24]
