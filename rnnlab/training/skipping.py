"""Conditional calls in compiled code that report ``NOT_RECORDED`` where they are skipped.

It is a number, so that ``JAX_DEBUG_NANS`` finds the NaN of a user's own cell and no others; outside
compiled code ``recorded`` makes it NaN.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float

Wanted = Bool[Array, ""]

# Exact in float32 and float64, and out of reach of losses, logarithms, norms and gates.
NOT_RECORDED = -(2.0**120)


def recorded_if(wanted: Wanted, function: Callable[..., Any], *args: Any) -> Any:
    """Call ``function(*args)`` if ``wanted``; else return ``NOT_RECORDED`` in the same shapes."""

    def skip(*args: Any) -> Any:
        return not_recorded(jax.eval_shape(function, *args))

    return lax.cond(wanted, function, skip, *args)


def same_unless(wanted: Wanted, function: Callable[..., Any], state: Any, *args: Any) -> Any:
    """Call ``function(state, *args)`` if ``wanted``; else return it and ``NOT_RECORDED``."""

    def skip(state: Any, *args: Any) -> Any:
        return state, not_recorded(jax.eval_shape(function, state, *args)[1])

    return lax.cond(wanted, function, skip, state, *args)


def not_recorded(shapes: Any) -> Any:
    """Arrays of these shapes, full of ``NOT_RECORDED``; of integers, full of 0."""

    def fill(shape: Any) -> Array:
        value = NOT_RECORDED if jnp.issubdtype(shape.dtype, jnp.inexact) else 0
        return jnp.full(shape.shape, value, shape.dtype)

    return jax.tree.map(fill, shapes)


def mean_where(wanted: Bool[Array, "*shape"], values: Float[Array, "*shape"]) -> Array:
    """Mean along the last axis over the wanted values; ``NOT_RECORDED`` where there is none."""
    count = jnp.sum(wanted, axis=-1)
    mean = jnp.sum(values, axis=-1, where=wanted) / jnp.maximum(count, 1)
    return jnp.where(count > 0, mean, NOT_RECORDED)


def recorded(reported: Any) -> Any:
    """Reports of compiled code as NumPy arrays, with NaN in place of ``NOT_RECORDED``."""

    def with_nan(values: Array) -> np.ndarray:
        array = np.array(values)
        if np.issubdtype(array.dtype, np.inexact):
            array[array == NOT_RECORDED] = np.nan
        return array

    return jax.tree.map(with_nan, reported)
