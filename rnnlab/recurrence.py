"""Running a cell, or a stack of layers, over time."""

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from rnnlab.cells.cell import Cell
from rnnlab.gradients.adjoints import Slots, tap

Inputs = Float[Array, "time batch features"]
Collect = Mapping[str, Callable[[Array], Array]]


class Unrolled(NamedTuple):
    """Everything seen on the way forward; each array has the leading axes (layers, time)."""

    states: Any
    collected: dict[str, Array]


def unroll(cell: Cell, params: Any, inputs: Inputs, initial_state: Any = None) -> Any:
    """The cell's states at every time step.

    Args:
        cell: the cell.
        params: its parameters, as ``cell.init`` makes them.
        inputs: (time, batch, features).
        initial_state: a ``cell.State`` of arrays (batch, hidden), with a leading layer axis when
            ``cell.layers`` > 1; default zeros.

    Returns:
        A ``cell.State`` of arrays (time, batch, hidden), with a leading layer axis when
        ``cell.layers`` > 1.

    Raises:
        ValueError: inputs of another rank, or parameters of another number of layers.
    """
    states = unroll_observed(cell, params, inputs, initial_state).states
    return states if cell.layers > 1 else jax.tree.map(lambda a: a[0], states)


def unroll_observed(
    cell: Cell,
    params: Any,
    inputs: Inputs,
    initial_state: Any = None,
    collect: Collect | None = None,
    slots: Slots | None = None,
) -> Unrolled:
    """Run the stack; keep states and whatever is observed.

    Args:
        cell: the cell.
        params: its parameters, as ``cell.init`` makes them.
        inputs: (time, batch, features).
        initial_state: as for ``unroll``.
        collect: for each observed name to keep, what to keep of its value at each time step.
        slots: for each observed name whose adjoint norm is wanted, see ``gradients/adjoints.py``.
    """
    check_inputs(inputs)
    layers = _split_layers(cell, params, initial_state, inputs.shape[1])
    unrolled = []
    for index, (layer_params, state) in enumerate(layers):
        layer_slots = jax.tree.map(itemgetter(index), slots or {})
        unrolled.append(_unroll_layer(cell, layer_params, inputs, state, collect, layer_slots))
        inputs = unrolled[-1].states.h
    return jax.tree.map(lambda *layer: jnp.stack(layer), *unrolled)


def check_inputs(inputs: Array) -> None:
    """Raise a ValueError unless inputs are (time, batch, features)."""
    if inputs.ndim != 3:
        raise ValueError(f"inputs must be (time, batch, features), got shape {inputs.shape}")


def _check_initial_state(cell: Cell, state: Any, batch: int) -> None:
    layers = (cell.layers,) if cell.layers > 1 else ()
    expected = (*layers, batch, cell.hidden)
    for name in cell.State._fields:
        if jnp.shape(getattr(state, name)) != expected:
            raise ValueError(
                f"initial_state.{name} must have shape {expected}, "
                f"got {jnp.shape(getattr(state, name))}"
            )


def _split_layers(cell: Cell, params: Any, initial_state: Any, batch: int) -> list[tuple[Any, Any]]:
    """Each layer's parameters and initial state."""
    by_layer = params if type(params) is tuple else (params,)
    if len(by_layer) != cell.layers:
        raise ValueError(
            f"params are those of {len(by_layer)} layer(s), the cell has {cell.layers}: "
            "make them with cell.init"
        )
    if initial_state is not None:
        _check_initial_state(cell, initial_state, batch)
    if initial_state is None:
        states = [cell.initial_state(batch)] * cell.layers
    elif cell.layers == 1:
        states = [initial_state]
    else:
        states = [jax.tree.map(itemgetter(i), initial_state) for i in range(cell.layers)]
    return list(zip(by_layer, states, strict=True))


def _unroll_layer(
    cell: Cell,
    params: Any,
    inputs: Inputs,
    state: Any,
    collect: Collect | None,
    slots: Slots,
) -> Unrolled:
    collect = collect or {}

    def step(state: Any, inputs_t: tuple[Array, Slots]) -> tuple[Any, Unrolled]:
        x, slots_t = inputs_t
        seen: dict[str, Array] = {}
        collected: dict[str, Array] = {}

        def observe(name: str, value: Array) -> Array:
            if name in seen:
                raise ValueError(f"{type(cell).__name__}.step observes {name!r} twice in one step")
            if name in collect:
                collected[name] = collect[name](value)
            seen[name] = tap(value, slots_t[name]) if name in slots_t else value
            return seen[name]

        state = cell.step(params, state, x, observe)
        if missed := sorted({*slots_t, *collect} - seen.keys()):
            raise ValueError(
                f"{type(cell).__name__}.step does not observe {', '.join(missed)}: "
                f"write {missed[0]} = observe({missed[0]!r}, …) where it is computed"
            )
        for name in slots_t:
            if getattr(state, name, None) is not seen[name]:
                raise ValueError(
                    f"{type(cell).__name__}.step must go on with what observe({name!r}, …) "
                    "returns, and return it as that part of its state"
                )
        return state, Unrolled(state, collected)

    return lax.scan(step, state, (inputs, slots))[1]
