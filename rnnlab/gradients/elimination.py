"""Gaussian elimination among vectors whose entries are thousands of decades apart, by column."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from rnnlab.gradients.graded import EXPONENT_OF_ZERO, Graded, keep, over, plus, size, times

# Powers of two: pivots this close are taken for equal; a vector whose other entries are so much
# smaller is eliminated with first, as it leaves more of the others.
NEARLY_EQUAL, MUCH_SMALLER = 10, 20


class Eliminated(NamedTuple):
    """Vectors that are 0 where an earlier one has its largest entry, and their spans as before.

    Attributes:
        columns: the vectors; in place of those that are lost, numbers of the size of their errors.
        is_lost: which are 0, or combinations of earlier ones to within rounding errors.
        order: the place that each had before.
    """

    columns: Graded
    is_lost: Bool[Array, "batch k"]
    order: Int[Array, "batch k"]


class _State(NamedTuple):
    """Elimination on its way.

    Attributes:
        columns: the vectors.
        largest: the exponent of the largest term of the sum that made each entry.
        place: the place of each vector in the new order, k where it has none yet.
        is_lost: whether only rounding errors were left of a vector.
    """

    columns: Graded
    largest: Int[Array, "batch size k"]
    place: Int[Array, "batch k"]
    is_lost: Bool[Array, "batch k"]


def eliminate_one_by_one(columns: Graded, scale: Int[Array, "batch k"]) -> Eliminated:
    """Eliminate with one vector after the other, from all that have had no turn.

    Args:
        columns: the vectors, (batch, size, k), each in units of 2**scale.
        scale: the order is kept where vectors grow as those in general position do, none by much
            more than an earlier one.
    """
    k, zeros = scale.shape[-1], jnp.zeros_like(scale)
    start = _State(columns, columns.exponent, zeros + k, zeros.astype(bool))

    def turn(place: Int[Array, ""] | int, at: _State) -> _State:
        is_waiting = at.place == k
        row, column = _pivot(size(at.columns) + scale[:, None], is_waiting)
        is_chosen = jnp.arange(k) == column[:, None]
        is_other = is_waiting & ~is_chosen
        left, largest, is_lost = _subtract(at, row[:, None, None], column[:, None, None])
        new = left, largest, jnp.broadcast_to(place, at.place.shape), is_lost | at.is_lost
        changes = is_other[:, None], is_other[:, None], is_chosen, is_other
        flat_new, flat_old = (jax.tree.leaves(x) for x in (new, tuple(at)))
        wanted = [changes[0], *changes]
        chosen = [jnp.where(w, n, o) for w, n, o in zip(wanted, flat_new, flat_old, strict=True)]
        return jax.tree.unflatten(jax.tree.structure(at), chosen)

    end = lax.fori_loop(0, k, turn, start)
    order = jnp.argsort(end.place, axis=-1)
    columns = jax.tree.map(lambda a: jnp.take_along_axis(a, order[:, None], -1), end.columns)
    is_lost = jnp.take_along_axis(end.is_lost, order, -1)
    return Eliminated(columns, is_lost | jnp.all(columns.mantissa == 0, axis=1), order)


def _subtract(
    at: _State, row: Int[Array, "batch 1 1"], column: Int[Array, "batch 1 1"]
) -> tuple[Graded, Int[Array, "batch size k"], Bool[Array, "batch k"]]:
    """All vectors less the multiple of this one that leaves 0 in this row."""
    chosen = _at(at.columns, column, axis=-1)
    in_row, pivot = (_at(x, row, axis=1) for x in (at.columns, chosen))
    terms = times(over(Graded(-in_row.mantissa, in_row.exponent), pivot), chosen)
    is_row = jnp.arange(terms.mantissa.shape[1])[:, None] == row
    largest = jnp.where(is_row, EXPONENT_OF_ZERO, jnp.maximum(at.largest, terms.exponent))
    left, is_lost = _without_rounding(plus(at.columns, terms), largest)
    return left, largest, is_lost


def _at(x: Graded, index: Int[Array, "batch 1 1"], axis: int) -> Graded:
    """One row or one column."""
    return jax.tree.map(lambda a: jnp.take_along_axis(a, index, axis), x)


def _pivot(
    sizes: Float[Array, "batch size k"], is_waiting: Bool[Array, "batch k"]
) -> tuple[Int[Array, " batch"], Int[Array, " batch"]]:
    """Row and column of the entry to eliminate with, from log2 of the sizes of all.

    The column is the first of those with an entry close to the largest of all, and the row that of
    its largest entry; or a later one, nearly as large in this row and much smaller in others.
    """
    sizes = jnp.where(is_waiting[:, None], sizes, -jnp.inf)
    largest = jnp.max(sizes, axis=1)
    is_first = is_waiting & (largest >= jnp.max(largest, -1, keepdims=True) - NEARLY_EQUAL)
    first = jnp.argmax(is_first, axis=-1)[:, None]
    row = jnp.argmax(jnp.take_along_axis(sizes, first[:, None], -1)[..., 0], axis=-1)
    in_row = jnp.take_along_axis(sizes, row[:, None, None], 1)[:, 0]
    is_row = jnp.arange(sizes.shape[1]) == row[:, None]
    others = jnp.max(jnp.where(is_row[..., None], -jnp.inf, sizes), axis=1)
    is_close = is_waiting & (in_row >= jnp.take_along_axis(in_row, first, -1) - NEARLY_EQUAL)
    others = jnp.where(is_close, others - jnp.maximum(in_row, jnp.finfo(sizes.dtype).min), jnp.inf)
    best = jnp.argmin(others, axis=-1)[:, None]
    least, own = (jnp.take_along_axis(others, index, -1) for index in (best, first))
    return row, jnp.where(least < own - MUCH_SMALLER, best, first)[:, 0]


def _without_rounding(
    x: Graded, largest: Int[Array, "batch size k"]
) -> tuple[Graded, Bool[Array, "batch k"]]:
    """Entries that are not just rounding errors of sums of such terms; where none is, the errors.

    Returns:
        The entries, and of which vectors none is more than a rounding error.
    """
    error = largest + log2_error(x.mantissa)
    left = keep(x.exponent > error, x)
    is_lost = jnp.all(left.mantissa == 0, axis=1, keepdims=True)
    largest_error = jnp.broadcast_to(jnp.max(error, axis=1, keepdims=True), error.shape)
    sign = jnp.where(x.mantissa < 0, -0.5, jnp.full_like(x.mantissa, 0.5))
    errors = keep(largest > EXPONENT_OF_ZERO, Graded(sign, largest_error))
    left = jax.tree.map(lambda error, own: jnp.where(is_lost, error, own), errors, left)
    return left, is_lost[:, 0]


def log2_error(vectors: Float[Array, "batch size k"]) -> int:
    """log2 of the rounding error of a sum over these many entries, as part of its largest term."""
    epsilon = float(jnp.finfo(vectors.dtype).eps)
    return math.ceil(math.log2(4 * epsilon * vectors.shape[1] ** 0.5))
