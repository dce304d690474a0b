"""Backward passes at any length: adjoints as mantissas with a power of two for each row.

Multiplying by a power of two is exact, so nothing is lost but the limits of the format: a float32
adjoint is 0 after 127 steps of f = ½, its mantissa and exponent go on.
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
    """``mantissa · 2**exponent``: arrays (rows, batch, …), an exponent for each row and example.

    A row is the adjoint of one number; rows do not mix on the way back.
    """

    mantissa: Any
    exponent: Int[Array, "*steps rows batch"]


class Pulled(NamedTuple):
    """Adjoints of one step: of the state before it, of its input, of each part of its state.

    The last are total derivatives: that of c_t includes the path through h_t.
    """

    before: Any
    x: Array
    at: Any


def rescale(x: Scaled) -> Scaled:
    """The same numbers, the largest mantissa of each row in [½, 1), or 0 with 2**−2³⁰.

    From the two ends of the format it takes a second time to get there.
    """
    sizes = [jnp.max(jnp.abs(m), axis=-1) for m in jax.tree.leaves(x.mantissa)]
    largest = functools.reduce(jnp.maximum, sizes)
    smallest_power = jnp.finfo(largest.dtype).minexp
    shift = jnp.clip(jnp.frexp(largest)[1], smallest_power, -smallest_power)
    shift = jnp.where(jnp.isfinite(largest), shift, 0)
    exponent = jnp.where(largest == 0, EXPONENT_OF_ZERO, x.exponent + shift)
    return Scaled(times_power_of_two(x.mantissa, -shift), exponent)


def align(*scaled: Scaled) -> Scaled:
    """These numbers as a tuple of mantissas, on the largest of their exponents."""
    exponent = functools.reduce(jnp.maximum, (x.exponent for x in scaled))
    parts = (times_power_of_two(x.mantissa, x.exponent - exponent) for x in scaled)
    return Scaled(tuple(parts), exponent)


def log10_size(x: Scaled, measure: Measure) -> Float[Array, " batch"]:
    """log10 of the size of all rows together."""
    together = jnp.max(x.exponent, axis=0)
    mantissa = times_power_of_two(x.mantissa, x.exponent - together)
    return measure(mantissa) + LOG10_2 * together


def times_power_of_two(mantissa: Any, power: Int[Array, "*steps rows batch"]) -> Any:
    """Exact, but for what falls below the smallest float: that is 0."""

    def scaled(m: Array) -> Array:
        factor = jnp.ldexp(jnp.ones((), m.dtype), power)
        factor = jnp.where(power < jnp.finfo(m.dtype).minexp, 0, factor)
        return m * factor[..., None]

    return jax.tree.map(scaled, mantissa)


@jax.default_matmul_precision("highest")
def pull_back(
    cell: Cell, params: Any, before: Any, x: Array, adjoint: Any, by_output: Array | None = None
) -> Pulled:
    """Adjoints one step back.

    Args:
        cell: the cell.
        params: one layer's parameters.
        before: the state before the step.
        x: its input.
        adjoint: of the state after it, ``real_parts`` of arrays (rows, batch, size).
        by_output: of the cell's output, (rows, batch, outputs), which enters too; or None.
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
    """Carry adjoints back through a stack; log10 of their size at every time step.

    Args:
        cell: the cell.
        tapes: what each layer read.
        last: adjoint of the top layer's state after the last step, its ``real_parts`` of arrays
            (rows, batch, size), as ``rescale`` makes it.
        seeds: adjoints that enter at the top layer's output, (time, rows, batch, outputs); or none.
        measure: log10 of the size of a mantissa (rows, batch, size).

    Returns:
        For each layer, by part of the state; −inf where the adjoint is zero.
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
    """``pull_back`` of scaled adjoints, and the exponent of what it returns."""
    if by_output is None:
        return pull_back(cell, params, before, x, adjoint.mantissa), adjoint.exponent
    both = align(adjoint, by_output)
    return pull_back(cell, params, before, x, *both.mantissa), both.exponent
