"""A basis of tangent vectors in which no unit is lost beside larger ones, and the volumes it spans.

A unit that is thousands of decades below the others carries all growth once their gates shut. In
orthonormal vectors it is lost: to make one orthogonal to another leaves rounding errors of its
largest entry in all of its entries. Here multiples of earlier vectors are subtracted from later
ones instead, as in Gaussian elimination: zeros stay zeros, small entries are sums of small terms,
and what the first j vectors span together does not change, so that volumes are as by QR. What a
single step leaves of a vector beside earlier ones is known only down to rounding errors of its own
terms: there the growth of later vectors, not of the first, is that of the errors.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from rnnlab.gradients.elimination import NEARLY_EQUAL, eliminate_one_by_one, log2_error
from rnnlab.gradients.graded import EXPONENT_OF_ZERO, Graded, graded, in_units, keep, plus

Vectors = Float[Array, "batch size k"]
Columns = Bool[Array, "batch k"]


class Basis(NamedTuple):
    """The vectors ``columns[:, :, j] · 2**scale[:, j]``.

    Attributes:
        columns: (batch, size, k), the largest entry of each in [½, 1), or 0.
        scale: (batch, k).
    """

    columns: Graded
    scale: Int[Array, "batch k"]


def as_basis(vectors: Vectors) -> Basis:
    """The basis of these vectors."""
    columns = graded(vectors)
    return _scaled(columns, jnp.zeros_like(columns.exponent[:, 0]))


def moved(push: Callable[[Vectors], Vectors], basis: Basis) -> Basis:
    """The basis after a linear map of floats, in which no entry is lost beside larger ones.

    The largest entries of each vector and those close to them are mapped, then the largest of the
    others and so on: A(x + y) = Ax + Ay.
    """
    most = int(jnp.finfo(basis.columns.mantissa.dtype).maxexp)
    above, width = 5 * most // 8, 5 * most // 16

    def is_any_left(carry: tuple[Graded, Graded]) -> Bool[Array, ""]:
        return jnp.any(carry[0].mantissa != 0)

    def next_band(carry: tuple[Graded, Graded]) -> tuple[Graded, Graded]:
        left, total = carry
        unit = jnp.max(left.exponent, axis=1, keepdims=True) - above
        is_close = left.exponent > unit + (above - width)
        band = in_units(keep(is_close, left), unit)
        return keep(~is_close, left), plus(total, graded(push(band), unit))

    nothing = graded(jnp.zeros_like(basis.columns.mantissa))
    _, total = lax.while_loop(is_any_left, next_band, (basis.columns, nothing))
    return _scaled(total, basis.scale)


def heights(basis: Basis, is_lost: Columns) -> Float[Array, "batch k"]:
    """The distance of each column from the span of the earlier ones: |R_ii| of a QR decomposition.

    Entries too small for a float are left out, as they are too small for these numbers; what is in
    place of columns that are lost counts as 1.
    """
    r = jnp.linalg.qr(in_units(basis.columns), mode="r")
    is_noise = is_lost & jnp.any(basis.columns.mantissa != 0, axis=1)
    return jnp.where(is_noise, 1, jnp.abs(jnp.diagonal(r, axis1=-2, axis2=-1)))


def eliminated(basis: Basis) -> tuple[Basis, Columns]:
    """A basis of the same spans: each vector is 0 where an earlier one has its largest entry.

    Returns:
        The basis, and which vectors are 0, or shrink to what rounding errors leave; in place of
        those that are combinations of earlier ones are numbers of the size of these errors.
    """

    def again(carry: tuple[Array, Basis, Columns]) -> tuple[Array, Basis, Columns]:
        columns, is_lost, order = eliminate_one_by_one(*basis)
        new = _scaled(columns, jnp.take_along_axis(basis.scale, order, -1))
        shrank = new.scale - jnp.take_along_axis(basis.scale, order, -1)
        return jnp.asarray(False), new, is_lost | (shrank <= log2_error(columns.mantissa))

    # A loop, not a condition: under vmap the second way is run only where a lane needs it.
    start = _eliminated_at_once(basis)
    return lax.while_loop(lambda carry: carry[0], again, start)[1:]


def _scaled(columns: Graded, scale: Int[Array, "batch k"]) -> Basis:
    """The columns in units of 2**scale, as a ``Basis``."""
    power = jnp.max(columns.exponent, axis=1)
    power = jnp.where(power == EXPONENT_OF_ZERO, 0, power)
    exponent = columns.exponent - power[:, None]
    return Basis(keep(columns.mantissa != 0, Graded(columns.mantissa, exponent)), scale + power)


def _eliminated_at_once(basis: Basis) -> tuple[Bool[Array, ""], Basis, Columns]:
    """``eliminated`` by an LU decomposition of floats, and, first, whether that may lose something.

    Of vectors PᵀLU the columns of PᵀL span the same. A zero that LU makes is one only where all
    terms of its sum are; and no vector may have to change its place.
    """
    vectors = in_units(basis.columns)
    lu, _, rows = lax.linalg.lu(vectors)
    size, k = vectors.shape[1:]
    L, U = jnp.tril(lu, -1) + jnp.eye(size, k, dtype=lu.dtype), jnp.triu(lu[:, :k])
    pivots = jnp.diagonal(U, axis1=-2, axis2=-1)
    given = jnp.take_along_axis(vectors, rows[..., None], axis=1)
    is_zero = (jnp.where(given == 0, 0.0, 1.0) + _nonzero(L) @ _nonzero(U)) == 0
    is_float = jnp.all((vectors == 0) == (basis.columns.mantissa == 0))

    error = 2.0 ** log2_error(vectors) * (jnp.abs(L) @ jnp.abs(U))
    is_left = jnp.tril(jnp.abs(L * pivots[:, None]) > error)
    is_lost = ~jnp.any(is_left, axis=1)
    is_pivot_left = jnp.diagonal(is_left, axis1=-2, axis2=-1)
    is_exact = (
        is_float
        & jnp.all((lu != 0) | is_zero)
        & jnp.all(is_pivot_left | is_lost)
        & jnp.all(_is_in_order(jnp.log2(jnp.abs(U)) + basis.scale[:, None], is_lost))
    )
    errors = jnp.where(jnp.tril(error) > 0, jnp.max(jnp.tril(error), axis=1, keepdims=True), 0)
    errors = jnp.where(lu < 0, -errors, errors)
    columns = jnp.where(is_lost[:, None], errors, jnp.where(is_left, L * pivots[:, None], 0))
    columns = jnp.take_along_axis(columns, jnp.argsort(rows, axis=-1)[..., None], axis=1)
    new = _scaled(graded(columns), basis.scale)
    return ~is_exact, new, is_lost | (new.scale - basis.scale <= log2_error(vectors))


def _nonzero(x: Vectors) -> Vectors:
    return jnp.where(x == 0, jnp.zeros_like(x), 1)


def _is_in_order(sizes: Float[Array, "batch k k"], is_lost: Columns) -> Columns:
    """Whether each pivot is about as large as what is left of later vectors, from log2 of U.

    Vectors that are lost do not count.
    """
    sizes = jnp.where(is_lost[:, None], -jnp.inf, sizes)
    later = jnp.triu(jnp.ones(sizes.shape[1:], bool), 1)
    left = jnp.where(later, lax.cummax(sizes, axis=1, reverse=True), -jnp.inf).max(axis=-1)
    own = jnp.diagonal(sizes, axis1=-2, axis2=-1)
    return is_lost | (own >= left - NEARLY_EQUAL)
