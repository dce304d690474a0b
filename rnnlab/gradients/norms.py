"""Norms that do not underflow or overflow unless the numbers themselves do."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Inexact, Num


def log10_norm(x: Inexact[Array, "*leading n"]) -> Float[Array, "*leading"]:
    """log10‖x‖₂ along the last axis; −inf where every entry reads zero; |x| for complex entries.

    Entries are divided by the largest before they are squared: a float32 square is 0 below 1e-19
    and infinite above 1e19.
    """
    return log10_of(*scaled_squares(x))


def scaled_squares(
    x: Inexact[Array, "*leading n"],
) -> tuple[Float[Array, "*leading"], Float[Array, "*leading"]]:
    """m = max|x_i| and Σ |x_i / m|² along the last axis; both are 0 where all entries are 0."""
    largest = jnp.max(jnp.abs(x), axis=-1)
    return largest, _sum_of_scaled_squares(x, largest)


def log10_of(
    largest: Float[Array, "*leading"], squares: Float[Array, "*leading"]
) -> Float[Array, "*leading"]:
    """log10 of the norm with these ``scaled_squares``."""
    return jnp.log10(largest) + 0.5 * jnp.log10(squares)


def global_norm(tree: Any) -> Float[Array, ""]:
    """The 2-norm of all entries of a pytree together, scaled as in ``log10_norm``."""
    leaves = [jnp.ravel(leaf) for leaf in jax.tree.leaves(tree)]
    entries = jnp.concatenate([jnp.abs(x) if jnp.iscomplexobj(x) else x for x in leaves])
    largest = jnp.max(jnp.abs(entries))
    return largest * jnp.sqrt(_sum_of_scaled_squares(entries, largest))


def _sum_of_scaled_squares(x: Array, largest: Array) -> Array:
    size = jnp.abs(x) if jnp.iscomplexobj(x) else x
    return jnp.sum((size / _scale(largest)[..., None]) ** 2, axis=-1)


def _scale(largest: Array) -> Array:
    return jnp.where((largest > 0) & jnp.isfinite(largest), largest, 1.0)


def log10_spectral_norm(
    matrix: Float[Array, "*leading rows columns"],
) -> Float[Array, "*leading"]:
    """log10 of the largest singular value; −inf where every entry reads zero."""
    largest = jnp.max(jnp.abs(matrix), axis=(-2, -1))
    scaled = matrix / _scale(largest)[..., None, None]
    return jnp.log10(largest) + jnp.log10(spectral_norm(scaled))


def frobenius_norm(matrix: Float[Array, "*leading rows columns"]) -> Float[Array, "*leading"]:
    """The 2-norm of all entries of a matrix, scaled as in ``log10_norm``."""
    entries = matrix.reshape(*matrix.shape[:-2], -1)
    largest = jnp.max(jnp.abs(entries), axis=-1)
    return largest * jnp.sqrt(_sum_of_scaled_squares(entries, largest))


def spectral_norm(matrix: Float[Array, "*leading rows columns"]) -> Float[Array, "*leading"]:
    """The largest singular value."""
    return by_lapack(lambda one: jnp.linalg.svd(one, compute_uv=False), matrix)[..., 0]


def by_lapack(
    function: Callable[[Array], Array], matrices: Num[Array, "*leading rows columns"]
) -> Num[Array, "*leading values"]:
    """Apply a decomposition of ``jax.numpy.linalg``; on a CPU, to one matrix after the other.

    In jaxlib 0.10 the decomposition of many matrices can deadlock on a CPU: each call waits on an
    XLA thread for other threads that take a share of the matrices, and as many calls at once as
    there are threads wait for ever. Under ``jax.vmap`` one matrix becomes many again.
    """

    def one_by_one(matrices: Array) -> Array:
        flat = matrices.reshape(-1, *matrices.shape[-2:])
        values = lax.map(function, flat)
        return values.reshape(*matrices.shape[:-2], *values.shape[1:])

    return lax.platform_dependent(matrices, cpu=one_by_one, default=function)
