"""Conversion of a cell's state to real vectors, one for each example, and back.

A state is a NamedTuple of arrays (batch, …), real or complex, of any shapes. In the real view each
array is a vector of its entries; a complex entry a + ib counts as two real ones, and the real parts
of an array come before its imaginary parts. Norms in this view use |a + ib|.
"""

import math
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Inexact

if TYPE_CHECKING:
    from rnnlab.cells.cell import Cell

Vector = Float[Array, "batch size"]


def as_real(value: Inexact[Array, "batch *shape"]) -> Vector:
    """The real view of an array: its entries as real vectors."""
    flat = value if value.ndim == 2 else value.reshape(len(value), -1)
    if not jnp.iscomplexobj(flat):
        return flat
    return jnp.concatenate([flat.real, flat.imag], axis=-1)


def from_real(vector: Vector, like: Any) -> Inexact[Array, "batch *shape"]:
    """The array whose real view is ``vector``.

    Args:
        vector: as ``as_real`` returns it.
        like: an array, or its shape and dtype. The result has its shape, except for the batch axis,
            and is complex if it is; the precision is the vector's.
    """
    shape = (len(vector), *like.shape[1:])
    if jnp.issubdtype(like.dtype, jnp.complexfloating):
        vector = lax.complex(*jnp.split(vector, 2, axis=-1))
    return vector if vector.shape == shape else vector.reshape(shape)


def real_parts(state: Any) -> Any:
    """The state with every part as real vectors."""
    return type(state)(*map(as_real, state))


def from_real_parts(parts: Any, like: Any) -> Any:
    """The inverse of ``real_parts``; ``like`` is as for ``from_real``, part by part."""
    return type(parts)(*map(from_real, parts, like))


def flatten(*states: Any) -> Vector:
    """Join all parts of one or several states side by side, as real vectors."""
    return jnp.concatenate([as_real(part) for state in states for part in state], axis=-1)


def unflatten(flat: Vector, like: Any) -> Any:
    """The inverse of ``flatten``: the state that has this vector."""
    ends = [sum(part_sizes(like)[: index + 1]) for index in range(len(like) - 1)]
    return type(like)(*map(from_real, jnp.split(flat, ends, axis=-1), like))


def part_sizes(like: Any) -> list[int]:
    """The numbers of real entries of each part of a state, for one example."""
    return [
        math.prod(part.shape[1:]) * (2 if jnp.issubdtype(part.dtype, jnp.complexfloating) else 1)
        for part in like
    ]


def state_like(cell: "Cell") -> Any:
    """Shapes and dtypes of the state of one layer, for one example."""
    return jax.eval_shape(lambda: cell.initial_state(1))


def state_size(cell: "Cell") -> int:
    """The number of real entries of the state of one layer, for one example."""
    return sum(part_sizes(state_like(cell)))
