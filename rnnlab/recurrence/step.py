"""One step of one layer, with the values that it observes."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from jaxtyping import Array, Float

from rnnlab.cells.cell import Cell

Replace = Mapping[str, Callable[[Array], Array]]
NOTHING: Replace = {}


def observed_step(
    cell: Cell,
    params: Any,
    state: Any,
    x: Float[Array, "batch inputs"],
    replace: Replace = NOTHING,
    wanted: Collection[str] = (),
) -> tuple[Any, dict[str, Array]]:
    """Run one step, and return or replace the values that it observes.

    Args:
        cell: the cell.
        params: one layer's parameters.
        state: the previous state.
        x: this step's input.
        replace: for observed names, a replacement with which the step continues.
        wanted: names that the step must observe.

    Returns:
        The new state, and every observed value before its replacement.

    Raises:
        ValueError: an observed value has no batch axis; the step does not observe one of the
            names, or observes one twice, or does not continue with the value that ``observe``
            returns.
    """
    seen: dict[str, Array] = {}
    went_on: dict[str, Array] = {}
    kind = type(cell).__name__

    def observe(name: str, value: Array) -> Array:
        if name in seen:
            raise ValueError(f"{kind}.step observes {name!r} twice in one step")
        _check_batch(kind, name, value, len(x))
        seen[name] = value
        went_on[name] = replace[name](value) if name in replace else value
        return went_on[name]

    after = cell.step(params, state, x, observe)
    if missed := sorted({*replace, *wanted} - seen.keys()):
        raise ValueError(
            f"{kind}.step does not observe {', '.join(missed)}: "
            f"write {missed[0]} = observe({missed[0]!r}, …) where it is computed"
        )
    _check_went_on(cell, after, {name: went_on[name] for name in replace})
    return after, seen


def _check_batch(kind: str, name: str, value: Array, batch: int) -> None:
    """Raise a ValueError unless an observed value has the examples as its first axis."""
    if value.shape[:1] != (batch,):
        raise ValueError(
            f"{kind}.step: observe({name!r}, …) takes values (batch, …), here batch {batch}, "
            f"got shape {value.shape}"
        )


def _check_went_on(cell: Cell, after: Any, replaced: Mapping[str, Array]) -> None:
    """Raise a ValueError unless the new state holds the replaced values of its parts."""
    for name in cell.State._fields:
        if name in replaced and getattr(after, name, None) is not replaced[name]:
            raise ValueError(
                f"{type(cell).__name__}.step must go on with what observe({name!r}, …) "
                "returns, and return it as that part of its state"
            )
