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
CARRIES = "the direct path carries the gradient"

Row = dict[str, Any]


def reach(row: Row) -> str:
    """How far back the gradient reaches, and what becomes of it."""
    last = row["steps"] - 1
    if last == 0:
        return "there is only one time step, so no earlier step to reach."
    norm = f"‖∂{row['quantity']}_T/∂{row['quantity']}_t‖"
    if row["reach"] < last:
        return f"the gradient reaches {_back(row['reach'])}. One step farther {norm} {_fall(row)}"
    start = f"the gradient reaches {'all ' if last > 1 else ''}{_back(last)}, where {norm} is "
    start += power(row["log10_at"]) + _of_some(row)
    going = f": it {pace(row['decay'])}" if _agrees(row) else ""
    if row["log10_at"] > -REACHED:
        return f"{start}. It explodes{going}."
    if abs(row["log10_at"]) < AS_LARGE:
        return f"{start}. It keeps its size."
    if row["log10_at"] < 0:
        return f"{start}. It shrinks, but has not vanished{going}."
    return f"{start}. It {pace(row['decay']) if _agrees(row) else 'grows'}."


def _back(steps: int) -> str:
    return f"{steps} step{'' if steps == 1 else 's'} back"


def _fall(row: Row) -> str:
    """Say how a norm goes on after it has fallen below 10⁻³."""
    if math.isnan(row["log10_at"]):
        return "is not a number."
    some = _of_some(row)
    fallen = "is 0" if row["log10_at"] == -math.inf else f"is below 10⁻³{some}"
    if row["log10_later"] >= REACHED:
        return (
            f"{fallen}, but still farther back it rises again, up to {power(row['log10_later'])}."
        )
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
    if not row["has_direct"]:
        return f"this cell declares no direct path: every path is indirect{_through(row)}."
    norms = f"{_back(row['at'])} the norm is {power(row['log10_at'])} along all paths together"
    is_zero = row["log10_direct_at"] == -math.inf
    direct = "0 (or too small for a float)" if is_zero else power(row["log10_direct_at"])
    norms += f"{_of_some(row)}, and {direct} along the direct path alone"
    norms += _of_some(row, "direct_zeros_at")
    gap = row["log10_excess_at"]
    if math.isnan(gap):
        return f"{norms}."
    where = " where neither is 0" if row["zeros_at"] or row["direct_zeros_at"] else ""
    if abs(gap) <= SAME:
        return f"{norms}: they agree within a factor of 2{where}, so {CARRIES}.{_share(row)}"
    larger = f"{abs(gap):.1f} decades {'larger' if gap > 0 else 'smaller'}"
    return f"{norms}. The indirect paths make the norm {larger}{where}.{_share(row)}"


def _share(row: Row) -> str:
    if math.isnan(row["indirect_share"]):
        return ""
    if row["indirect_share"] == 0:
        return " In one step there is no indirect part."
    return f" In one step the indirect share is {row['indirect_share']:.2g}{_through(row)}."


def _through(row: Row) -> str:
    """Name the part with the largest Jacobian."""
    if row["strongest"] == "other":
        return ", mostly along paths outside the gates"
    return f", mostly through {row['strongest']}" if row["strongest"] else ""


def class_of(row: Row) -> type[Cell]:
    """The class of a built-in kind; ``Cell`` itself for a user-defined cell."""
    return CELLS.get(row["cell"], Cell)


def power(log10: float) -> str:
    """Write a norm by its log10."""
    if not math.isfinite(log10):
        return {-math.inf: "0", math.inf: "∞"}.get(log10, "unknown")
    return f"10^{log10:.1f}" if abs(log10) >= 2 else f"{10**log10:.2g}"
