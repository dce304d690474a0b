"""What a page draws against a number in which its settings differ, such as the forget bias."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rnnlab.config.labels import varying_keys
from rnnlab.report.figures.biases import number
from rnnlab.report.page.captions import CAPTIONS
from rnnlab.report.page.drawn import Drawn
from rnnlab.report.page.one_number import LABELS
from rnnlab.report.page.settings import Setting

FORGET_BIAS = "cell.forget_bias"
# The norms of all paths are one plot.
NORM = "norm of one step by path"


def against_data(
    drawn: Drawn, settings: Sequence[Setting], by_setting: Sequence[Mapping[str, Any]]
) -> dict[str, Any] | None:
    """The part ``against`` of the page's data; None where settings differ in no number.

    ``families`` are settings that agree in all but this number, in its order, the largest first.

    Args:
        drawn: settings with plots.
        settings: of the page.
        by_setting: of ``by_setting_data``.
    """
    told = _told_keys(settings)
    key = next((key for key in [FORGET_BIAS, *told] if _differs(settings, key)), None)
    if key is None or not by_setting:
        return None
    symbol = "b_f" if key == FORGET_BIAS else key.rpartition(".")[2]
    places = {i: float(number(own.values.get(key))) for i, own in drawn.settings.items()}
    without = [drawn.settings[i].label for i, x in places.items() if math.isnan(x)]
    return {
        "symbol": symbol,
        "places": {str(i): x for i, x in places.items()},
        "families": _families(drawn.settings, [own for own in told if own != key], places),
        "note": f"Not drawn, since {symbol} is no number: {'; '.join(without)}." if without else "",
        "measures": _measures(by_setting),
    }


def _told_keys(settings: Sequence[Setting]) -> list[str]:
    """Options in which settings differ: of the cell and the task, and of training."""
    every = varying_keys([setting.values for setting in settings])
    trained = varying_keys([setting.values for setting in settings if not setting.is_before])
    return list(dict.fromkeys([*(k for k in every if k.startswith(("cell.", "task."))), *trained]))


def _differs(settings: Sequence[Setting], key: str) -> bool:
    found = {float(number(own.values.get(key))) for own in settings}
    return len({x for x in found if math.isfinite(x)}) > 1


def _families(
    settings: Mapping[int, Setting], keys: Sequence[str], places: Mapping[int, float]
) -> list[list[int]]:
    families: dict[str, list[int]] = {}
    for index in sorted((i for i, x in places.items() if math.isfinite(x)), key=places.__getitem__):
        rest = repr([settings[index].values.get(key) for key in keys])
        families.setdefault(rest, []).append(index)
    return sorted(families.values(), key=len, reverse=True)


def _measures(by_setting: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each plot that can be chosen: its words, and its entries of ``by_setting``."""
    measures: dict[str, list[Mapping[str, Any]]] = {}
    for entry in by_setting:
        measures.setdefault(entry["name"] if entry["name"] in LABELS else "norm", []).append(entry)
    return [
        {
            "name": name,
            "label": LABELS.get(name, NORM),
            "caption": CAPTIONS["against" if name == "norm" else f"against_{name}"],
            "entries": entries,
        }
        for name, entries in measures.items()
    ]
