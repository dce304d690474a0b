"""Whether examples are separate, as all quantities of one example take for granted."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from rnnlab.cells import CELLS, Cell
from rnnlab.cells.cell import unobserved
from rnnlab.cells.params import check_params
from rnnlab.recurrence.checks import check_cell
from rnnlab.recurrence.stack import Inputs, split_layers
from rnnlab.support.user_code import place_of

EXAMPLES = 4
SAME = 1e-4  # of the largest number


def check_separate(cell: Cell, params: Any, inputs: Inputs) -> None:
    """Check that what a cell gives for one example does not depend on other examples.

    A step of each layer reads random states and inputs, once more with one example replaced. For
    cells of the user's own; inside compiled code, nothing is checked.

    Args:
        cell: the cell.
        params: its parameters.
        inputs: (time, batch, features).

    Raises:
        ValueError: it does, as where a step normalises over the batch; the cell breaks another
            promise, see ``check_cell``; parameters are no numbers.
    """
    check_params(params)
    is_traced = any(isinstance(a, jax.core.Tracer) for a in jax.tree.leaves((params, inputs)))
    if is_traced or type(cell) in CELLS.values():
        return
    features = inputs.shape[-1]
    for layer_params, _ in split_layers(cell, params, None, EXAMPLES):
        with jax.ensure_compile_time_eval():
            check_cell(cell, layer_params, jnp.zeros((inputs.shape[1], features)))
            if _mixes(cell, layer_params, features):
                raise ValueError(
                    f"{type(cell).__name__}.step mixes examples: what it gives for one depends on "
                    "the others, as where it normalises over the batch, so that gradients and "
                    "Jacobians of one example are not defined; normalise over the features"
                    + place_of(cell.step)
                )
        features = cell.output_size


@functools.partial(jax.jit, static_argnums=(0, 2))
def _mixes(cell: Cell, params: Any, features: int) -> Bool[Array, ""]:
    """Whether replacing one example changes what a step gives for another."""
    like = cell.initial_state(EXAMPLES)
    of_x, *of_parts = jax.random.split(jax.random.key(0), 1 + len(like))
    inputs = jax.random.normal(of_x, (2, EXAMPLES, features))
    parts = [_two_of(part, key) for part, key in zip(like, of_parts, strict=True)]

    def after(replaced: Bool[Array, " examples"]) -> list[Array]:
        index = replaced.astype(int), jnp.arange(EXAMPLES)
        state = cell.step(
            params, cell.State(*(part[index] for part in parts)), inputs[index], unobserved
        )
        return [*state, cell.output(state)]

    before = after(jnp.zeros(EXAMPLES, bool))
    is_changed = jnp.asarray(False)
    for replaced in jnp.eye(EXAMPLES, dtype=bool):
        for one, other in zip(before, after(replaced), strict=True):
            moved = jnp.abs(one - other)[~replaced].max(initial=0)
            is_changed |= moved > SAME * jnp.abs(one).max(initial=0)
    return is_changed


def _two_of(part: Array, key: Array) -> Array:
    """Two random versions of a part of the state; whole numbers stay as they are."""
    shape = (2, *part.shape)
    if not jnp.issubdtype(part.dtype, jnp.inexact):
        return jnp.broadcast_to(part, shape)
    return jax.random.normal(key, shape, part.dtype)


def check_losses_are_separate(
    loss: Callable[[Array], Array], outputs: Float[Array, "time batch outputs"]
) -> None:
    """Check that each loss depends on the outputs of its own example only.

    Raises:
        ValueError: it does not, as where losses are one for each step, and as many as examples.
    """
    if isinstance(outputs, jax.core.Tracer):
        return
    losses, pull = jax.vjp(loss, outputs)
    is_even = jnp.arange(len(losses)) % 2 == 0
    for own in (is_even, ~is_even):
        (by_output,) = pull(own.astype(losses.dtype))
        if jnp.abs(by_output[:, ~own]).max(initial=0) > 0:
            raise ValueError(
                "loss must return each example's own loss, and one of them depends on the output "
                "of another example: outputs are (time, batch, outputs)"
            )
