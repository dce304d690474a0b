"""Norms of products of linear maps over time, for every start at once, without matrices."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from rnnlab.cells.state import Vector
from rnnlab.gradients.matrix_free import greatest_eigenvalue, random_start
from rnnlab.gradients.scaled import (
    EXPONENT_OF_ZERO,
    LOG10_2,
    Scaled,
    rescale,
    times_power_of_two,
)

KRYLOV_PRODUCT = 32

Entering = Float[Array, "batch entering"]
# (what a step reads, carried vectors, entering vectors) → carried vectors; linear in the last two.
ProductStep = Callable[[Any, Vector, Entering], Vector]


@jax.default_matmul_precision("highest")
def log10_norms_of_products(
    step: ProductStep,
    reads: Any,
    like: Vector,
    size: int,
    read_out: Callable[[Vector], Array],
) -> Float[Array, "time batch"]:
    """log10‖R A_T ⋯ A_{t+1} E_t‖₂ for every t, all at once, from products with vectors.

    Row t is a vector that enters at step t and is carried on to the end, as a mantissa with an
    exponent; the way back is the transpose.

    Args:
        step: A_k of carried vectors plus E_k of entering ones.
        reads: what each step reads, with a leading time axis.
        like: carried vectors of one row, (batch, size carried).
        size: of entering vectors.
        read_out: R, of carried vectors.
    """
    time, batch = len(jax.tree.leaves(reads)[0]), len(like)
    rows = jnp.arange(time)[:, None]
    nothing = Scaled(
        jnp.zeros((time, *like.shape), like.dtype), jnp.full((time, batch), EXPONENT_OF_ZERO)
    )
    entering_like = jnp.zeros((batch, size), like.dtype)
    pull_out = jax.linear_transpose(read_out, like)

    def forth(v: Array) -> Scaled:
        def body(carried: Scaled, at: Any) -> tuple[Scaled, None]:
            k, read = at
            enters = rows == k
            entering = jnp.where(enters[..., None], v, 0)
            moved = jax.vmap(lambda c, e: step(read, c, e))(carried.mantissa, entering)
            exponent = jnp.where(enters, 0, carried.exponent)
            return rescale(Scaled(moved, exponent)), None

        return lax.scan(body, nothing, (rows[:, 0], reads))[0]

    def back(out: Scaled) -> Scaled:
        def body(adjoint: Scaled, at: Any) -> tuple[Scaled, Scaled]:
            k, read = at
            pull = jax.linear_transpose(lambda c, e: step(read, c, e), like, entering_like)
            before, entered = jax.vmap(pull)(adjoint.mantissa)
            return rescale(Scaled(before, adjoint.exponent)), Scaled(
                entered[k], adjoint.exponent[k]
            )

        return lax.scan(body, out, (rows[:, 0], reads), reverse=True)[1]

    def normal(v: Array) -> Scaled:
        """Pᵀ P of each row's vector."""
        there = forth(v)
        out = jax.vmap(lambda carried: pull_out(read_out(carried))[0])(there.mantissa)
        return rescale(_on_top(back(rescale(Scaled(out, jnp.zeros_like(there.exponent)))), there))

    start = random_start((time, batch, size), like.dtype)
    unit = normal(start).exponent

    def apply(v: Array) -> Array:
        found = normal(v)
        return times_power_of_two(found.mantissa, found.exponent - unit)

    greatest = greatest_eigenvalue(apply, start, KRYLOV_PRODUCT)
    return jnp.where(
        unit > EXPONENT_OF_ZERO // 2,
        (jnp.log10(jnp.maximum(greatest, 0)) + LOG10_2 * unit) / 2,
        -jnp.inf,
    )


def _on_top(x: Scaled, y: Scaled) -> Scaled:
    """x with the exponent of y added to its own."""
    return Scaled(x.mantissa, x.exponent + y.exponent)
