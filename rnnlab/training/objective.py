"""A cell with a readout on a task: losses, gradients, evaluation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from rnnlab.cells import Cell
from rnnlab.cells.affine import Params
from rnnlab.cells.initializers import kernel
from rnnlab.cells.params import check_params, trained, with_fixed
from rnnlab.gradients.adjoints import ascent, grad_with_adjoints
from rnnlab.gradients.flow import scaled_flow
from rnnlab.recurrence.layer import Layer
from rnnlab.recurrence.stack import FUSED, Collect, Method, outputs, top_layer, unroll_observed
from rnnlab.recurrence.taps import Slots
from rnnlab.support.same_draws import same_draws
from rnnlab.tasks import DataTask, Examples, Pool, Task

Loss = Callable[[Array, Any], Array]


class Batch(NamedTuple):
    """Examples: inputs (time, batch, features), targets with a leading batch axis."""

    inputs: Float[Array, "time batch features"]
    targets: Any

    @classmethod
    def of(cls, examples: Examples) -> "Batch":
        """Make a batch of these examples, with the time axis before the batch axis."""
        return cls(jnp.swapaxes(examples.inputs, 0, 1), examples.targets)

    def first(self, examples: int) -> "Batch":
        """Keep only the first examples."""
        targets = jax.tree.map(lambda target: target[:examples], self.targets)
        return Batch(self.inputs[:, :examples], targets)


class LossGradient(NamedTuple):
    """Mean loss over a batch and its gradient by the trained parameters, with None for others."""

    loss: Float[Array, ""]
    gradient: Any


class Observations(NamedTuple):
    """log10 adjoint norms (layers, time, batch), and the statistics of the gates."""

    log10_norms: dict[str, Array]
    gates: dict[str, Array]


def read_out(
    params: Params, h: Float[Array, "time batch features"]
) -> Float[Array, "time batch outputs"]:
    """The linear readout y_t = h_t V + b, where h is the cell's output."""
    return h @ params["V"] + params["bias"]


@dataclass(frozen=True)
class Objective:
    """A cell to be trained on a task; parameters are ``{"cell": …, "readout": {V, bias}}``."""

    cell: Cell
    task: Task
    method: Method = FUSED

    def init(self, key: Key[Array, ""]) -> dict[str, Any]:
        """Initial parameters; the readout's V is Glorot uniform, its bias 0."""
        cell_key, readout_key = jax.random.split(key)
        of_cell = self.cell.init(cell_key, self.task.input_size)
        check_params(of_cell)
        return {
            "cell": jax.tree.map(jnp.asarray, of_cell),
            "readout": {
                "V": kernel("glorot", readout_key, self.cell.output_size, self.task.output_size),
                "bias": jnp.zeros(self.task.output_size),
            },
        }

    def sample(self, key: Key[Array, ""], examples: int, pool: Pool | None = None) -> Batch:
        """Draw examples of the task, of a key the same in either precision.

        For a task on a data set, draw them from a pool.
        """
        draw = same_draws(self.task.sample) if pool is None else pool.draw
        return Batch.of(Examples(*jax.vmap(draw)(jax.random.split(key, examples))))

    def pool(self, key: Key[Array, ""]) -> Pool | None:
        """The part of a data set that is not held out; None where the task makes its examples.

        Args:
            key: the key that ``evaluation_set`` gets.
        """
        return self.task.split(key)[0] if isinstance(self.task, DataTask) else None

    def evaluation_set(self, key: Key[Array, ""], most: int) -> Batch:
        """Draw this number of evaluation examples; a data set has at most its held-out examples."""
        if isinstance(self.task, DataTask):
            return Batch.of(self.task.split(key)[1].first(most))
        return self.sample(key, most)

    def gradient(self, params: Any, batch: Batch) -> LossGradient:
        """Mean loss and its gradient."""

        def total(leaves: Any) -> tuple[Array, Any]:
            return self._total_loss(self.task.loss, with_fixed(leaves, params), batch)

        gradient, (losses, _) = jax.grad(total, has_aux=True)(trained(params))
        return _mean_over(losses, ascent(gradient))

    def observed_gradient(
        self,
        loss: Loss,
        params: Any,
        batch: Batch,
        gate_statistic: Callable[[Array], Array],
    ) -> tuple[LossGradient, Observations]:
        """Mean loss and its gradient, with observations of the forward and the backward pass.

        Args:
            loss: the loss of one example; adjoint norms are those of each example's own loss.
            params: parameters of cell and readout.
            batch: the examples.
            gate_statistic: the statistic to keep of each gate (batch, hidden) at a time step.
        """
        collect = dict.fromkeys(self.cell.gates, gate_statistic)

        def total(params: Any, slots: Slots) -> tuple[Array, Any]:
            return self._total_loss(loss, params, batch, slots, collect)

        gradient, norms, (losses, gates) = grad_with_adjoints(
            total, params, self.cell, batch.inputs
        )
        return _mean_over(losses, gradient), Observations(norms, gates)

    def gate_statistics(
        self, params: Any, batch: Batch, gate_statistic: Callable[[Array], Array]
    ) -> dict[str, Array]:
        """The statistic of each gate (batch, hidden) at every time step, (layers, time, …)."""
        collect = dict.fromkeys(self.cell.gates, gate_statistic)
        return unroll_observed(self.cell, params["cell"], batch.inputs, collect=collect).collected

    def memory_norms(
        self, params: Any, batch: Batch
    ) -> dict[str, Float[Array, "layers time batch"]]:
        """log10 adjoint norms of the memory loss, at any length; see ``scaled_flow``."""

        def losses(h: Float[Array, "time batch features"]) -> Float[Array, " batch"]:
            outputs = read_out(params["readout"], h[self.task.output_steps])
            return jax.vmap(self.task.memory_loss, in_axes=(1, 0))(outputs, batch.targets)

        return scaled_flow(self.cell, params["cell"], batch.inputs, losses)

    def evaluate(self, params: Any, batch: Batch) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Mean loss and mean metric."""
        outputs, _ = self._outputs(params, batch.inputs)
        losses = jax.vmap(self.task.loss, in_axes=(1, 0))(outputs, batch.targets)
        metrics = jax.vmap(self.task.metric, in_axes=(1, 0))(outputs, batch.targets)
        return losses.mean(), metrics.mean()

    def _outputs(
        self, params: Any, inputs: Array, slots: Slots | None = None, collect: Collect | None = None
    ) -> tuple[Array, dict[str, Array]]:
        seen = unroll_observed(
            self.cell, params["cell"], inputs, collect=collect, slots=slots, method=self.method
        )
        return read_out(params["readout"], self._h_to_read(seen)), seen.collected

    def _h_to_read(self, seen: Layer) -> Float[Array, "time batch features"]:
        """The top layer's output; only the last time step where the task reads no other."""
        if self.task.output_steps == slice(-1, None):
            return self.cell.output(top_layer(seen.final))[None]
        return outputs(self.cell, top_layer(seen.states))[self.task.output_steps]

    def _total_loss(
        self,
        loss: Loss,
        params: Any,
        batch: Batch,
        slots: Slots | None = None,
        collect: Collect | None = None,
    ) -> tuple[Array, Any]:
        """Sum over examples, not mean, so that each example's adjoint is that of its own loss."""
        outputs, collected = self._outputs(params, batch.inputs, slots, collect)
        losses = jax.vmap(loss, in_axes=(1, 0))(outputs, batch.targets)
        return losses.sum(), (losses, collected)


def _mean_over(losses: Array, gradient_of_sum: Any) -> LossGradient:
    mean_gradient = jax.tree.map(lambda g: g / losses.size, gradient_of_sum)
    return LossGradient(losses.mean(), mean_gradient)
