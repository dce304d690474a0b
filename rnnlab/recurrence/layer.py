"""One layer over time: step by step as written, or in segments to save memory."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from rnnlab.cells.cell import Cell
from rnnlab.cells.inheritance import holds_for

Inputs = Float[Array, "time batch features"]
# (params, state, x, slots) → (state, collected), of one time step. Slots are arrays that enter no
# result; see ``recurrence/taps.py``.
Step = Callable[[Any, Any, Array, Any], tuple[Any, Any]]


class Layer(NamedTuple):
    """The results of running a layer.

    Attributes:
        states: the states after each time step.
        final: the state after the last step.
        collected: the collected values of each time step.
    """

    states: Any
    final: Any
    collected: Any


RunLayer = Callable[[Step, Any, Inputs, Any, Any], Layer]


def plain_layer(step: Step, params: Any, inputs: Inputs, state: Any, slots: Any) -> Layer:
    """Run a layer.

    Args:
        step: one time step.
        params: the layer's parameters.
        inputs: the layer's inputs.
        state: the layer's initial state.
        slots: arrays with a leading time axis.
    """

    def body(state: Any, at_t: Any) -> tuple[Any, Any]:
        state, collected = step(params, state, *at_t)
        return state, (state, collected)

    final, (states, collected) = lax.scan(body, state, (inputs, slots))
    return Layer(states, final, collected)


def parallel_layer(cell: Cell, params: Any, inputs: Inputs, state: Any) -> Layer:
    """Run a layer by its ``parallel_scan``; nothing is collected.

    Raises:
        ValueError: the cell has no ``parallel_scan``.
    """
    if not holds_for(cell, "parallel_scan", "step"):
        raise ValueError(f"{type(cell).__name__} has no parallel_scan: use recurrence 'fused'")
    assert cell.parallel_scan is not None
    states = cell.parallel_scan(params, state, inputs)
    return Layer(states, jax.tree.map(lambda a: a[-1], states), {})


def in_segments(run: RunLayer) -> RunLayer:
    """Run a layer in about √time segments, each recomputed from its start in the backward pass.

    The backward pass then stores one state per segment, and the values of one segment at a time.
    """

    def run_segments(step: Step, params: Any, inputs: Inputs, state: Any, slots: Any) -> Layer:
        @jax.checkpoint
        def segment(state: Any, at: tuple[Inputs, Any]) -> tuple[Any, tuple[Any, Any]]:
            states, final, collected = run(step, params, at[0], state, at[1])
            return final, (states, collected)

        time = len(inputs)
        length = math.isqrt(time)
        whole = time - time % length
        of_time = (inputs, slots)
        first = jax.tree.map(lambda a: a[:whole].reshape(-1, length, *a.shape[1:]), of_time)
        final, seen = lax.scan(segment, state, first)
        seen = jax.tree.map(lambda a: a.reshape(whole, *a.shape[2:]), seen)
        if whole < time:
            final, rest = segment(final, jax.tree.map(lambda a: a[whole:], of_time))
            seen = jax.tree.map(lambda *parts: jnp.concatenate(parts), seen, rest)
        states, collected = seen
        return Layer(states, final, collected)

    return run_segments
