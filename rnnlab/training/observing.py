"""The values that recorded quantities read at one step of training."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from rnnlab.training.objective import Batch, LossGradient, Objective
from rnnlab.training.options import Record
from rnnlab.training.quantities.gates import gate_mean
from rnnlab.training.quantities.quantity import Moment


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

    There is one backward pass where the loss is the memory loss; else there is one for each, and
    that of the memory loss carries exponents, so that its norms do not underflow to zero.

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

    if objective.task.loss_is_memory_loss:
        loss_gradient, seen = objective.observed_gradient(objective.task.loss, params, batch, keep)
    else:
        seen = objective.memory_flow(params, batch.first(examples), keep)
        loss_gradient = objective.gradient(params, batch)
    norms = {name: norm[:, :, :examples] for name, norm in seen.log10_norms.items()}
    gates = seen.gates if is_record else {}
    means = {k: gate_mean(gate) for k, gate in gates.items()} if is_record else seen.gates
    return loss_gradient, Moment(objective, record, params, batch, evaluation, norms, means, gates)
