"""Whether cells and losses of the user's own keep promises that no shape tells.

Quantities of one example take for granted that examples are separate, and a run that its seed
determines every number.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from rnnlab.cells import CELLS, Cell
from rnnlab.cells.cell import unobserved
from rnnlab.cells.params import check_params
from rnnlab.recurrence.checks import check_cell
from rnnlab.recurrence.stack import Inputs, split_layers
from rnnlab.support.traced import have_equal_constants
from rnnlab.support.user_code import place_of

EXAMPLES = 4
SAME = 1e-4  # of the largest number


def check_own_cell(cell: Cell, params: Any, inputs: Inputs) -> None:
    """Check that a step treats each example separately, and draws no numbers of its own.

    For cells of the user's own; inside compiled code, nothing is checked.

    Args:
        cell: the cell.
        params: its parameters.
        inputs: (time, batch, features).

    Raises:
        ValueError: what a step gives for one example depends on another, as where it normalises
            over the batch; it draws numbers with NumPy or Python; the cell breaks another promise,
            see ``check_cell``; parameters are no numbers.
    """
    check_params(params)
    is_traced = any(isinstance(a, jax.core.Tracer) for a in jax.tree.leaves((params, inputs)))
    if is_traced or type(cell) in CELLS.values():
        return
    features = inputs.shape[-1]
    for layer_params, _ in split_layers(cell, params, None, EXAMPLES):
        with jax.ensure_compile_time_eval():
            check_cell(cell, layer_params, jnp.zeros((inputs.shape[1], features)))
            _check_repeats(cell, layer_params, features)
            if _mixes(cell, layer_params, features):
                raise ValueError(
                    f"{type(cell).__name__}.step mixes examples: what it gives for one depends on "
                    "the others, as where it normalises over the batch, so that gradients and "
                    "Jacobians of one example are not defined; normalise over the features"
                    + place_of(cell.step)
                )
        features = cell.output_size


def check_init(cell: Cell, params: Any, make: Callable[[], Any]) -> None:
    """Check that ``init`` gives the same parameters when it is called again with the same key.

    Args:
        cell: the cell; nothing is checked if it ships with rnnlab.
        params: parameters that ``make`` made.
        make: makes parameters, with the same key.

    Raises:
        ValueError: it does not, as where it draws with NumPy.
    """
    if type(cell) in CELLS.values():
        return
    are_equal = functools.partial(jnp.array_equal, equal_nan=True)
    if not jax.tree.all(jax.tree.map(are_equal, params, make())):
        raise ValueError(
            f"{type(cell).__name__}.init draws numbers that do not come from its key, so that the "
            f"seed does not determine the run; draw with jax.random{place_of(cell.init)}"
        )


def _check_repeats(cell: Cell, params: Any, features: int) -> None:
    """Refuse a step whose constants change from one trace to the next."""
    arguments = (params, cell.initial_state(EXAMPLES), jnp.zeros((EXAMPLES, features)))
    first, second = (
        jax.make_jaxpr(lambda p, s, x: cell.step(p, s, x, unobserved))(*arguments) for _ in range(2)
    )
    if not have_equal_constants(first, second):
        raise ValueError(
            f"{type(cell).__name__}.step draws numbers with NumPy or Python, once, before the code "
            "is compiled: all examples and time steps would have the same; make them in init, from "
            f"its key{place_of(cell.step)}"
        )


@functools.partial(jax.jit, static_argnums=(0, 2))
def _mixes(cell: Cell, params: Any, features: int) -> Bool[Array, ""]:
    """Whether replacing one example, of random states and inputs, changes a step of another."""
    like = cell.initial_state(EXAMPLES)
    of_x, *of_parts = jax.random.split(jax.random.key(0), 1 + len(like))
    inputs = jax.random.normal(of_x, (2, EXAMPLES, features))
    parts = [_two_of(part, key) for part, key in zip(like, of_parts, strict=True)]

    def after(is_replaced: Bool[Array, " examples"]) -> list[Array]:
        index = is_replaced.astype(int), jnp.arange(EXAMPLES)
        before = cell.State(*(part[index] for part in parts))
        state = cell.step(params, before, inputs[index], unobserved)
        return [*state, cell.output(state)]

    is_replaced = jnp.eye(EXAMPLES + 1, EXAMPLES, k=-1, dtype=bool)  # first none, then one each
    is_changed = jnp.asarray(False)
    for part in lax.map(after, is_replaced):
        moved = jnp.abs(part - part[0]).reshape(*is_replaced.shape, -1).max(axis=-1)
        least = SAME * jnp.nanmax(jnp.abs(part[0]))
        is_changed |= ((moved > least) & ~is_replaced).any()
    return is_changed


def _two_of(part: Array, key: Array) -> Array:
    """Two random versions of a part of the state."""
    return jax.random.normal(key, (2, *part.shape), part.dtype)


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
