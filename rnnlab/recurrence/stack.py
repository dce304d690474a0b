"""Running a cell, or a stack of layers, over time."""

import functools
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from rnnlab.cells.cell import Cell
from rnnlab.cells.kernels import KernelCell
from rnnlab.cells.params import check_params
from rnnlab.recurrence.checks import check_cell, check_initial_state
from rnnlab.recurrence.fused import fused_layer
from rnnlab.recurrence.layer import (
    Inputs,
    Layer,
    RunLayer,
    in_segments,
    parallel_layer,
    plain_layer,
)
from rnnlab.recurrence.step import observed_step
from rnnlab.recurrence.taps import Slots, tap

Collect = Mapping[str, Callable[[Array], Array]]


class Method(NamedTuple):
    """The method by which a layer is run over time.

    Attributes:
        recurrence: ``fused`` is faster, and for reverse-mode differentiation only; see ``fused``.
            ``parallel`` is the cell's ``parallel_scan`` where nothing is observed, else ``fused``.
        memory: ``low`` stores states at about √time steps only, and recomputes the others in
            the backward pass: less memory, more time.
    """

    recurrence: Literal["plain", "fused", "parallel"] = "plain"
    memory: Literal["full", "low"] = "full"


PLAIN, FUSED = Method("plain"), Method("fused")
REAL = (jnp.floating, jnp.integer, jnp.bool_)


def unroll(cell: Cell, params: Any, inputs: Inputs, initial_state: Any = None) -> Any:
    """The cell's states at every time step.

    Args:
        cell: the cell.
        params: its parameters, as ``cell.init`` makes them.
        inputs: (time, batch, features).
        initial_state: a ``cell.State`` as ``cell.initial_state(batch)`` makes it, with a leading
            layer axis when ``cell.layers`` > 1; default zeros.

    Returns:
        A ``cell.State`` of arrays (time, batch, …), with a leading layer axis when
        ``cell.layers`` > 1.

    Raises:
        ValueError: inputs of another rank or type, or parameters of another number of layers.
    """
    check_params(params)
    states = unroll_observed(cell, params, inputs, initial_state).states
    return states if cell.layers > 1 else jax.tree.map(lambda a: a[0], states)


@jax.default_matmul_precision("highest")
def unroll_observed(
    cell: Cell,
    params: Any,
    inputs: Inputs,
    initial_state: Any = None,
    collect: Collect | None = None,
    slots: Slots | None = None,
    method: Method = PLAIN,
) -> Layer:
    """Run the stack; keep the states and the observed values.

    The arrays have a leading layer axis.

    Args:
        cell: the cell.
        params: its parameters, as ``cell.init`` makes them.
        inputs: (time, batch, features).
        initial_state: as for ``unroll``.
        collect: for each observed name to keep, a function of its value at each time step.
        slots: for each observed name whose adjoint norm is wanted, see ``recurrence/taps.py``.
        method: see ``Method``.
    """
    inputs = as_inputs(inputs)
    layers = split_layers(cell, params, initial_state, inputs.shape[1])
    unrolled = []
    for index, (layer_params, state) in enumerate(layers):
        check_cell(cell, layer_params, inputs[0])
        if method.recurrence == "parallel" and not (collect or slots):
            layer = parallel_layer(cell, layer_params, inputs, state)
        else:
            layer_slots = jax.tree.map(itemgetter(index), slots or {})
            step = functools.partial(_step, cell, collect or {})
            layer = run_layer(method)(step, layer_params, inputs, state, layer_slots)
        unrolled.append(layer)
        inputs = outputs(cell, layer.states)
    return jax.tree.map(lambda *layer: jnp.stack(layer), *unrolled)


def outputs(cell: Cell, states: Any) -> Float[Array, "time batch outputs"]:
    """``Cell.output`` of the states of every time step."""
    return jax.vmap(cell.output)(states)


def top_layer(states: Any) -> Any:
    """The states of the last layer, from arrays with a leading layer axis."""
    return jax.tree.map(itemgetter(-1), states)


def as_inputs(inputs: Any) -> Inputs:
    """Inputs as a float array.

    Raises:
        ValueError: they are not (time, batch, features), with no empty axis; no real numbers; or
            finite numbers that are infinite in the precision of the computation.
    """
    given = inputs if isinstance(inputs, jax.Array) else np.asarray(inputs)
    if not any(jnp.issubdtype(given.dtype, kind) for kind in REAL):
        raise ValueError(f"inputs must be real numbers, got {given.dtype}")
    if given.ndim != 3 or 0 in given.shape:
        raise ValueError(f"inputs must be (time, batch, features), got shape {given.shape}")
    is_float = jnp.issubdtype(given.dtype, jnp.floating)
    with np.errstate(over="ignore"):
        array = jnp.asarray(given) if is_float else jnp.asarray(given, dtype=float)
    if isinstance(given, np.ndarray) and is_float and array.dtype != given.dtype:
        _check_overflow(given, np.asarray(array))
    return array


def _check_overflow(given: np.ndarray, converted: np.ndarray) -> None:
    too_large = np.isfinite(given) & ~np.isfinite(converted)
    if too_large.any():
        count = f"{too_large.sum()} of {given.size} numbers"
        raise ValueError(f"inputs: {count} are too large for {converted.dtype}")


def split_layers(cell: Cell, params: Any, initial_state: Any, batch: int) -> list[tuple[Any, Any]]:
    """Each layer's parameters and initial state."""
    # One layer of a cell of the user's own may have a tuple of parameters; kernels are in a dict.
    is_one = cell.layers == 1 and not (isinstance(cell, KernelCell) and type(params) is tuple)
    by_layer = (params,) if is_one else params
    if type(by_layer) is not tuple or len(by_layer) != cell.layers:
        found = len(by_layer) if type(by_layer) is tuple else 1
        raise ValueError(
            f"params are those of {found} layer(s), the cell has {cell.layers}: "
            "make them with cell.init"
        )
    if initial_state is not None:
        check_initial_state(cell, initial_state, batch)
    if initial_state is None:
        states = [cell.initial_state(batch)] * cell.layers
    elif cell.layers == 1:
        states = [initial_state]
    else:
        states = [jax.tree.map(itemgetter(i), initial_state) for i in range(cell.layers)]
    return list(zip(by_layer, states, strict=True))


def _step(
    cell: Cell, collect: Collect, params: Any, state: Any, x: Array, slots: Slots
) -> tuple[Any, dict[str, Array]]:
    replace = {name: functools.partial(tap, slot=slot) for name, slot in slots.items()}
    after, seen = observed_step(cell, params, state, x, replace, collect)
    return after, {name: keep(seen[name]) for name, keep in collect.items()}


def run_layer(method: Method) -> RunLayer:
    """The function that runs a layer by this method."""
    run: RunLayer = plain_layer if method.recurrence == "plain" else fused_layer
    return in_segments(run) if method.memory == "low" else run


class Tape(NamedTuple):
    """The parameters, states and inputs that one layer read.

    Attributes:
        params: its parameters.
        before: its state before each time step, arrays (time, batch, …).
        inputs: (time, batch, features).
    """

    params: Any
    before: Any
    inputs: Inputs


@functools.partial(jax.jit, static_argnums=0)
def record_tapes(
    cell: Cell, params: Any, inputs: Inputs, initial_state: Any = None
) -> tuple[list[Tape], Any]:
    """Run the stack; return each layer's ``Tape``, and the states (layers, time, batch, …)."""
    states = unroll_observed(cell, params, inputs, initial_state).states
    tapes = []
    for index, (layer_params, state) in enumerate(
        split_layers(cell, params, initial_state, inputs.shape[1])
    ):
        after = jax.tree.map(itemgetter(index), states)
        before = jax.tree.map(lambda a, b: jnp.concatenate([a[None], b[:-1]]), state, after)
        tapes.append(Tape(layer_params, before, inputs))
        inputs = outputs(cell, after)
    return tapes, states


def check_finite(**arrays: Any) -> None:
    """Raise a ValueError that names any non-finite array; inside compiled code, check nothing."""
    for kind, tree in arrays.items():
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
            if isinstance(leaf, jax.core.Tracer) or np.isfinite(leaf).all():
                continue
            name = kind + jax.tree_util.keystr(path)
            count = int((~np.isfinite(leaf)).sum())
            raise ValueError(
                f"{name}: {count} of {leaf.size} numbers are NaN or infinite{_WHY[kind]}"
            )


_WHY = {"params": "", "inputs": "", "states": "; the weights make the states overflow"}
