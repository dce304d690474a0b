"""Linear maps of scaled numbers: exact however far apart the entries of a row are."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool

from rnnlab.gradients.scaled import (
    Powers,
    Scaled,
    add,
    as_scaled,
    in_units,
    keep,
    normal,
    powers,
    room,
    with_own_exponents,
    zeros,
)

# Applies a linear map to trees with ``Scaled`` as leaves, see ``at_once`` and ``in_bands``.
# The map takes and returns trees of arrays (rows, batch, size), each row by itself.
Linear = Callable[..., Any]
Apply = Callable[..., tuple[Any, Bool[Array, ""]]]


def exactly(run: Callable[..., tuple[Any, Bool[Array, "..."]]], *trees: Any) -> Any:
    """Run a computation with ``at_once``; where entries are too far apart, with ``in_bands``.

    Args:
        run: the computation. It takes one of the two and ``trees``, and returns its result, which
            are arrays, and whether each use was exact.
        trees: trees with ``Scaled`` as leaves, with an exponent for each row.
    """

    def again() -> Any:
        return run(in_bands, *jax.tree.map(with_own_exponents, trees, is_leaf=_is_scaled))[0]

    result, is_exact = run(at_once, *trees)
    return lax.cond(in_every_lane(jnp.all(is_exact)), lambda: result, again)


def at_once(linear: Linear, *trees: Any) -> tuple[Any, Bool[Array, ""]]:
    """Apply a linear map to scaled numbers, each row as floats with one exponent.

    Returns:
        The result, with an exponent for each row; whether all entries of each row were so close
        together that none was lost.
    """
    numbers, structure = jax.tree.flatten(trees, is_leaf=_is_scaled)
    high, low = powers(numbers)
    found = _mapped(
        lambda mantissas: linear(*jax.tree.unflatten(structure, mantissas)), numbers, high
    )
    return found, jnp.all(high - low < room(numbers[0].mantissa.dtype))


def in_bands(linear: Linear, *trees: Any) -> tuple[Any, Bool[Array, ""]]:
    """Apply a linear map to scaled numbers; no entry is lost for being far below another.

    The largest entries of each row and those close to them are mapped as floats, then the largest
    of the others and so on: A(x + y) = Ax + Ay.

    Returns:
        The result, with an exponent for each entry; and True, as it is exact.
    """
    numbers, structure = jax.tree.flatten(trees, is_leaf=_is_scaled)

    def of_list(mantissas: list[Array]) -> Any:
        return linear(*jax.tree.unflatten(structure, mantissas))

    def is_any_left(carry: tuple[list[Scaled], Any]) -> Bool[Array, ""]:
        return functools.reduce(jnp.logical_or, [jnp.any(x.mantissa != 0) for x in carry[0]])

    def next_band(carry: tuple[list[Scaled], Any]) -> tuple[list[Scaled], Any]:
        left, total = carry
        high, _ = powers(left)
        lowest = (high - room(left[0].mantissa.dtype))[..., None]
        band = [keep(x.exponent > lowest, x) for x in left]
        rest = [keep(x.exponent <= lowest, x) for x in left]
        found = _mapped(of_list, band, high)
        return rest, jax.tree.map(add, total, found, is_leaf=_is_scaled)

    shapes = jax.eval_shape(of_list, [x.mantissa for x in numbers])
    nothing = jax.tree.map(lambda s: with_own_exponents(zeros(s.shape, s.dtype)), shapes)
    start = [normal(x) for x in numbers], nothing
    return lax.while_loop(is_any_left, next_band, start)[1], jnp.asarray(True)


def _mapped(linear: Callable[[list[Array]], Any], numbers: list[Scaled], high: Powers) -> Any:
    """A linear map of rows as floats, scaled so that their largest entries are 2**room."""
    unit = high - room(numbers[0].mantissa.dtype)
    found = linear([in_units(unit, x) for x in numbers])
    return jax.tree.map(lambda m: as_scaled(m, unit), found)


def _is_scaled(x: Any) -> bool:
    return isinstance(x, Scaled)


@jax.custom_batching.custom_vmap
def in_every_lane(flag: Bool[Array, ""]) -> Bool[Array, ""]:
    """The flag; under ``vmap``, whether it holds in all lanes, so that ``cond`` runs one branch."""
    return flag


@in_every_lane.def_vmap
def _in_every_lane(
    axis_size: int, in_batched: list[bool], flags: Bool[Array, " lanes"]
) -> tuple[Bool[Array, ""], bool]:
    return in_every_lane(jnp.all(flags)), False
