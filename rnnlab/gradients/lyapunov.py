"""Lyapunov exponents: mean rates at which small changes of the state grow per step."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from rnnlab.cells import Cell, dynamics_of
from rnnlab.cells.state import flatten, state_size
from rnnlab.gradients.paths import flat_step
from rnnlab.recurrence.own_cells import check_own_cell
from rnnlab.recurrence.stack import Inputs, as_inputs, check_finite, split_layers

CHECKPOINTS = 20
ALIGNING_SHARE = 0.1


class LyapunovExponents(NamedTuple):
    """Lyapunov exponents, in natural logarithm per step, greatest first.

    Attributes:
        exponents: (batch, k); −inf for a direction that most steps annihilate to within rounding.
        standard_error: (batch, k), from the means of consecutive blocks of steps, assumed to be
            independent: too small where a block is shorter than the state's memory. NaN where an
            exponent is not finite, or there are fewer than two blocks.
        trace: (checkpoints, batch, k), the exponents over the steps up to each block's end.
    """

    exponents: Float[Array, "batch k"]
    standard_error: Float[Array, "batch k"]
    trace: Float[Array, "checkpoints batch k"]


def lyapunov_exponents(
    cell: Cell, params: Any, inputs: Inputs, k: int | None = None, initial_state: Any = None
) -> LyapunovExponents:
    """The k greatest Lyapunov exponents of the state's dynamics under these inputs.

    The Jacobians ∂(h, c)_t/∂(h, c)_{t−1} of all layers together are applied to an orthonormal
    basis, which QR makes orthonormal again after every step; exponents are the means of log|R_ii|
    (Benettin et al. 1980; for recurrent networks Engelken et al. 2023). The basis starts at random;
    the first tenth of the steps only aligns it.

    Args:
        cell: the cell.
        params: its parameters, as ``cell.init`` makes them.
        inputs: (time, batch, features); the exponents are means over these time steps.
        k: number of exponents; default the number of entries of the state, over all layers.
        initial_state: as for ``unroll``.

    Raises:
        ValueError: k is not between 1 and the size of the state; inputs of another rank or number
            of features; parameters, inputs or states that are not finite; a cell that mixes
            examples.
    """
    cell, inputs = dynamics_of(cell), as_inputs(inputs)
    check_own_cell(cell, params, inputs)
    size = cell.layers * state_size(cell)
    k = size if k is None else k
    if not 1 <= k <= size:
        raise ValueError(f"k must be between 1 and {size}, the size of the state, got {k}")
    growth, last = log_growth(cell, params, inputs, k, initial_state)
    check_finite(params=params, inputs=inputs, states=last)
    return average_growth(growth)


@jax.jit
def average_growth(growth: Float[Array, "time batch k"]) -> LyapunovExponents:
    """Compute the exponents from log|R_ii| of every step."""
    counted = growth[int(ALIGNING_SHARE * len(growth)) :]
    blocks = jnp.array_split(counted, min(CHECKPOINTS, len(counted)))
    sizes = jnp.array([len(block) for block in blocks], growth.dtype)[:, None, None]
    sums = jnp.stack([block.sum(axis=0) for block in blocks])
    trace = jnp.cumsum(sums, axis=0) / jnp.cumsum(sizes, axis=0)
    means = sums / sizes
    finite = jnp.isfinite(means).all(axis=0) & (len(blocks) > 1)
    spread = jnp.std(jnp.where(finite, means, 0), axis=0) / max(1, len(blocks) - 1) ** 0.5
    error = jnp.where(finite, spread, jnp.nan)
    order = jnp.argsort(trace[-1], axis=-1, descending=True)
    trace, error = (
        jnp.take_along_axis(a, jnp.broadcast_to(order, a.shape), -1) for a in (trace, error)
    )
    return LyapunovExponents(trace[-1], error, trace)


@functools.partial(jax.jit, static_argnums=(0, 3))
@jax.default_matmul_precision("highest")
def log_growth(
    cell: Cell, params: Any, inputs: Inputs, k: int, initial_state: Any
) -> tuple[Float[Array, "time batch k"], Any]:
    """log|R_ii| of every step, bounded below by the rounding error, and the last states."""
    layers = split_layers(cell, params, initial_state, inputs.shape[1])
    layer_params = [params for params, _ in layers]

    def step(carry: Any, x: Array) -> tuple[Any, tuple[Array, Array]]:
        flat, basis = carry
        after, push = jax.linearize(lambda flat: flat_step(cell, layer_params, flat, x), flat)
        moved = jax.vmap(push, in_axes=-1, out_axes=-1)(basis)
        basis, r = jnp.linalg.qr(moved)
        stretch = jnp.abs(jnp.diagonal(r, axis1=-2, axis2=-1))
        rounding = jnp.finfo(r.dtype).eps * len(random) ** 0.5 * jnp.linalg.norm(moved, axis=-2)
        return (after, basis), (jnp.log(jnp.maximum(stretch, rounding)), stretch <= rounding)

    flat = flatten(*(state for _, state in layers))
    random = jax.random.normal(jax.random.key(0), (flat.shape[-1], k), flat.dtype)
    basis = jnp.broadcast_to(jnp.linalg.qr(random)[0], (len(flat), *random.shape))
    (flat, _), (growth, is_lost) = lax.scan(step, (flat, basis), inputs)
    return jnp.where(is_lost.mean(axis=0) > 0.5, -jnp.inf, growth), flat
