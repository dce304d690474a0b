"""Labels of the settings of a sweep, for tables and figures."""

import json
from collections.abc import Sequence
from typing import Any

from rnnlab.cells import CELLS
from rnnlab.cells.facts import GateBias
from rnnlab.support.text import printable

CHRONO_LENGTH = "cell.t_max"
LONGEST = 120
# A bias with this value is left out of labels; other biases that vary are then named at 0, too.
UNNAMED = ""

Flat = dict[str, Any]


def flatten(settings: dict[str, Any]) -> Flat:
    """Settings with dotted keys; optimiser and schedule stand for their ``kind``."""
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


def told_once(flat: Flat) -> Flat:
    """Without the parts of options that are whole under another key, as of record.jacobians."""
    return {
        key: value
        for key, value in flat.items()
        if f"{key.rpartition('.')[2]} {value}" not in str(flat.get(key.rpartition(".")[0], ""))
    }


def varying_keys(settings: Sequence[Flat]) -> list[str]:
    """Keys on which those settings that have them differ."""
    keys = dict.fromkeys(key for flat in settings for key in flat)
    return [key for key in keys if len({repr(f[key]) for f in settings if key in f}) > 1]


def labels(settings: Sequence[Flat]) -> list[str]:
    """A short, distinct name for each setting.

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
    """The varying keys without those that follow from the task's kind, such as its length."""
    if "task.kind" not in varying:
        return list(varying)
    by_kind: dict[str, list[Flat]] = {}
    for flat in settings:
        by_kind.setdefault(str(flat["task.kind"]), []).append(flat)
    unsettled = {key for group in by_kind.values() for key in varying_keys(group)}
    return [key for key in varying if key in unsettled or key == "task.kind"]


def _one_line(name: str) -> str:
    line = printable(name).replace("\n", " ")
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def label_settings(settings: Sequence[dict[str, Any]]) -> list[str]:
    """Labels of settings with nested keys; see ``label_each``."""
    return label_each([flatten(one) for one in settings])


def label_each(settings: Sequence[Flat]) -> list[str]:
    """Labels of settings, some of which may be equal; see ``labels``."""
    keys = [json.dumps(flat, sort_keys=True) for flat in settings]
    distinct = dict(zip(keys, settings, strict=True))
    names = dict(zip(distinct, labels(list(distinct.values())), strict=True))
    return [names[key] for key in keys]


def cell_name(flat: Flat) -> str:
    """RNN, LSTM, GRU, or the name of a user's class."""
    return kind_name(str(flat["cell.kind"]))


def kind_name(kind: str) -> str:
    """The name of a kind of cell in tables and figures."""
    if kind in CELLS:
        return CELLS[kind].label or CELLS[kind].__name__
    return kind.rpartition(":")[2]


def gate_biases() -> dict[str, GateBias]:
    """The options of all built-in cells that set biases of gates, by dotted key."""
    return {bias.key: bias for kind in CELLS.values() for bias in kind.gate_biases}


def _label(flat: Flat, varying: Sequence[str]) -> str:
    parts = []
    if "task.kind" in varying:
        parts.append(str(flat["task.kind"]).rpartition(":")[2])
    if "cell.kind" in varying:
        parts.append(cell_name(flat))
    biases = gate_biases()
    if {*biases, "cell.kind"} & set(varying):
        is_unnamed = any(flat.get(key) == UNNAMED for key in biases)
        zeros = [key for key in varying if is_unnamed]
        parts += [text for bias in biases.values() if (text := _bias(flat, bias, zeros))]
    for key in varying:
        if key in flat and key not in ("task.kind", "cell.kind", CHRONO_LENGTH, *biases):
            parts.append(f"{key.rpartition('.')[2]} = {_short(flat[key])}")
    return ", ".join(parts)


def _bias(flat: Flat, bias: GateBias, zeros: Sequence[str]) -> str:
    """The label of a bias, such as b_f = 1; empty if the setting has none or hides it.

    A bias of 0 that labels hide is named where its key is in ``zeros``.
    """
    value = flat.get(bias.key, UNNAMED)
    if value == UNNAMED or (not value and not (bias.shows_zero or bias.key in zeros)):
        return ""
    if value == "chrono":
        longest = flat.get(CHRONO_LENGTH)
        return f"{bias.symbol} chrono" + (f" to {_short(longest)}" if longest else "")
    return dict(bias.words).get(str(value), f"{bias.symbol} = {_short(value)}")


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(value)[:24]
