"""Sentences of the diagnosis: how far the gradient reaches, and along which path.

Each takes a row of ``diagnosis.summarize``.
"""

import math
from typing import Any

from rnnlab.cells import CELLS, Cell
from rnnlab.cells.advice import REACHED
from rnnlab.gradients.decay import STILL, pace

SAME = math.log10(2)
# Decades that are no change: a factor of 1.07.
AS_LARGE = 0.03

Row = dict[str, Any]


def reach(row: Row) -> str:
    """How far back the gradient reaches, and what becomes of it."""
    last = row["steps"] - 1
    if last == 0:
        return "there is one time step, and no earlier one to reach."
    norm = f"‖∂{row['quantity']}_T/∂{row['quantity']}_t‖"
    if row["reach"] < last:
        return f"{_back(row['reach'])}; then {norm} {_fall(row)}"
    start = f"{'all ' if last > 1 else ''}{_back(last)}, where {norm} is "
    start += power(row["log10_at"]) + _of_some(row)
    going = f": it {pace(row['decay'])}" if _agrees(row) else ""
    if row["log10_at"] > -REACHED:
        return f"{start}. The gradient explodes{going}."
    if abs(row["log10_at"]) < AS_LARGE:
        return f"{start}. The gradient keeps its size."
    if row["log10_at"] < 0:
        return f"{start}. The gradient shrinks, but has not vanished{going}."
    return f"{start}. The gradient {pace(row['decay']) if _agrees(row) else 'grows'}."


def _back(steps: int) -> str:
    return f"{steps} step{'' if steps == 1 else 's'} back"


def _fall(row: Row) -> str:
    """Say how a norm goes on after it has fallen below 10⁻³."""
    if math.isnan(row["log10_at"]):
        return "is not a number."
    some = _of_some(row)
    fallen = "is 0" if row["log10_at"] == -math.inf else f"is below 10⁻³{some}"
    if row["log10_later"] >= REACHED:
        return f"{fallen}, but farther back it is up to {power(row['log10_later'])} again."
    going = f": it {pace(row['decay'])}" if _agrees(row) else ""
    return f"{fallen}. The gradient vanishes{going}."


def _agrees(row: Row) -> bool:
    """Whether the slope tells the same as the norm far back, as it does of a steady course."""
    return abs(row["decay"]) >= STILL and (row["decay"] > 0) == (row["log10_at"] > 0)


def _of_some(row: Row, zeros: str = "zeros_at") -> str:
    """In how many examples a number is not zero, if not in all or in none."""
    some = row["examples"] - row[zeros]
    return (
        f" in {some} of {row['examples']} examples and 0 in the others"
        if row[zeros] and some
        else ""
    )


def path(row: Row) -> str:
    """How much is left, and what the indirect paths add to the direct one."""
    if text := class_of(row).without_direct_path:
        return text
    through = f", mostly through {row['strongest']}" if row["strongest"] else ""
    through = ", mostly through none of the gates" if row["strongest"] == "other" else through
    if not row["has_direct"]:
        return f"the cell declares no direct path: all of it is indirect{through}."
    total = f"{_back(row['at'])} {power(row['log10_at'])} is left in all{_of_some(row)}, "
    is_zero = row["log10_direct_at"] == -math.inf
    direct = "0 (or less than a float can be)" if is_zero else power(row["log10_direct_at"])
    alone = f"{direct} along the direct path alone"
    alone += _of_some(row, "direct_zeros_at")
    gap = row["log10_excess_at"]
    if math.isnan(gap):
        return f"{total}{alone}."
    share = f"the indirect share of one step is {row['indirect_share']:.2g}{through}"
    if row["indirect_share"] == 0:
        share = "there is no indirect one"
    share = "" if math.isnan(row["indirect_share"]) else f" ({share})"
    where = " where neither is 0" if row["zeros_at"] or row["direct_zeros_at"] else ""
    if abs(gap) <= SAME:
        return f"{total}{alone}: the direct path carries it{where}{share}."
    verb = "add" if gap > 0 else "take away"
    return f"{total}{alone}: the indirect paths {verb} {abs(gap):.1f} decades{where}{share}."


def class_of(row: Row) -> type[Cell]:
    """The class of a built-in kind; ``Cell`` itself for a user-defined cell."""
    return CELLS.get(row["cell"], Cell)


def power(log10: float) -> str:
    """Write a norm by its log10."""
    if not math.isfinite(log10):
        return {-math.inf: "0", math.inf: "∞"}.get(log10, "unknown")
    return f"10^{log10:.1f}" if abs(log10) >= 2 else f"{10**log10:.2g}"
