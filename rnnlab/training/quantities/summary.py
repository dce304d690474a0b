"""The numbers that summarise a quantity's table, for a run and for the comparison."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import pandas as pd

ENDS = ("first", "last")
# What the comparison adds to the name of a median: nothing, and for the ends of its interval.
INTERVAL = ("", "_low", "_high")

# The ways in which the comparison combines the numbers of a setting's runs.
OverSeeds = Literal["median", "median step", "same"]


class Facts(NamedTuple):
    """The facts that numbers depend on besides the table.

    Attributes:
        threshold: the task's threshold, see ``Task.threshold``.
        read_step: the time step from which distances back are counted; None if there is none.
        carry: the part of the cell's state that its direct path carries.
        direct: the gate on the direct path; None if there is none.
    """

    threshold: float
    read_step: int | None
    carry: str
    direct: str | None


@dataclass(frozen=True)
class Number:
    """One number that summarises a run.

    Attributes:
        name: the name of its column.
        meaning: in one line.
        of_table: computes it from the quantity's table.
        over_seeds: how the comparison combines several runs' numbers; None: it does not show them.
    """

    name: str
    meaning: str
    of_table: Callable[[pd.DataFrame, Facts], Any]
    over_seeds: OverSeeds | None = "median"

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        return (self.name,)

    def of_run(self, table: pd.DataFrame, facts: Facts) -> dict[str, Any]:
        """Compute its columns for one run."""
        return {self.name: self.of_table(table, facts)}


@dataclass(frozen=True)
class AtEnds:
    """A number of the top layer at the first and at the last record: two columns.

    Attributes:
        name: of the columns, less ``_first`` and ``_last``.
        meaning: in one line.
        of_record: computes it from the top layer's rows of one record, which are never empty.
        label: the heading in the terminal; without one it is not shown there.
        form: the number format there.
        title: of the table in which it is shown there; default that of the quantity's option.
    """

    name: str
    meaning: str
    of_record: Callable[[pd.DataFrame, Facts], float]
    label: str = ""
    form: str = "{:.3g}"
    title: str = ""
    over_seeds: OverSeeds | None = "median"

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        return at_ends(self.name)

    def of_run(self, table: pd.DataFrame, facts: Facts) -> dict[str, float]:
        """Compute its columns for one run; NaN where the table is empty."""
        if table.empty:
            return dict.fromkeys(self.columns, math.nan)
        top = table[table["layer"] == table["layer"].max()] if "layer" in table else table
        steps = (top["step"].min(), top["step"].max())
        values = [self.of_record(top[top["step"] == step], facts) for step in steps]
        return dict(zip(self.columns, values, strict=True))


@dataclass(frozen=True)
class FromMedians:
    """Columns of the comparison alone: a function of the medians of an ``AtEnds``.

    Attributes:
        name: of the columns, less ``_first`` and ``_last``.
        meaning: in one line.
        of: the name of the ``AtEnds``, which must come before it.
        by: the function of the median and of the ends of its interval; it must not fall.
        label: see ``AtEnds``.
        form: see ``AtEnds``.
        title: see ``AtEnds``.
    """

    name: str
    meaning: str
    of: str
    by: Callable[[float], float]
    label: str = ""
    form: str = "{:.3g}"
    title: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        return at_ends(self.name)

    def of_medians(self, row: dict[str, Any]) -> dict[str, float]:
        """Compute its columns, and their intervals, from earlier columns of the comparison."""
        pairs = zip(self.columns, at_ends(self.of), strict=True)
        return {f"{own}{end}": self.by(row[f"{of}{end}"]) for own, of in pairs for end in INTERVAL}


SummaryEntry = Number | AtEnds | FromMedians


def at_ends(name: str) -> tuple[str, ...]:
    """The columns of a number at the first and at the last record."""
    return tuple(f"{name}_{end}" for end in ENDS)


def column_of(record: pd.DataFrame, name: str) -> pd.Series:
    """A column, or NaN in every row where a cell's table has no such column."""
    return record[name] if name in record else pd.Series(math.nan, record.index)
