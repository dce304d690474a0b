"""Backward passes at any length: adjoints as mantissas with a power of two for each row.

Multiplying by a power of two is exact, so only the limits of the format are removed: a float32
adjoint is 0 after 127 steps of f = ½, while its mantissa and exponent stay exact.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from rnnlab.cells.cell import Cell
from rnnlab.cells.state import from_real, from_real_parts, real_parts
from rnnlab.recurrence.stack import Tape
from rnnlab.recurrence.step import observed_step

LOG10_2 = float(np.log10(2))
EXPONENT_OF_ZERO = -(2**30)

Measure = Callable[[Float[Array, "rows batch size"]], Float[Array, " batch"]]


class Scaled(NamedTuple):
    """``mantissa · 2**exponent``: arrays (rows, batch, …), one exponent per row and example.

    A row is the adjoint of one number; rows do not mix in the backward pass.
    """

    mantissa: Any
    exponent: Int[Array, "*steps rows batch"]


class Pulled(NamedTuple):
    """Adjoints of one step: of the previous state, of the input, of each part of the new state.

    The last are total derivatives: that of c_t includes the path through h_t.
    """

    before: Any
    x: Array
    at: Any


def rescale(x: Scaled) -> Scaled:
    """The same numbers with the largest mantissa of each row in [½, 1), or 0 with 2**−2³⁰.

    Numbers near the limits of the format need a second call to reach this range.
    """
    sizes = [jnp.max(jnp.abs(m), axis=-1) for m in jax.tree.leaves(x.mantissa)]
    largest = functools.reduce(jnp.maximum, sizes)
    smallest_power = jnp.finfo(largest.dtype).minexp
    shift = jnp.clip(jnp.frexp(largest)[1], smallest_power, -smallest_power)
    shift = jnp.where(jnp.isfinite(largest), shift, 0)
    exponent = jnp.where(largest == 0, EXPONENT_OF_ZERO, x.exponent + shift)
    return Scaled(times_power_of_two(x.mantissa, -shift), exponent)


def align(*scaled: Scaled) -> Scaled:
    """The numbers as a tuple of mantissas with one common exponent, the largest of theirs."""
    exponent = functools.reduce(jnp.maximum, (x.exponent for x in scaled))
    parts = (times_power_of_two(x.mantissa, x.exponent - exponent) for x in scaled)
    return Scaled(tuple(parts), exponent)


def log10_size(x: Scaled, measure: Measure) -> Float[Array, " batch"]:
    """log10 of the norm of all rows together."""
    together = jnp.max(x.exponent, axis=0)
    mantissa = times_power_of_two(x.mantissa, x.exponent - together)
    return measure(mantissa) + LOG10_2 * together


def times_power_of_two(mantissa: Any, power: Int[Array, "*steps rows batch"]) -> Any:
    """Multiply by a power of two, exactly; results below the smallest float become 0."""

    def scaled(m: Array) -> Array:
        factor = jnp.ldexp(jnp.ones((), m.dtype), power)
        factor = jnp.where(power < jnp.finfo(m.dtype).minexp, 0, factor)
        return m * factor[..., None]

    return jax.tree.map(scaled, mantissa)


@jax.default_matmul_precision("highest")
def pull_back(
    cell: Cell, params: Any, before: Any, x: Array, adjoint: Any, by_output: Array | None = None
) -> Pulled:
    """Propagate adjoints one step back.

    Args:
        cell: the cell.
        params: one layer's parameters.
        before: the state before the step.
        x: its input.
        adjoint: adjoint of the state after the step, ``real_parts`` of arrays (rows, batch, size).
        by_output: adjoint of the cell's output, (rows, batch, outputs), which is added; or None.
    """

    def step(parts: Any, x: Array, nudges: Any) -> Any:
        replace = {
            name: functools.partial(_nudged, nudge) for name, nudge in nudges._asdict().items()
        }
        after, _ = observed_step(cell, params, from_real_parts(parts, before), x, replace)
        return real_parts(after) if by_output is None else (real_parts(after), cell.output(after))

    parts = real_parts(before)
    _, pull = jax.vjp(step, parts, x, jax.tree.map(jnp.zeros_like, parts))
    return Pulled(*jax.vmap(pull)(adjoint if by_output is None else (adjoint, by_output)))


def _nudged(nudge: Array, value: Array) -> Array:
    return value + from_real(nudge, value)


@functools.partial(jax.jit, static_argnums=(0, 4))
def scaled_norms(
    cell: Cell,
    tapes: Sequence[Tape],
    last: Scaled,
    seeds: Scaled | None,
    measure: Measure,
) -> list[dict[str, Float[Array, "time batch"]]]:
    """Propagate adjoints back through a stack; log10 of their norm at every time step.

    Args:
        cell: the cell.
        tapes: the tape of each layer, see ``stack.Tape``.
        last: adjoint of the top layer's state after the last step, its ``real_parts`` of arrays
            (rows, batch, size), as ``rescale`` returns it.
        seeds: adjoints to add at the top layer's output, (time, rows, batch, outputs); or None.
        measure: gives log10 of the norm of a mantissa (rows, batch, size).

    Returns:
        The log10 norms of each layer, by part of the state; −inf where the adjoint is zero.
    """

    def step(carry: list[Scaled], at_t: Any) -> tuple[list[Scaled], list[dict[str, Array]]]:
        read, by_output = at_t
        norms: list[dict[str, Array]] = []
        for layer in reversed(range(len(tapes))):
            before, x = read[layer]
            pulled, exponent = _pull_layer(
                cell, tapes[layer].params, before, x, carry[layer], by_output
            )
            at = {k: Scaled(m, exponent) for k, m in pulled.at._asdict().items()}
            norms.insert(0, {k: log10_size(x, measure) for k, x in at.items()})
            carry[layer] = rescale(Scaled(pulled.before, exponent))
            by_output = rescale(Scaled(pulled.x, exponent))
        return carry, norms

    nothing = Scaled(
        jax.tree.map(jnp.zeros_like, last.mantissa), jnp.full_like(last.exponent, EXPONENT_OF_ZERO)
    )
    carry = [*[nothing] * (len(tapes) - 1), last]
    read = [(tape.before, tape.inputs) for tape in tapes]
    seeds = None if seeds is None else jax.vmap(rescale)(seeds)
    return lax.scan(step, carry, (read, seeds), reverse=True)[1]


def _pull_layer(
    cell: Cell, params: Any, before: Any, x: Array, adjoint: Scaled, by_output: Scaled | None
) -> tuple[Pulled, Int[Array, "rows batch"]]:
    """``pull_back`` for scaled adjoints; returns the exponent of the result too."""
    if by_output is None:
        return pull_back(cell, params, before, x, adjoint.mantissa), adjoint.exponent
    both = align(adjoint, by_output)
    return pull_back(cell, params, before, x, *both.mantissa), both.exponent
