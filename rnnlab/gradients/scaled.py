"""Numbers far beyond the range of a format: mantissas with powers of two.

Multiplying by a power of two is exact, so only the limits of the format are removed: a float32
adjoint is 0 after 127 steps of f = ½, while its mantissa and exponent stay exact. Entries of one
row may be thousands of decades apart, as where one unit forgets faster than another.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int

LOG10_2 = float(np.log10(2))
EXPONENT_OF_ZERO = -(2**30)

Powers = Int[Array, "rows batch"]
Measure = Callable[[Float[Array, "rows batch size"]], Float[Array, " batch"]]


class Scaled(NamedTuple):
    """``mantissa · 2**exponent``, with an exponent for each row or for each entry.

    Where each entry has its own, all mantissas are 0 or in [½, 1).
    """

    mantissa: Float[Array, "*steps rows batch size"]
    exponent: Int[Array, "*steps rows batch #size"]


def as_scaled(
    x: Float[Array, "*steps rows batch size"], exponent: Int[Array, "*steps rows batch"] | int = 0
) -> Scaled:
    """The numbers x, times 2 to an exponent for each row."""
    exponent = jnp.broadcast_to(jnp.asarray(exponent, jnp.int32), x.shape[:-1])
    return Scaled(x, exponent[..., None])


def with_own_exponents(x: Scaled) -> Scaled:
    """The same numbers with an exponent for each entry."""
    return normal(Scaled(x.mantissa, jnp.broadcast_to(x.exponent, x.mantissa.shape)))


def zeros(shape: tuple[int, ...], dtype: Any) -> Scaled:
    """Scaled numbers that are all 0."""
    return as_scaled(jnp.zeros(shape, dtype), EXPONENT_OF_ZERO)


def largest_power(x: Scaled) -> Powers:
    """The exponent of each row's largest entry; ``EXPONENT_OF_ZERO`` where all are 0."""
    return powers([x])[0]


def in_units(unit: Int[Array, "..."], x: Scaled) -> Float[Array, "rows batch size"]:
    """The numbers as multiples of 2**unit, with a unit for each row or for each example."""
    return _times_power_of_two(x.mantissa, x.exponent - unit[..., None])


def log10_size(x: Scaled, measure: Measure) -> Float[Array, " batch"]:
    """log10 of the norm of all rows together, by a function that gives it for their mantissas."""
    unit = jnp.max(largest_power(x), axis=0)
    return measure(in_units(unit, x)) + LOG10_2 * unit


def powers(numbers: list[Scaled]) -> tuple[Powers, Powers]:
    """The exponents of each row's largest and smallest entries that are not 0, over all arrays."""
    high, low = zip(*map(_powers_of_array, numbers), strict=True)
    highest = functools.reduce(jnp.maximum, high)
    return highest, jnp.minimum(functools.reduce(jnp.minimum, low), highest)


def _powers_of_array(x: Scaled) -> tuple[Powers, Powers]:
    """``_powers`` of one array. The bits of floats ≥ 0 are integers in the same order."""
    if x.exponent.shape[-1] > 1:
        is_some = x.mantissa != 0
        largest = jnp.max(jnp.where(is_some, x.exponent, EXPONENT_OF_ZERO), axis=-1)
        return largest, jnp.min(jnp.where(is_some, x.exponent, -EXPONENT_OF_ZERO), axis=-1)
    bits, exponent = _bits(jnp.abs(x.mantissa)), x.exponent[..., 0]
    largest, smallest = jnp.max(bits, axis=-1), jnp.min(bits - 1, axis=-1) + 1
    is_zero, dtype = largest == 0, x.mantissa.dtype
    return (
        jnp.where(is_zero, EXPONENT_OF_ZERO, exponent + _power(largest, dtype)),
        jnp.where(is_zero, -EXPONENT_OF_ZERO, exponent + _power(smallest, dtype)),
    )


def _bits(size: Float[Array, "..."]) -> Array:
    return lax.bitcast_convert_type(size, f"uint{jnp.finfo(size.dtype).bits}")


def _power(bits: Array, dtype: Any) -> Int[Array, "..."]:
    """The e with x in [2**(e − 1), 2**e), from the bits of x > 0."""
    info = jnp.finfo(dtype)
    return (bits >> info.nmant).astype(jnp.int32) + int(info.minexp)


def room(dtype: Any) -> int:
    """The number of powers of two over which entries that are mapped at once may spread.

    Their largest is scaled to this power of two, which leaves as much room above as below.
    """
    return 3 * int(jnp.finfo(dtype).maxexp) // 8


def keep(wanted: Bool[Array, "..."], x: Scaled) -> Scaled:
    """The wanted entries, and 0 in place of the others."""
    return Scaled(jnp.where(wanted, x.mantissa, 0), jnp.where(wanted, x.exponent, EXPONENT_OF_ZERO))


def normal(x: Scaled) -> Scaled:
    """The same numbers with mantissas in [½, 1)."""
    size = jnp.abs(x.mantissa)
    power = jnp.where(jnp.isfinite(size), _power(_bits(size), size.dtype), 0)
    exponent = jnp.where(size == 0, EXPONENT_OF_ZERO, x.exponent + power)
    return Scaled(_times_power_of_two(x.mantissa, -power), exponent)


def total(x: Scaled, axis: int) -> Scaled:
    """The sum along an axis, which becomes 1; each entry has an exponent of its own."""
    unit = jnp.max(x.exponent, axis=axis, keepdims=True)
    parts = _times_power_of_two(x.mantissa, x.exponent - unit)
    return normal(Scaled(parts.sum(axis=axis, keepdims=True), unit))


def product(x: Scaled, y: Scaled) -> Scaled:
    """The product, entry by entry."""
    return normal(Scaled(x.mantissa * y.mantissa, x.exponent + y.exponent))


def add(x: Scaled, y: Scaled) -> Scaled:
    """The sum, entry by entry; each entry of x has an exponent of its own."""
    y = normal(y)
    unit = jnp.maximum(x.exponent, y.exponent)
    parts = (_times_power_of_two(m, exponent - unit) for m, exponent in (x, y))
    return normal(Scaled(sum(parts), unit))  # type: ignore[arg-type]


def _times_power_of_two(x: Float[Array, "..."], power: Int[Array, "..."]) -> Float[Array, "..."]:
    """Multiply by a power of two, exactly; results below the smallest float become 0."""
    half = power // 2
    return x * _power_of_two(half, x.dtype) * _power_of_two(power - half, x.dtype)


def _power_of_two(power: Int[Array, "..."], dtype: Any) -> Float[Array, "..."]:
    """2**power from its bits; 0 below the smallest float."""
    info = jnp.finfo(dtype)
    biased = jnp.clip(power - int(info.minexp) + 1, 0, int(info.maxexp - info.minexp))
    bits = biased.astype(f"int{info.bits}") << info.nmant
    return lax.bitcast_convert_type(bits, dtype)
