"""The curves in a run's tables: a value at each record and each place of a line."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from rnnlab.report.figures.records import log10_with_zeros, quantities_of
from rnnlab.report.figures.sensitivity import sensitivity_with_zeros

BACK, TIME, INDEX = "steps back in time", "time step t", "index, greatest first"
SPECTRAL = "_spectral"
SENSITIVITIES = ("sensitivity", "stack sensitivity")


class Name(NamedTuple):
    """What a curve shows.

    Attributes:
        group: of curves that are drawn in one plot.
        name: distinct in the group, for the same ``x``.
        x: the label of the axis.
        of: further words for labels, such as the part of the state.
    """

    group: str
    name: str
    x: str
    of: str = ""


class Lines(NamedTuple):
    """A run's curve at its records.

    Attributes:
        steps: of training, in order.
        x: places, in order.
        values: (steps, x).
    """

    steps: np.ndarray
    x: np.ndarray
    values: np.ndarray


def lines(rows: pd.DataFrame, x: pd.Series, values: pd.Series) -> Lines:
    """A grid of values; NaN where a table has no row."""
    steps, at_step = np.unique(rows["step"].to_numpy(), return_inverse=True)
    places, at_place = np.unique(x.to_numpy(), return_inverse=True)
    grid = np.full((len(steps), len(places)), math.nan, np.float32)
    grid[at_step, at_place] = values.to_numpy()
    return Lines(steps, places, grid)


def of_gradients(table: pd.DataFrame) -> Iterator[tuple[Name, Lines]]:
    """log10‖∂L/∂·_t‖ of each part of the state, against the distance back if there is one."""
    top = _top(table)
    for part in quantities_of(top):
        rows = top[top["quantity"] == part]
        has_distance = bool(rows["distance"].notna().any())
        if has_distance:
            rows = rows[rows["distance"] >= 0]
        x = rows["distance" if has_distance else "t"]
        name = Name("decay", part, BACK if has_distance else TIME)
        yield name, lines(rows, x, log10_with_zeros(rows))


def of_gates(table: pd.DataFrame) -> Iterator[tuple[Name, Lines]]:
    """The mean of each gate against t."""
    top = _top(table)
    for gate in top["gate"].unique():
        rows = top[top["gate"] == gate]
        yield Name("gates", gate, TIME), lines(rows, rows["t"], rows["mean"])


def of_jacobians(table: pd.DataFrame) -> Iterator[tuple[Name, Lines]]:
    """Sensitivity, the size of each path, and the share of the indirect ones."""
    top = _top(table)
    carry = str(top["quantity"].iloc[0]) if len(top) else ""
    back = top["t"].max() - top["t"]
    own, whole = SENSITIVITIES
    yield Name("decay", own, BACK, carry), lines(top, back, sensitivity_with_zeros(top))
    stack = "log10_stack_sensitivity"
    if table["layer"].max() > 0 and stack in top and top[stack].notna().any():
        yield Name("decay", whole, BACK, carry), lines(top, back, top[stack])
    for column in [f"{path}{SPECTRAL}" for path in paths_of(top)]:
        name = Name("paths", column.removesuffix(SPECTRAL), TIME, carry)
        yield name, lines(top, top["t"], top[column])
    if "share" in top and top["share"].notna().any():
        yield Name("share", "share", TIME, carry), lines(top, top["t"], top["share"])


def of_lyapunov(table: pd.DataFrame) -> Iterator[tuple[Name, Lines]]:
    """The Lyapunov exponents, means over examples, against their index from 1 on."""
    means = table.groupby(["step", "index"])["exponent"].mean().reset_index()
    yield Name("lyapunov", "exponents", INDEX), lines(means, means["index"] + 1, means["exponent"])


def paths_of(jacobians: pd.DataFrame) -> list[str]:
    """The recorded paths: the direct one, those through a gate, their sum, and the total."""
    names = map(str, jacobians.columns)
    columns = [c for c in names if c.endswith(SPECTRAL) and jacobians[c].notna().any()]
    paths = [column.removesuffix(SPECTRAL) for column in columns]
    ends = {"direct": 0, "indirect": 2, "total": 3}
    return sorted(paths, key=lambda path: (ends.get(path, 1), path))


def _top(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["layer"] == table["layer"].max()]


CURVES: dict[str, Callable[[pd.DataFrame], Iterator[tuple[Name, Lines]]]] = {
    "lyapunov": of_lyapunov,
    "jacobians": of_jacobians,
    "gradients": of_gradients,
    "gates": of_gates,
}
