"""The same random numbers of a key in float32 and in float64."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def same_draws(draw: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function of a random key give, in float64, the numbers that it gives in float32.

    ``jax.random`` makes other numbers of a key in float64. The function is therefore called in
    float32 as well. What it gives in float64 is kept where it rounds to the number of float32, as
    constants do; elsewhere the number of float32 takes its place.

    Args:
        draw: gives a tree of arrays; pure, and without arrays of float64 among its arguments.
    """

    @functools.wraps(draw)
    def drawn(*args: Any, **kwargs: Any) -> Any:
        numbers = draw(*args, **kwargs)
        if jnp.result_type(float) == jnp.float32:
            return numbers
        with jax.enable_x64(False):
            single = draw(*args, **kwargs)
        return _once(numbers, single)

    return drawn


def _once(numbers: Any, single: Any) -> Any:
    """The numbers of two trees; dicts keep the order of their keys, which JAX would sort."""
    return jax.tree.map(_that_round_to, numbers, single, is_leaf=_is_dict)


def _that_round_to(numbers: Any, single: Any) -> Any:
    if _is_dict(numbers):
        return {key: _once(numbers[key], single[key]) for key in numbers}
    numbers, single = jnp.asarray(numbers), jnp.asarray(single)
    return jnp.where(numbers.astype(single.dtype) == single, numbers, single.astype(numbers.dtype))


def _is_dict(tree: Any) -> bool:
    return type(tree) is dict
