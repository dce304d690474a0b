"""Numbers that may be thousands of decades apart: floats with a power of two for each entry."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

EXPONENT_OF_ZERO = -(2**28)

Unit = Int[Array, "batch *#shape"] | int


class Graded(NamedTuple):
    """The numbers ``mantissa · 2**exponent``, with mantissas of modulus [½, 1), or 0."""

    mantissa: Float[Array, "batch *shape"]
    exponent: Int[Array, "batch *shape"]


def graded(x: Float[Array, "batch *shape"], unit: Unit = 0) -> Graded:
    """x · 2**unit; numbers below the smallest normal float count as 0."""
    info, integer = _format(x)
    bits = lax.bitcast_convert_type(x, integer)
    power = (bits >> info.nmant) & _mask(info)
    half = (bits & ~(_mask(info) << info.nmant)) | (-info.minexp << info.nmant)
    mantissa = jnp.where(power == 0, 0, lax.bitcast_convert_type(half, x.dtype))
    exponent = power.astype(jnp.int32) + info.minexp + unit
    return Graded(
        jnp.where(power == _mask(info), x, mantissa),  # infinite or NaN
        jnp.where(power == 0, EXPONENT_OF_ZERO, exponent),
    )


def in_units(x: Graded, unit: Unit = 0) -> Float[Array, "batch *shape"]:
    """x / 2**unit, for numbers that do not overflow; those below the smallest float become 0."""
    info, integer = _format(x.mantissa)
    power = x.exponent - unit
    biased = jnp.clip(power - info.minexp + 1, 0, _mask(info) - 1).astype(integer)
    return x.mantissa * lax.bitcast_convert_type(biased << info.nmant, x.mantissa.dtype)


def keep(wanted: Bool[Array, "batch *#shape"], x: Graded) -> Graded:
    """The wanted numbers, and 0 in place of the others."""
    return Graded(jnp.where(wanted, x.mantissa, 0), jnp.where(wanted, x.exponent, EXPONENT_OF_ZERO))


def times(x: Graded, y: Graded) -> Graded:
    """x · y."""
    return graded(x.mantissa * y.mantissa, x.exponent + y.exponent)


def over(x: Graded, y: Graded) -> Graded:
    """x / y, and 0 where y is 0."""
    quotient = jnp.where(y.mantissa == 0, 0, x.mantissa / jnp.where(y.mantissa == 0, 1, y.mantissa))
    return graded(quotient, x.exponent - y.exponent)


def plus(x: Graded, y: Graded) -> Graded:
    """x + y, rounded once."""
    unit = jnp.maximum(x.exponent, y.exponent)
    return graded(in_units(x, unit) + in_units(y, unit), unit)


def size(x: Graded) -> Float[Array, "batch *shape"]:
    """About log2|x|, in the order of |x|; −∞ where x is 0."""
    return jnp.where(x.mantissa == 0, -jnp.inf, x.exponent + jnp.abs(x.mantissa))


def _format(x: Array) -> tuple[jnp.finfo, str]:
    info = jnp.finfo(x.dtype)
    return info, f"int{info.bits}"


def _mask(info: jnp.finfo) -> int:
    return 2 * int(info.maxexp) - 1
