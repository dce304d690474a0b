"""Lyapunov exponents: mean rates at which small changes of the state grow per step."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from rnnlab.cells import Cell, dynamics_of
from rnnlab.cells.state import flatten, state_size
from rnnlab.gradients.graded_basis import orthonormal
from rnnlab.gradients.paths import flat_step
from rnnlab.gradients.scaled import Scaled, as_scaled, room, with_own_exponents
from rnnlab.gradients.scaled_maps import in_bands, in_every_lane
from rnnlab.gradients.settled import LongRun, long_run
from rnnlab.recurrence.own_cells import check_own_cell
from rnnlab.recurrence.stack import Inputs, as_inputs, check_finite, split_layers

CHECKPOINTS = 20
ALIGNING_SHARE = 0.1


class LyapunovExponents(NamedTuple):
    """Lyapunov exponents, in natural logarithm per step, greatest first.

    Attributes:
        exponents: (batch, k), the finite-time exponents: mean growth over these steps, after the
            first tenth; −inf for a direction that most steps annihilate to within rounding.
        asymptotic: (batch, k), estimates of the exponents in the long run, see ``long_run``; NaN
            where they are not settled at this length.
        low: (batch, k), the lower ends of the 95 % intervals of ``asymptotic``.
        high: (batch, k), the upper ends.
        trace: (checkpoints, batch, k), the finite-time exponents over the steps up to there.
    """

    exponents: Float[Array, "batch k"]
    asymptotic: Float[Array, "batch k"]
    low: Float[Array, "batch k"]
    high: Float[Array, "batch k"]
    trace: Float[Array, "checkpoints batch k"]


def lyapunov_exponents(
    cell: Cell, params: Any, inputs: Inputs, k: int | None = None, initial_state: Any = None
) -> LyapunovExponents:
    """The k greatest Lyapunov exponents of the state's dynamics under these inputs.

    The Jacobians ∂(h, c)_t/∂(h, c)_{t−1} of all layers together are applied to an orthonormal
    basis, which QR makes orthonormal again after every step; exponents are the means of log|R_ii|
    (Benettin et al. 1980; for recurrent networks Engelken et al. 2023). The basis starts at random;
    the first tenth of the steps only aligns it. Where its entries come to lie far apart, scaled
    numbers take their place, so that nothing is lost. A second pass over the same inputs, from
    where the first one ends, tells whether the state and the basis have settled.

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
    twice = jnp.concatenate([inputs, inputs])
    growth, last = log_growth(cell, params, twice, k, initial_state)
    check_finite(params=params, inputs=inputs, states=last)
    return average_growth(growth)


def average_growth(growth: Float[Array, "time batch k"]) -> LyapunovExponents:
    """Compute the exponents from log|R_ii| of every step of two passes over the same inputs."""
    trace, (*of_long_run, is_settled) = _averages(growth)
    # NaN is made outside compiled code, where JAX_DEBUG_NANS does not take it for an error.
    where: Any = jnp.where if isinstance(growth, jax.core.Tracer) else np.where
    mean, low, high = (where(is_settled, values, np.nan) for values in of_long_run)
    return LyapunovExponents(trace[-1], mean, low, high, trace)


@jax.jit
def _averages(growth: Float[Array, "time batch k"]) -> tuple[Array, LongRun]:
    first = growth[: len(growth) // 2]
    counted = first[int(ALIGNING_SHARE * len(first)) :]
    blocks = jnp.array_split(counted, min(CHECKPOINTS, len(counted)))
    sizes = jnp.array([len(block) for block in blocks], growth.dtype)[:, None, None]
    sums = jnp.stack([block.sum(axis=0) for block in blocks])
    trace = jnp.cumsum(sums, axis=0) / jnp.cumsum(sizes, axis=0)
    order = jnp.argsort(trace[-1], axis=-1, descending=True)

    def in_order(values: Array) -> Array:
        return jnp.take_along_axis(values, jnp.broadcast_to(order, values.shape), -1)

    return in_order(trace), jax.tree.map(in_order, long_run(growth))


@functools.partial(jax.jit, static_argnums=(0, 3))
@jax.default_matmul_precision("highest")
def log_growth(
    cell: Cell, params: Any, inputs: Inputs, k: int, initial_state: Any
) -> tuple[Float[Array, "time batch k"], Any]:
    """log|R_ii| of every step, bounded below by the rounding error, and the last states.

    Where entries of the basis come to lie far apart, the steps are made again with scaled numbers.
    """
    layers = split_layers(cell, params, initial_state, inputs.shape[1])
    flat = flatten(*(state for _, state in layers))
    random = jax.random.normal(jax.random.key(0), (flat.shape[-1], k), flat.dtype)
    basis = jnp.broadcast_to(jnp.linalg.qr(random)[0], (len(flat), *random.shape))

    def run(step: Callable[..., Any], basis: Any) -> tuple[Array, Array, Array]:
        step = functools.partial(step, cell, [params for params, _ in layers])
        (last, _), (growth, is_lost, is_close) = lax.scan(step, (flat, basis), inputs)
        return jnp.where(is_lost.mean(axis=0) > 0.5, -jnp.inf, growth), last, is_close.all()

    growth, last, is_close = run(_float_step, basis)

    def again() -> Array:
        rows = jnp.moveaxis(basis, -1, 0)
        return run(_scaled_step, with_own_exponents(as_scaled(rows)))[0]

    return lax.cond(in_every_lane(is_close), lambda: growth, again), last


# A step gives the state and the basis; log|R_ii|, whether it is rounding, whether no entry is lost.
Stepped = tuple[tuple[Array, Any], tuple[Array, Array, Array]]


def _float_step(cell: Cell, params: list[Any], carry: tuple[Array, Array], x: Array) -> Stepped:
    flat, basis = carry
    after, push = jax.linearize(lambda flat: flat_step(cell, params, flat, x), flat)
    moved = jax.vmap(push, in_axes=-1, out_axes=-1)(basis)
    basis, r = jnp.linalg.qr(moved)
    stretch = jnp.abs(jnp.diagonal(r, axis1=-2, axis2=-1))
    rounding = jnp.finfo(r.dtype).eps * flat.shape[-1] ** 0.5 * jnp.linalg.norm(moved, axis=-2)
    size = jnp.abs(basis)
    is_close = jnp.all((size == 0) | (size >= 2.0 ** -room(basis.dtype)))
    growth = jnp.log(jnp.maximum(stretch, rounding))
    return (after, basis), (growth, stretch <= rounding, is_close)


def _scaled_step(cell: Cell, params: list[Any], carry: tuple[Array, Scaled], x: Array) -> Stepped:
    flat, basis = carry
    after, push = jax.linearize(lambda flat: flat_step(cell, params, flat, x), flat)
    moved, is_exact = in_bands(jax.vmap(push), basis)
    basis, growth, is_lost = orthonormal(moved)
    return (after, basis), (growth.T, is_lost.T, is_exact)
