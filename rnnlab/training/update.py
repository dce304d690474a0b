"""One update of the parameters, and when a run has diverged."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float

from rnnlab.gradients.norms import global_norm
from rnnlab.training.objective import LossGradient
from rnnlab.training.options import Training
from rnnlab.training.skipping import NOT_RECORDED


class State(NamedTuple):
    """The state that one update passes to the next; the learning rate stays the same."""

    params: Any
    optimizer: Any
    diverged: Bool[Array, ""]
    learning_rate: Float[Array, ""]


class StepScalars(NamedTuple):
    """The scalars that every update reports; norms are 2-norms over all parameters together."""

    loss: Float[Array, "*chunks"]
    gradient_norm: Float[Array, "*chunks"]
    update_norm: Float[Array, "*chunks"]


def clip_by_global_norm(largest: float) -> optax.GradientTransformation:
    """Shorten a gradient that is longer than ``largest``, keeping its direction.

    Unlike ``optax.clip_by_global_norm``, it does not set a gradient to zero whose square overflows.
    """

    def clipped(gradient: Any, params: Any) -> Any:
        norm = global_norm(gradient)
        return jax.tree.map(lambda g: jnp.where(norm > largest, g / norm * largest, g), gradient)

    return optax.stateless(clipped)


def clip_by_value(largest: float) -> optax.GradientTransformation:
    """Clip each entry of a gradient; for complex entries, the real and the imaginary part.

    Unlike ``optax.clip``, it accepts complex entries.
    """

    def clipped(g: Array) -> Array:
        if jnp.iscomplexobj(g):
            return jax.lax.complex(clipped(g.real), clipped(g.imag))
        return jnp.clip(g, -largest, largest)

    return optax.stateless(lambda gradient, params: jax.tree.map(clipped, gradient))


def make_optimizer(training: Training) -> optax.GradientTransformation:
    """Chain clipping by value, clipping by global norm, and the optimiser on its schedule."""
    clip_value, clip_norm = training.clip_value, training.clip_norm
    return optax.chain(
        clip_by_value(clip_value) if clip_value else optax.identity(),
        clip_by_global_norm(clip_norm) if clip_norm else optax.identity(),
        training.optimizer.build(training.schedule.build(training.learning_rate, training.steps)),
    )


def update(
    optimizer: optax.GradientTransformation, state: State, loss_gradient: LossGradient
) -> tuple[State, StepScalars]:
    """Make one update; where a value is not finite, make none and mark the run as diverged.

    The parameters then stay the last finite ones, and the update's norm is ``NOT_RECORDED``.

    Args:
        optimizer: the optimiser at a learning rate of 1; its update is scaled by the state's rate.
        state: the state before the update.
        loss_gradient: the loss and its gradient at the state's parameters.
    """
    loss, gradient = loss_gradient
    updates, optimizer_state = optimizer.update(gradient, state.optimizer, state.params)
    updates = jax.tree.map(lambda u: u * state.learning_rate, updates)
    params = optax.apply_updates(state.params, updates)
    gradient_norm = global_norm(gradient)
    finite = jnp.isfinite(loss) & jnp.isfinite(gradient_norm) & jnp.isfinite(global_norm(params))
    after = state._replace(params=params, optimizer=optimizer_state)
    stopped = state._replace(diverged=jnp.asarray(True))
    new_state = jax.tree.map(functools.partial(jnp.where, finite), after, stopped)
    update_norm = jnp.where(finite, global_norm(updates), NOT_RECORDED)
    return new_state, StepScalars(loss, gradient_norm, update_norm)


def no_update(state: State, _: LossGradient) -> tuple[State, StepScalars]:
    """Return the state unchanged, and ``NOT_RECORDED`` in place of an update's scalars."""
    return state, StepScalars(*[jnp.asarray(NOT_RECORDED, dtype=float)] * 3)
