"""The values that recorded quantities read at one step of training."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from rnnlab.gradients.scaled_maps import in_every_lane
from rnnlab.training.objective import Batch, LossGradient, Objective
from rnnlab.training.options import Record
from rnnlab.training.quantities.gates import gate_mean
from rnnlab.training.quantities.quantity import Moment

# log10 of the norm below which float32 adjoints may have lost entries: 8 decades above its end.
LEAST_PLAIN = -30

Norms = dict[str, Float[Array, "layers time batch"]]


def observe(
    objective: Objective,
    record: Record,
    params: Any,
    batch: Batch,
    evaluation: Batch,
    *,
    is_record: bool,
) -> tuple[LossGradient, Moment]:
    """Compute the loss's gradient, and the ``Moment`` that quantities read.

    There is one backward pass where the loss is the memory loss, and a second where norms of the
    first are so small that others may have underflowed; else there is one for each loss. Passes of
    the memory loss alone carry exponents, so that their norms do not underflow to zero.

    Args:
        objective: the cell and its task.
        record: the options of recording.
        params: parameters of cell and readout.
        batch: the examples of the update.
        evaluation: the fixed evaluation set.
        is_record: whether to keep the values of gates, or only their means.
    """
    examples = record.examples

    def keep(gate: Array) -> Array:
        return gate[:examples] if is_record else jnp.mean(gate[:examples])

    first = batch.first(examples)
    if objective.task.loss_is_memory_loss:
        loss_gradient, seen = objective.observed_gradient(objective.task.loss, params, batch, keep)
        gates = seen.gates
        plain = {name: norm[:, :, :examples] for name, norm in seen.log10_norms.items()}
        norms = _without_underflow(plain, lambda: objective.memory_norms(params, first))
    else:
        norms = objective.memory_norms(params, first)
        gates = objective.gate_statistics(params, first, keep)
        loss_gradient = objective.gradient(params, batch)
    means = {k: gate_mean(gate) for k, gate in gates.items()} if is_record else gates
    kept = gates if is_record else {}
    return loss_gradient, Moment(objective, record, params, batch, evaluation, norms, means, kept)


def _without_underflow(plain: Norms, at_any_length: Callable[[], Norms]) -> Norms:
    """These log10 norms, or those ``at_any_length`` where one is below ``LEAST_PLAIN``."""
    is_safe = jnp.stack([jnp.all(~(norm < LEAST_PLAIN)) for norm in plain.values()]).all()

    def choose() -> Norms:
        return jax.tree.map(functools.partial(jnp.where, is_safe), plain, at_any_length())

    return lax.cond(in_every_lane(is_safe), lambda: plain, choose)
