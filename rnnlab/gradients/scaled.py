"""Numbers far beyond the range of a format, and linear maps of them: a power of two for each entry.

Multiplying by a power of two is exact, so only the limits of the format are removed: a float32
adjoint is 0 after 127 steps of f = ½, while its mantissa and exponent stay exact. Entries of one
row may be thousands of decades apart, as where one unit forgets faster than another.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
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
    high, low = _powers(numbers)
    found = _mapped(
        lambda mantissas: linear(*jax.tree.unflatten(structure, mantissas)), numbers, high
    )
    return found, jnp.all(high - low < _room(numbers))


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
        high, _ = _powers(left)
        lowest = (high - _room(left))[..., None]
        band = [_keep(x.exponent > lowest, x) for x in left]
        rest = [_keep(x.exponent <= lowest, x) for x in left]
        found = _mapped(of_list, band, high)
        return rest, jax.tree.map(_add, total, found, is_leaf=_is_scaled)

    shapes = jax.eval_shape(of_list, [x.mantissa for x in numbers])
    nothing = jax.tree.map(lambda s: with_own_exponents(zeros(s.shape, s.dtype)), shapes)
    start = [_normal(x) for x in numbers], nothing
    return lax.while_loop(is_any_left, next_band, start)[1], jnp.asarray(True)


def _mapped(linear: Callable[[list[Array]], Any], numbers: list[Scaled], high: Powers) -> Any:
    """A linear map of rows as floats, scaled so that their largest entries are 2**room."""
    unit = high - _room(numbers)
    found = linear([in_units(unit, x) for x in numbers])
    return jax.tree.map(lambda m: as_scaled(m, unit), found)


def as_scaled(
    x: Float[Array, "*steps rows batch size"], exponent: Int[Array, "*steps rows batch"] | int = 0
) -> Scaled:
    """The numbers x, times 2 to an exponent for each row."""
    exponent = jnp.broadcast_to(jnp.asarray(exponent, jnp.int32), x.shape[:-1])
    return Scaled(x, exponent[..., None])


def _is_scaled(x: Any) -> bool:
    return isinstance(x, Scaled)


def with_own_exponents(x: Scaled) -> Scaled:
    """The same numbers with an exponent for each entry."""
    return _normal(Scaled(x.mantissa, jnp.broadcast_to(x.exponent, x.mantissa.shape)))


def zeros(shape: tuple[int, ...], dtype: Any) -> Scaled:
    """Scaled numbers that are all 0."""
    return as_scaled(jnp.zeros(shape, dtype), EXPONENT_OF_ZERO)


@jax.custom_batching.custom_vmap
def in_every_lane(flag: Bool[Array, ""]) -> Bool[Array, ""]:
    """The flag; under ``vmap``, whether it holds in all lanes, so that ``cond`` runs one branch."""
    return flag


@in_every_lane.def_vmap
def _in_every_lane(
    axis_size: int, in_batched: list[bool], flags: Bool[Array, " lanes"]
) -> tuple[Bool[Array, ""], bool]:
    return in_every_lane(jnp.all(flags)), False


def largest_power(x: Scaled) -> Powers:
    """The exponent of each row's largest entry; ``EXPONENT_OF_ZERO`` where all are 0."""
    return _powers([x])[0]


def in_units(unit: Int[Array, "..."], x: Scaled) -> Float[Array, "rows batch size"]:
    """The numbers as multiples of 2**unit, with a unit for each row or for each example."""
    return _times_power_of_two(x.mantissa, x.exponent - unit[..., None])


def log10_size(x: Scaled, measure: Measure) -> Float[Array, " batch"]:
    """log10 of the norm of all rows together, by a function that gives it for their mantissas."""
    unit = jnp.max(largest_power(x), axis=0)
    return measure(in_units(unit, x)) + LOG10_2 * unit


def _powers(numbers: list[Scaled]) -> tuple[Powers, Powers]:
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


def _room(numbers: list[Scaled]) -> int:
    """The number of powers of two over which entries that are mapped at once may spread.

    Their largest is scaled to this power of two, which leaves as much room above as below.
    """
    return 3 * int(jnp.finfo(numbers[0].mantissa.dtype).maxexp) // 8


def _keep(wanted: Bool[Array, "..."], x: Scaled) -> Scaled:
    """The wanted entries, and 0 in place of the others."""
    return Scaled(jnp.where(wanted, x.mantissa, 0), jnp.where(wanted, x.exponent, EXPONENT_OF_ZERO))


def _normal(x: Scaled) -> Scaled:
    """The same numbers with mantissas in [½, 1)."""
    size = jnp.abs(x.mantissa)
    power = jnp.where(jnp.isfinite(size), _power(_bits(size), size.dtype), 0)
    exponent = jnp.where(size == 0, EXPONENT_OF_ZERO, x.exponent + power)
    return Scaled(_times_power_of_two(x.mantissa, -power), exponent)


def _add(x: Scaled, y: Scaled) -> Scaled:
    y = _normal(y)
    unit = jnp.maximum(x.exponent, y.exponent)
    parts = (_times_power_of_two(m, exponent - unit) for m, exponent in (x, y))
    return _normal(Scaled(sum(parts), unit))  # type: ignore[arg-type]


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
