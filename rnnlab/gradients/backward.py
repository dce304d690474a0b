"""Backward passes at any length, with adjoints as scaled numbers."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from rnnlab.cells.cell import Cell
from rnnlab.cells.state import from_real, from_real_parts, real_parts
from rnnlab.gradients.scaled import Measure, Scaled, log10_size, zeros
from rnnlab.gradients.scaled_maps import Apply, exactly
from rnnlab.recurrence.stack import Tape
from rnnlab.recurrence.step import observed_step


class Pulled(NamedTuple):
    """Adjoints of one step: of the previous state, of the input, of each part of the new state.

    The last are total derivatives: that of c_t includes the path through h_t.
    """

    before: Any
    x: Any
    at: Any


def pull_back(
    cell: Cell, params: Any, before: Any, x: Array, *, from_output: bool = False
) -> Callable[..., Pulled]:
    """One step of the backward pass, as a linear map.

    Args:
        cell: the cell.
        params: one layer's parameters.
        before: the state before the step.
        x: its input.
        from_output: whether there is an adjoint of the cell's output.

    Returns:
        The map from the adjoint of the state after the step, ``real_parts`` of arrays
        (rows, batch, size), and that of the cell's output, (rows, batch, outputs), if there is one.
        A row is the adjoint of one number; rows do not mix.
    """

    def step(parts: Any, x: Array, nudges: Any) -> tuple[Any, ...]:
        replace = {
            name: functools.partial(_nudged, nudge) for name, nudge in nudges._asdict().items()
        }
        after, _ = observed_step(cell, params, from_real_parts(parts, before), x, replace)
        return (real_parts(after), cell.output(after)) if from_output else (real_parts(after),)

    parts = real_parts(before)
    _, pull = jax.vjp(step, parts, x, jax.tree.map(jnp.zeros_like, parts))
    return lambda *adjoints: Pulled(*jax.vmap(pull)(adjoints))


def _nudged(nudge: Array, value: Array) -> Array:
    return value + from_real(nudge, value)


@functools.partial(jax.jit, static_argnums=(0, 4))
@jax.default_matmul_precision("highest")
def scaled_norms(
    cell: Cell, tapes: Sequence[Tape], last: Any, seeds: Scaled | None, measure: Measure
) -> list[dict[str, Float[Array, "time batch"]]]:
    """Propagate adjoints back through a stack; log10 of their norm at every time step.

    Args:
        cell: the cell.
        tapes: the tape of each layer, see ``stack.Tape``.
        last: adjoint of the top layer's state after the last step, a state of scaled numbers.
        seeds: adjoints to add at the top layer's output, (time, rows, batch, outputs); or None.
        measure: gives log10 of the norm of an array (rows, batch, size).

    Returns:
        The log10 norms of each layer, by part of the state; −inf where the adjoint is zero.
    """

    def run(
        apply: Apply, last: Any, nothing: Any, seeds: Scaled | None
    ) -> tuple[list[dict[str, Array]], Bool[Array, "time layers"]]:
        carry = [*[nothing] * (len(tapes) - 1), last]
        step = functools.partial(_stack_step, cell, [tape.params for tape in tapes], measure, apply)
        read = [(tape.before, tape.inputs) for tape in tapes]
        return lax.scan(step, carry, (read, seeds), reverse=True)[1]

    nothing = type(last)(*(zeros(x.mantissa.shape, x.mantissa.dtype) for x in last))
    return exactly(run, last, nothing, seeds)


def _stack_step(
    cell: Cell, params: list[Any], measure: Measure, apply: Apply, carry: list[Any], at_t: Any
) -> tuple[list[Any], tuple[list[dict[str, Array]], Bool[Array, " layers"]]]:
    """One step back through all layers: new adjoints; norms, and whether they are exact."""
    read, by_output = at_t
    norms: list[dict[str, Array]] = [{}] * len(params)
    is_exact = [jnp.asarray(True)] * len(params)
    for layer in reversed(range(len(params))):
        seed = () if by_output is None else (by_output,)
        pull = pull_back(cell, params[layer], *read[layer], from_output=bool(seed))
        pulled, is_exact[layer] = apply(pull, carry[layer], *seed)
        norms[layer] = {k: log10_size(x, measure) for k, x in pulled.at._asdict().items()}
        carry[layer], by_output = pulled.before, pulled.x
    return carry, (norms, jnp.stack(is_exact))
