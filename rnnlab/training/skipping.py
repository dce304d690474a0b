"""Conditional calls in compiled code that report NaN where they are skipped."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool

Wanted = Bool[Array, ""]


def nan_unless(wanted: Wanted, function: Callable[..., Any], *args: Any) -> Any:
    """Call ``function(*args)`` if ``wanted``; else return NaN in the same shapes."""

    def skip(*args: Any) -> Any:
        return nan_of(jax.eval_shape(function, *args))

    return lax.cond(wanted, function, skip, *args)


def same_unless(wanted: Wanted, function: Callable[..., Any], state: Any, *args: Any) -> Any:
    """Call ``function(state, *args)`` if ``wanted``; else return the same state, and NaN."""

    def skip(state: Any, *args: Any) -> Any:
        return state, nan_of(jax.eval_shape(function, state, *args)[1])

    return lax.cond(wanted, function, skip, state, *args)


def nan_of(shapes: Any) -> Any:
    """Arrays of these shapes, full of NaN."""
    return jax.tree.map(lambda a: jnp.full(a.shape, jnp.nan, a.dtype), shapes)
