"""Norms of products of linear maps over time, for every starting step at once, without matrices."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
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
    as_scaled,
    in_units,
    largest_power,
    with_own_exponents,
    zeros,
)
from rnnlab.gradients.scaled_maps import in_bands

KRYLOV_PRODUCT = 32

Entering = Float[Array, "batch entering"]
# (what a step reads, carried vectors, entering vectors) → carried vectors; linear in the last two.
ProductStep = Callable[[Any, Vector, Entering], Vector]


@dataclass(frozen=True)
class Products:
    """The linear maps P_t = R A_T ⋯ A_{t+1} E_t for every t, as functions on vectors.

    Row t is a vector that enters at step t and is carried on to the end, as scaled numbers; the way
    back is the transpose.

    Attributes:
        step: adds A_k of the carried vectors and E_k of the entering vectors.
        reads: arrays that each step reads, with a leading time axis.
        like: carried vectors of one row, (batch, size carried).
        size: number of entries of an entering vector.
        read_out: R, applied to carried vectors.
    """

    step: ProductStep
    reads: Any
    like: Vector
    size: int
    read_out: Callable[[Vector], Array]

    @property
    def time(self) -> int:
        """Number of steps, and so of rows."""
        return len(jax.tree.leaves(self.reads)[0])

    def forth(self, v: Float[Array, "time batch size"]) -> Scaled:
        """Apply A_T ⋯ A_{t+1} E_t to each row's vector."""
        rows = jnp.arange(self.time)[:, None, None]

        def body(carried: Scaled, at: Any) -> tuple[Scaled, None]:
            k, read = at
            entering = as_scaled(jnp.where(rows == k, v, 0))
            step = jax.vmap(functools.partial(self.step, read))
            return in_bands(step, carried, entering)[0], None

        nothing = with_own_exponents(zeros((self.time, *self.like.shape), self.like.dtype))
        return lax.scan(body, nothing, (jnp.arange(self.time), self.reads))[0]

    def back(self, adjoint: Scaled) -> Scaled:
        """Apply the transpose of ``forth`` to adjoints of the carried vectors at the end."""
        entering = jnp.zeros((len(self.like), self.size), self.like.dtype)

        def body(adjoint: Scaled, at: Any) -> tuple[Scaled, Scaled]:
            k, read = at
            pull = jax.linear_transpose(functools.partial(self.step, read), self.like, entering)
            (before, entered), _ = in_bands(jax.vmap(pull), adjoint)
            return before, jax.tree.map(lambda of_rows: of_rows[k], entered)

        steps = (jnp.arange(self.time), self.reads)
        return lax.scan(body, adjoint, steps, reverse=True)[1]

    def normal(self, v: Float[Array, "time batch size"]) -> Scaled:
        """Apply P_tᵀ P_t to each row's vector."""
        pull_out = jax.linear_transpose(self.read_out, self.like)
        out_and_back = jax.vmap(lambda carried: pull_out(self.read_out(carried))[0])
        return self.back(in_bands(out_and_back, self.forth(v))[0])


@jax.default_matmul_precision("highest")
def log10_norms_of_products(products: Products) -> Float[Array, "time batch"]:
    """log10‖P_t‖₂ for every t, all at once; −inf where P_t is zero."""
    like = products.like
    start = random_start((products.time, len(like), products.size), like.dtype)
    unit = largest_power(products.normal(start))

    def apply_normal(v: Array) -> Array:
        return in_units(unit, products.normal(v))

    greatest = jnp.maximum(greatest_eigenvalue(apply_normal, start, KRYLOV_PRODUCT), 0)
    log10 = (jnp.log10(greatest) + LOG10_2 * unit) / 2
    return jnp.where(unit > EXPONENT_OF_ZERO // 2, log10, -jnp.inf)
