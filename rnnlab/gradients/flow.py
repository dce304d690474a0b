"""Where the gradient of a loss goes: ∂L/∂h_t and ∂L/∂c_t at every time step."""

from collections.abc import Callable
from typing import Any, NamedTuple

from jaxtyping import Array, Float

from rnnlab.cells.cell import Cell
from rnnlab.gradients.adjoints import Slots, grad_with_adjoints
from rnnlab.recurrence import Inputs, check_inputs, unroll_observed


class GradientFlow(NamedTuple):
    """One backward pass.

    Attributes:
        loss: (batch,), one value per example.
        params: gradient of the *sum* of the losses over the batch, shaped as the parameters.
        log10_norm: for each part of the state, log10‖∂L/∂·_t‖₂ of each example's own loss,
            (time, batch), with a leading layer axis when the cell has several layers; −inf where
            the adjoint reads zero. Total derivatives: every path from the value to the loss.
    """

    loss: Float[Array, " batch"]
    params: Any
    log10_norm: dict[str, Array]


def gradient_flow(
    cell: Cell,
    params: Any,
    inputs: Inputs,
    loss: Callable[[Float[Array, "time batch hidden"]], Float[Array, " batch"]],
    initial_state: Any = None,
) -> GradientFlow:
    """Gradients of a loss, with the adjoint norm of the state at every time step.

    Args:
        cell: the cell.
        params: its parameters, as ``cell.init`` makes them.
        inputs: (time, batch, features).
        loss: maps h of the top layer (time, batch, hidden) to one value per example.
        initial_state: as for ``unroll``.

    Raises:
        ValueError: ``loss`` does not return one value per example, inputs are of another rank, or
            the cell does not observe a part of its state.
    """

    check_inputs(inputs)

    def summed(params: Any, slots: Slots) -> tuple[Array, Array]:
        states = unroll_observed(cell, params, inputs, initial_state, slots=slots).states
        losses = loss(states.h[-1])
        if losses.shape != inputs.shape[1:2]:
            raise ValueError(
                f"loss must return one value per example, shape {inputs.shape[1:2]}, "
                f"got shape {losses.shape}"
            )
        return losses.sum(), losses

    gradient, norms, losses = grad_with_adjoints(summed, params, cell, inputs)
    if cell.layers == 1:
        norms = {name: norm[0] for name, norm in norms.items()}
    return GradientFlow(losses, gradient, norms)
