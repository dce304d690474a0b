"""Colours, dashes and marks of settings: the same in every figure and on the page.

Settings that differ in a number, such as b_f or T, get colours in its order, from dark to light;
in what else they differ, such as a tie, shows by hue and dashes. Other settings get colours without
an order. Lightness, dashes and marks tell lines apart in print without colour.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.colors import to_hex

# By the name that plotly has for it: the pattern in Matplotlib.
DASHES: dict[str, Any] = {
    "solid": "-",
    "dash": (0, (5, 1.5)),
    "dot": (0, (1, 1)),
    "dashdot": (0, (5, 1, 1, 1)),
    "longdash": (0, (8, 3)),
}
MARKERS = {
    "circle": "o",
    "square": "s",
    "triangle-up": "^",
    "diamond": "D",
    "triangle-down": "v",
    "cross": "P",
    "x": "X",
    "triangle-left": "<",
    "triangle-right": ">",
}
# Okabe & Ito 2008, of its two blues the darker one, without the light yellow; on a light ground
# and on a dark one.
CATEGORIES = (
    ("#000000", "#FFFFFF"),
    ("#0072B2", "#56B4E9"),
    ("#D55E00", "#FF7F2A"),
    ("#009E73", "#2BCF9E"),
    ("#CC79A7", "#E79AC6"),
    ("#E69F00", "#F7C948"),
)
# Settings without the number by which the others are ordered.
WITHOUT_NUMBER = (CATEGORIES[0], CATEGORIES[4], CATEGORIES[5], ("#8C8C8C", "#A8A8A8"))
# Of each group of ordered settings, on a light and on a dark ground: Matplotlib's map, its part.
RAMPS = (
    (("viridis", 0.02, 0.7), ("viridis", 0.35, 0.95)),
    (("gist_heat", 0.2, 0.75), ("inferno", 0.55, 0.95)),
    (("RdPu_r", 0.15, 0.55), ("RdPu_r", 0.35, 0.8)),
)


@dataclass(frozen=True)
class Style:
    """How a setting is drawn.

    Attributes:
        light: its colour on a light ground, #rrggbb.
        dark: on a dark ground.
        dash: of its line, as plotly names it: a key of ``DASHES``.
        symbol: of its marks, as plotly names it: a key of ``MARKERS``.
        index: its place among the settings.
        order: the number by which settings are ordered; NaN without one.
    """

    light: str
    dark: str
    dash: str
    symbol: str
    index: int = 0
    order: float = math.nan

    @property
    def marker(self) -> str:
        """Matplotlib's letter of the symbol."""
        return MARKERS[self.symbol]

    @property
    def line(self) -> dict[str, Any]:
        """Matplotlib's options of a line with marks."""
        return {
            "color": self.light,
            "linestyle": DASHES[self.dash],
            "marker": self.marker,
            "markersize": 3,
            "linewidth": 1.2,
        }


def styles(runs: pd.DataFrame) -> dict[str, Style]:
    """The style of each setting, by its label.

    Args:
        runs: ``Results.runs``, or another table of it with its categorical ``setting``.
    """
    return styles_of(list(runs["setting"].cat.categories))


def styles_of(labels: Sequence[str]) -> dict[str, Style]:
    """The styles of settings with these labels, such as "LSTM, b_f = 1".

    Args:
        labels: distinct; their parts are separated by commas, see ``rnnlab.config.labels``.
    """
    parts = [_parts(label) for label in labels]
    key = _ordering_name(parts)
    if key is None:
        return {label: category(index) for index, label in enumerate(labels)}
    numbers = [_number(own.get(key)) for own in parts]
    values = sorted(set(filter(math.isfinite, numbers)))
    unordered = [label for label, x in zip(labels, numbers, strict=True) if math.isnan(x)]
    groups = _groups(parts, key, numbers)
    found = {}
    for index, (label, x, group) in enumerate(zip(labels, numbers, groups, strict=True)):
        if math.isnan(x):
            place = unordered.index(label)
            rank, colours = len(values) + place, WITHOUT_NUMBER[place % len(WITHOUT_NUMBER)]
        else:
            rank = values.index(x)
            colours = _shade(group, rank / (len(values) - 1))
        found[label] = Style(*colours, _dash(group), _symbol(rank), index, x)
    return found


def category(index: int) -> Style:
    """The style of the index-th of things that have no order."""
    return Style(*CATEGORIES[index % len(CATEGORIES)], _dash(index), _symbol(index), index)


def _dash(index: int) -> str:
    return list(DASHES)[index % len(DASHES)]


def _symbol(index: int) -> str:
    return list(MARKERS)[index % len(MARKERS)]


def _shade(group: int, place: float) -> tuple[str, str]:
    """The colours at a place from 0, the least number, to 1, the greatest."""
    light, dark = (
        to_hex(matplotlib.colormaps[name](a + (b - a) * place))
        for name, a, b in RAMPS[group % len(RAMPS)]
    )
    return light, dark


def _parts(label: str) -> dict[str, str]:
    """The values that a label names, by their names; what has no name goes by its place."""
    found: dict[str, str] = {}
    for place, part in enumerate(label.split(", ")):
        named = re.fullmatch(r"(\S+) ?= ?(.+)|(b_\w) (.+)", part)
        name, value = filter(None, named.groups()) if named else (f"{place}", part)
        found[f"{name} again" if name in found else name] = value
    return found


def _number(value: str | None) -> float:
    """NaN where it is no finite number."""
    try:
        number = float(value or "nan")
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _ordering_name(parts: Sequence[dict[str, str]]) -> str | None:
    """The name that has the most different numbers, of two or more; the first of several."""
    names = dict.fromkeys(name for own in parts for name in own)
    many = {
        name: len(set(filter(math.isfinite, (_number(own.get(name)) for own in parts))))
        for name in names
    }
    best = max(many, key=lambda name: many[name], default=None)
    return best if best is not None and many[best] > 1 else None


def _groups(parts: Sequence[dict[str, str]], key: str, numbers: Sequence[float]) -> list[int]:
    """Which settings are equal in all but the number that orders; those that have one are first.

    Other numbers that follow from it, as training steps may from T, do not count.
    """
    implied = {name for own in parts for name in own if _follows(name, parts, numbers)} | {key}
    rest = [tuple(item for item in own.items() if item[0] not in implied) for own in parts]
    first = sorted(range(len(rest)), key=lambda index: math.isnan(numbers[index]))
    order = list(dict.fromkeys(rest[index] for index in first))
    return [order.index(own) for own in rest]


def _follows(name: str, parts: Sequence[dict[str, str]], numbers: Sequence[float]) -> bool:
    """Whether each number has one number of this name, and all settings have it."""
    values = [own.get(name) for own in parts]
    pairs = set(zip(numbers, values, strict=True))
    return all(math.isfinite(_number(value)) for value in values) and (
        len(pairs) == len(set(numbers))
    )
