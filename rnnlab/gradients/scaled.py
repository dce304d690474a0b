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
from rnnlab.recurrence.stack import Tape, observed_step

LOG10_2 = float(np.log10(2))
EXPONENT_OF_ZERO = -(2**30)

Measure = Callable[[Float[Array, "rows batch hidden"]], Float[Array, " batch"]]


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
    at: dict[str, Array]


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
    return Scaled(_times_power_of_two(x.mantissa, -shift), exponent)


def add(x: Scaled, y: Scaled) -> Scaled:
    """The sum, on the larger of the two exponents."""
    exponent = jnp.maximum(x.exponent, y.exponent)
    parts = (_times_power_of_two(z.mantissa, z.exponent - exponent) for z in (x, y))
    return Scaled(jax.tree.map(jnp.add, *parts), exponent)


def log10_size(x: Scaled, measure: Measure) -> Float[Array, " batch"]:
    """log10 of the size of all rows together."""
    together = jnp.max(x.exponent, axis=0)
    mantissa = _times_power_of_two(x.mantissa, x.exponent - together)
    return measure(mantissa) + LOG10_2 * together


def _times_power_of_two(mantissa: Any, power: Int[Array, "*steps rows batch"]) -> Any:
    """Exact, but for what falls below the smallest float: that is 0."""

    def scaled(m: Array) -> Array:
        factor = jnp.ldexp(jnp.ones((), m.dtype), power)
        factor = jnp.where(power < jnp.finfo(m.dtype).minexp, 0, factor)
        return m * factor[..., None]

    return jax.tree.map(scaled, mantissa)


@jax.default_matmul_precision("highest")
def pull_back(cell: Cell, params: Any, before: Any, x: Array, adjoint: Any) -> Pulled:
    """Adjoints one step back from adjoints of its state, arrays (rows, batch, hidden)."""

    def step(before: Any, x: Array, nudges: dict[str, Array]) -> Any:
        replace = {k: functools.partial(jnp.add, nudge) for k, nudge in nudges.items()}
        return observed_step(cell, params, before, x, {}, replace)[0]

    nudges = {name: jnp.zeros_like(part) for name, part in before._asdict().items()}
    _, pull = jax.vjp(step, before, x, nudges)
    return Pulled(*jax.vmap(pull)(adjoint))


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
        last: adjoint of the top layer's state after the last step, arrays (rows, batch, hidden),
            as ``rescale`` makes it.
        seeds: adjoints that enter at the top layer's h, (time, rows, batch, hidden); or none.
        measure: log10 of the size of a mantissa (rows, batch, hidden).

    Returns:
        For each layer, by part of the state; −inf where the adjoint is zero.
    """

    def step(carry: list[Scaled], at_t: Any) -> tuple[list[Scaled], list[dict[str, Array]]]:
        read, from_above = at_t
        norms: list[dict[str, Array]] = []
        for layer in reversed(range(len(tapes))):
            before, x = read[layer]
            adjoint = carry[layer]
            if from_above is not None:
                adjoint = add(adjoint, _on_h(adjoint, from_above))
            pulled = pull_back(cell, tapes[layer].params, before, x, adjoint.mantissa)
            at = {k: Scaled(m, adjoint.exponent) for k, m in pulled.at.items()}
            norms.insert(0, {k: log10_size(x, measure) for k, x in at.items()})
            carry[layer] = rescale(Scaled(pulled.before, adjoint.exponent))
            from_above = rescale(Scaled(pulled.x, adjoint.exponent))
        return carry, norms

    nothing = Scaled(
        jax.tree.map(jnp.zeros_like, last.mantissa), jnp.full_like(last.exponent, EXPONENT_OF_ZERO)
    )
    carry = [*[nothing] * (len(tapes) - 1), last]
    read = [(tape.before, tape.inputs) for tape in tapes]
    seeds = None if seeds is None else jax.vmap(rescale)(seeds)
    return lax.scan(step, carry, (read, seeds), reverse=True)[1]


def _on_h(like: Scaled, h: Scaled) -> Scaled:
    nothing = jax.tree.map(jnp.zeros_like, like.mantissa)
    return Scaled(nothing._replace(h=h.mantissa), h.exponent)
