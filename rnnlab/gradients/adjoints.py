"""Adjoint norms of the states, from one backward pass."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Inexact

from rnnlab.cells.cell import Cell
from rnnlab.cells.params import trained, with_fixed
from rnnlab.gradients.norms import log10_of, scaled_squares
from rnnlab.recurrence.taps import Slot, Slots


def grad_with_adjoints(
    function: Callable[[Any, Slots], tuple[Array, Any]],
    params: Any,
    cell: Cell,
    inputs: Float[Array, "time batch features"],
) -> tuple[Any, dict[str, Float[Array, "layers time batch"]], Any]:
    """Differentiate a function that unrolls a cell, and record the adjoint norms of its state.

    Args:
        function: maps parameters and slots, one for each part of the cell's state, to a scalar and
            anything else.
        params: the parameters to differentiate by.
        cell: the cell.
        inputs: the cell's inputs.

    Returns:
        The gradient, see ``ascent``, with None for parameters that are held fixed; for each part of
        the state, log10 of the norm of the scalar's derivative by it, −inf where it reads zero; and
        the function's other result.
    """
    time, batch, _ = inputs.shape
    empty = jnp.zeros((cell.layers, time, batch))
    # The logarithm is taken after the pass: the pass gives 0 where nothing depends on the value,
    # and (0, 0) then means a norm of 0.
    slots = dict.fromkeys(cell.State._fields, Slot(norm_of_each, (empty, empty)))

    def of_trained(leaves: Any, slots: Slots) -> tuple[Array, Any]:
        return function(with_fixed(leaves, params), slots)

    differentiate = jax.grad(of_trained, argnums=(0, 1), has_aux=True)
    (gradient, seen), auxiliary = differentiate(trained(params), slots)
    norms = {name: log10_of(*slot.values) for name, slot in seen.items()}
    return ascent(gradient), norms, auxiliary


def norm_of_each(adjoint: Inexact[Array, "batch *shape"]) -> tuple[Array, Array]:
    """The norm of each example's adjoint over all its entries, as ``scaled_squares`` gives it."""
    return scaled_squares(adjoint if adjoint.ndim == 2 else adjoint.reshape(len(adjoint), -1))


def ascent(gradient: Any) -> Any:
    """The gradient as the direction of steepest ascent of the function.

    For a complex parameter a + ib JAX returns ∂L/∂a − i ∂L/∂b, the conjugate.
    """
    return jax.tree.map(lambda g: jnp.conj(g) if jnp.iscomplexobj(g) else g, gradient)
