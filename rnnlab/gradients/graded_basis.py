"""Orthonormal bases of scaled numbers, in which no entry is lost for being far below another."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from rnnlab.gradients.scaled import (
    Scaled,
    add,
    in_units,
    keep,
    largest_power,
    normal,
    product,
    total,
    with_own_exponents,
    zeros,
)


class Orthonormal(NamedTuple):
    """An orthonormal basis, and the QR decomposition that made it.

    Attributes:
        rows: the basis vectors, (k, batch, size).
        log_stretch: (k, batch), log|R_ii|; that of the rounding error for a vector that is lost.
        is_lost: (k, batch), whether only rounding errors were left of a vector; others are not made
            orthogonal to it.
    """

    rows: Scaled
    log_stretch: Float[Array, "k batch"]
    is_lost: Bool[Array, "k batch"]


def orthonormal(vectors: Scaled) -> Orthonormal:
    """Make vectors (k, batch, size) orthonormal, one after the other (Gram-Schmidt, twice each).

    Entries of what is left of a vector that are no larger than their own rounding errors count as
    0, unless all are. An entry's error is relative to the numbers that it is the sum of, and not to
    the largest entry.
    """

    def add_row(j: Array, basis: Orthonormal) -> Orthonormal:
        is_before = (jnp.arange(k) < j)[:, None] & ~basis.is_lost
        before = keep(is_before[..., None], basis.rows)
        vector = jax.tree.map(lambda a: a[j][None], vectors)
        left, sizes = vector, _abs(vector)
        for _ in range(2):
            along = product(before, total(product(before, left), axis=-1))
            left = add(left, _negative(total(along, axis=0)))
            sizes = add(sizes, total(_abs(along), axis=0))
        is_exact = _ratio(left, sizes) > rounding
        is_lost = ~is_exact.any(axis=-1, keepdims=True)
        unit, log_length = _normalised(keep(is_exact | is_lost, left))
        at_least = _normalised(vector)[1] + math.log(rounding)
        log_stretch = jnp.where(is_lost[..., 0], at_least, log_length)
        one = Orthonormal(unit, log_stretch, is_lost[..., 0])
        return jax.tree.map(lambda all_, row: all_.at[j].set(row[0]), basis, one)

    k, batch, size = vectors.mantissa.shape
    dtype = vectors.mantissa.dtype
    rounding = float(jnp.finfo(dtype).eps) * size**0.5
    nothing = with_own_exponents(zeros((k, batch, size), dtype))
    start = Orthonormal(nothing, jnp.zeros((k, batch), dtype), jnp.zeros((k, batch), bool))
    return lax.fori_loop(0, k, add_row, start)


def _abs(x: Scaled) -> Scaled:
    return x._replace(mantissa=jnp.abs(x.mantissa))


def _negative(x: Scaled) -> Scaled:
    return x._replace(mantissa=-x.mantissa)


def _ratio(x: Scaled, y: Scaled) -> Float[Array, "..."]:
    """|x| / y as floats, where |x| is at most about y; 0 where y is."""
    inverse = Scaled(1 / jnp.where(y.mantissa == 0, 1, y.mantissa), -y.exponent)
    ratio = product(_abs(x), inverse)
    return in_units(jnp.zeros(ratio.mantissa.shape[:-1], int), ratio)


def _normalised(x: Scaled) -> tuple[Scaled, Float[Array, "1 batch"]]:
    """The vectors with length 1, and log of their lengths; 0 and −∞ for a vector of 0."""
    unit = largest_power(x)
    length = jnp.linalg.norm(in_units(unit, x), axis=-1)
    mantissa = x.mantissa / jnp.where(length == 0, 1, length)[..., None]
    log_length = jnp.log(length) + math.log(2) * unit
    return normal(Scaled(mantissa, x.exponent - unit[..., None])), log_length
