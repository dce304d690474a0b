"""The gradient of a loss through time: ∂L/∂h_t and ∂L/∂c_t at every time step."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from rnnlab.cells.cell import Cell
from rnnlab.cells.params import with_fixed
from rnnlab.cells.state import real_parts
from rnnlab.gradients.adjoints import grad_with_adjoints
from rnnlab.gradients.backward import scaled_norms
from rnnlab.gradients.norms import log10_norm
from rnnlab.gradients.scaled import as_scaled, zeros
from rnnlab.recurrence.own_cells import check_losses_are_separate, check_own_cell
from rnnlab.recurrence.stack import (
    FUSED,
    Inputs,
    as_inputs,
    outputs,
    record_tapes,
    top_layer,
    unroll_observed,
)
from rnnlab.recurrence.taps import Slots

Loss = Callable[[Float[Array, "time batch outputs"]], Float[Array, " batch"]]


class GradientFlow(NamedTuple):
    """The results of one backward pass.

    Attributes:
        loss: (batch,), one value per example.
        params: gradient of the *sum* of the losses over the batch, shaped as the parameters; for
            complex ones the direction of steepest ascent, ∂L/∂a + i ∂L/∂b; 0 for whole numbers and
            booleans, which are held fixed.
        log10_norm: for each part of the state, log10‖∂L/∂·_t‖₂ of each example's own loss,
            (time, batch), with a leading layer axis when the cell has several layers; −inf where
            the adjoint reads zero. These are total derivatives, over every path from value to loss.
    """

    loss: Float[Array, " batch"]
    params: Any
    log10_norm: dict[str, Array]


def gradient_flow(
    cell: Cell,
    params: Any,
    inputs: Inputs,
    loss: Loss,
    initial_state: Any = None,
    *,
    scaled: bool = False,
) -> GradientFlow:
    """Gradients of a loss, with the adjoint norm of the state at every time step.

    Args:
        cell: the cell.
        params: its parameters, as ``cell.init`` makes them.
        inputs: (time, batch, features).
        loss: maps the output of the top layer (h for built-in cells), (time, batch, outputs), to
            one value per example.
        initial_state: as for ``unroll``.
        scaled: carry adjoints as mantissa and exponent, so that norms do not underflow to zero at
            any length, unless the loss's own derivative by the output does, or a factor of a single
            step. This takes a second backward pass; ``params`` still come from the ordinary one.

    Raises:
        ValueError: ``loss`` does not return one value per example, each from the example's own
            output; inputs are of another rank; the cell does not observe a part of its state, or
            mixes examples.
    """

    inputs = as_inputs(inputs)
    check_own_cell(cell, params, inputs)

    def summed(params: Any, slots: Slots) -> tuple[Array, Any]:
        seen = unroll_observed(cell, params, inputs, initial_state, slots=slots, method=FUSED)
        read = outputs(cell, top_layer(seen.states))
        losses = jnp.asarray(loss(read))
        if losses.shape != inputs.shape[1:2]:
            raise ValueError(
                f"loss must return one value per example, shape {inputs.shape[1:2]}, "
                f"got shape {losses.shape}"
            )
        return losses.sum(), (losses, read)

    gradient, norms, (losses, read) = grad_with_adjoints(summed, params, cell, inputs)
    check_losses_are_separate(loss, read)
    if scaled:
        norms = scaled_flow(cell, params, inputs, loss, initial_state)
    if cell.layers == 1:
        norms = {name: norm[0] for name, norm in norms.items()}
    gradient = with_fixed(gradient, jax.tree.map(jnp.zeros_like, params))
    return GradientFlow(losses, gradient, norms)


def scaled_flow(
    cell: Cell, params: Any, inputs: Inputs, loss: Loss, initial_state: Any = None
) -> dict[str, Float[Array, "layers time batch"]]:
    """log10‖∂L/∂·_t‖₂ for each part of the state, at any length; see ``gradient_flow``."""
    tapes, states = record_tapes(cell, params, inputs, initial_state)
    losses, pull = jax.vjp(loss, outputs(cell, top_layer(states)))
    (by_output,) = pull(jnp.ones_like(losses))
    last = real_parts(jax.tree.map(lambda a: a[-1], top_layer(states)))
    nothing = type(last)(*(zeros((1, *part.shape), part.dtype) for part in last))
    seeds = as_scaled(by_output[:, None])
    norms = scaled_norms(cell, tapes, nothing, seeds, _size_of_row)
    return jax.tree.map(lambda *layer: jnp.stack(layer), *norms)


def _size_of_row(adjoint: Float[Array, "1 batch size"]) -> Float[Array, " batch"]:
    return log10_norm(adjoint[0])
