"""Getting adjoint norms out of a backward pass, without storing the adjoints.

A *tap* is an identity on a value. Backwards, it lets the value's adjoint pass and hands its norm
out as the "gradient" with respect to a *slot*: an argument filled with zeros that enters no result.
One backward pass then yields parameter gradients and norms, with no callback in compiled code.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from rnnlab.cells.cell import Cell
from rnnlab.gradients.norms import log10_of, scaled_squares


class Slot(NamedTuple):
    """What a tap hands out: the norm of each example's adjoint, as ``scaled_squares``.

    No logarithm, so that 0, which differentiation gives where nothing depends on the value, is a
    norm of 0.
    """

    largest: Float[Array, "*steps batch"]
    squares: Float[Array, "*steps batch"]


Slots = dict[str, Slot]


@jax.custom_vjp
def tap(value: Float[Array, "batch hidden"], slot: Slot) -> Float[Array, "batch hidden"]:
    """Return ``value``; backwards, the slot's cotangent is that of a ``Slot``."""
    return value


def _tap_forward(value: Array, slot: Slot) -> tuple[Array, None]:
    return value, None


def _tap_backward(_: None, adjoint: Array) -> tuple[Array, Slot]:
    return adjoint, Slot(*scaled_squares(adjoint))


tap.defvjp(_tap_forward, _tap_backward)


def grad_with_adjoints(
    function: Callable[[Any, Slots], tuple[Array, Any]],
    params: Any,
    cell: Cell,
    inputs: Float[Array, "time batch features"],
) -> tuple[Any, dict[str, Float[Array, "layers time batch"]], Any]:
    """Differentiate a function that unrolls a cell; see the adjoints of its state pass by.

    Args:
        function: maps parameters and slots, one for each part of the cell's state, to a scalar and
            anything else.
        params: what to differentiate by.
        cell: the cell.
        inputs: what it reads.

    Returns:
        The gradient; for each part of the state log10 of the norm of the scalar's derivative by it,
        −inf where it reads zero; and the function's anything else.
    """
    time, batch, _ = inputs.shape
    empty = jnp.zeros((cell.layers, time, batch))
    slots = dict.fromkeys(cell.State._fields, Slot(empty, empty))
    differentiate = jax.grad(function, argnums=(0, 1), has_aux=True)
    (gradient, seen), auxiliary = differentiate(params, slots)
    return gradient, {name: log10_of(*slot) for name, slot in seen.items()}, auxiliary
