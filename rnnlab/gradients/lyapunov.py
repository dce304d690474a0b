"""Lyapunov exponents: mean rates at which small changes of the state grow per step."""

import functools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from rnnlab.cells import Cell, dynamics_of
from rnnlab.cells.state import flatten, state_size
from rnnlab.gradients.graded_basis import as_basis, eliminated, heights, moved
from rnnlab.gradients.paths import flat_step
from rnnlab.gradients.settled import long_run
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

    The Jacobians ∂(h, c)_t/∂(h, c)_{t−1} of all layers together are applied to a basis that starts
    at random, and exponents are the means of the growth of the volumes that it spans, log|R_ii| of
    QR decompositions (Benettin et al. 1980; for recurrent networks Engelken et al. 2023). The basis
    is such that nothing is lost in it, see ``graded_basis``. The first tenth of the steps only
    aligns it. A second pass over the same inputs, from where the first one ends, tells whether
    the state and the basis have settled.

    Args:
        cell: the cell.
        params: its parameters, as ``cell.init`` makes them.
        inputs: (time, batch, features); the exponents are means over these time steps.
        k: number of exponents; default the number of entries of the state, over all layers.
        initial_state: as for ``unroll``.

    Raises:
        ValueError: k is not between 1 and the size of the state; inputs of another rank or number
            of features; parameters, inputs or states that are not finite.
    """
    cell, inputs = dynamics_of(cell), as_inputs(inputs)
    size = cell.layers * state_size(cell)
    k = size if k is None else k
    if not 1 <= k <= size:
        raise ValueError(f"k must be between 1 and {size}, the size of the state, got {k}")
    twice = jnp.concatenate([inputs, inputs])
    growth, last = log_growth(cell, params, twice, k, initial_state)
    check_finite(params=params, inputs=inputs, states=last)
    return average_growth(growth)


@jax.jit
def average_growth(growth: Float[Array, "time batch k"]) -> LyapunovExponents:
    """Compute the exponents from log|R_ii| of every step of two passes over the same inputs."""
    first = growth[: len(growth) // 2]
    counted = first[int(ALIGNING_SHARE * len(first)) :]
    blocks = jnp.array_split(counted, min(CHECKPOINTS, len(counted)))
    sizes = jnp.array([len(block) for block in blocks], growth.dtype)[:, None, None]
    sums = jnp.stack([block.sum(axis=0) for block in blocks])
    trace = jnp.cumsum(sums, axis=0) / jnp.cumsum(sizes, axis=0)
    order = jnp.argsort(trace[-1], axis=-1, descending=True)
    trace, mean, low, high = (
        jnp.take_along_axis(a, jnp.broadcast_to(order, a.shape), -1)
        for a in (trace, *long_run(growth))
    )
    return LyapunovExponents(trace[-1], mean, low, high, trace)


@functools.partial(jax.jit, static_argnums=(0, 3))
@jax.default_matmul_precision("highest")
def log_growth(
    cell: Cell, params: Any, inputs: Inputs, k: int, initial_state: Any
) -> tuple[Float[Array, "time batch k"], Any]:
    """log|R_ii| of every step, and the last states."""
    layers = split_layers(cell, params, initial_state, inputs.shape[1])
    layer_params = [params for params, _ in layers]

    def step(carry: Any, x: Array) -> tuple[Any, tuple[Array, Array]]:
        flat, basis, before = carry
        after, push = jax.linearize(lambda flat: flat_step(cell, layer_params, flat, x), flat)
        every = jax.vmap(push, in_axes=-1, out_axes=-1)
        new, is_lost = eliminated(moved(every, basis))
        log_r = jnp.log(heights(new, is_lost))
        doublings = (new.scale - basis.scale).astype(log_r.dtype)
        growth = math.log(2) * doublings + log_r - before
        growth = jnp.where(log_r == -jnp.inf, -jnp.inf, growth)
        return (after, new, log_r), (growth, is_lost)

    flat = flatten(*(state for _, state in layers))
    random = jax.random.normal(jax.random.key(0), (flat.shape[-1], k), flat.dtype)
    basis = as_basis(jnp.broadcast_to(jnp.linalg.qr(random)[0], (len(flat), *random.shape)))
    start = flat, basis, jnp.zeros_like(basis.columns.mantissa[:, 0])
    (flat, _, _), (growth, is_lost) = lax.scan(step, start, inputs)
    return jnp.where(is_lost.mean(axis=0) > 0.5, -jnp.inf, growth), flat
