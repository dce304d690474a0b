"""One training run as a pure function of its settings and a key."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Key

from rnnlab.gradients.norms import global_norm
from rnnlab.tasks import Pool
from rnnlab.training.objective import Batch, LossGradient, Objective, Observations
from rnnlab.training.options import Record, Training
from rnnlab.training.recording import (
    Statistics,
    adjoint_statistics,
    gate_statistics,
    path_statistics,
    step_means,
)

EVALUATION_EXAMPLES = 256


class Streams(NamedTuple):
    """The independent random streams of a run.

    That of the evaluation set also decides which examples of a data set it is drawn from.
    """

    init: Key[Array, ""]
    data: Key[Array, ""]
    evaluation: Key[Array, ""]


def random_streams(seed: int) -> Streams:
    """The streams of a seed: the same data in every setting."""
    return Streams(*jax.random.split(jax.random.key(seed), 3))


class State(NamedTuple):
    """What one update hands to the next; the learning rate stays the same."""

    params: Any
    optimizer: Any
    diverged: Bool[Array, ""]
    learning_rate: Float[Array, ""]


class StepScalars(NamedTuple):
    """What every update reports; norms are 2-norms over all parameters together."""

    loss: Float[Array, "*chunks"]
    gradient_norm: Float[Array, "*chunks"]
    update_norm: Float[Array, "*chunks"]


class Recorded(NamedTuple):
    """One record: statistics (layers, time) by quantity and by gate, and the evaluation.

    ``jacobians`` is empty where the run records none, and NaN between those that it records.
    """

    gradients: dict[str, Statistics]
    gates: dict[str, Statistics]
    jacobians: Statistics
    eval_loss: Float[Array, "*chunks"]
    eval_metric: Float[Array, "*chunks"]


class Chunk(NamedTuple):
    """A record and the updates from its step up to the next record; NaN where there was none.

    ``means`` are the ``step_means`` of every step, if the run records them.
    """

    recorded: Recorded
    steps: StepScalars
    means: Statistics


def clip_by_global_norm(largest: float) -> optax.GradientTransformation:
    """Shorten a gradient that is longer than ``largest``, keeping its direction.

    As ``optax.clip_by_global_norm``, which makes a gradient zero whose square overflows.
    """

    def clipped(gradient: Any, params: Any) -> Any:
        norm = global_norm(gradient)
        return jax.tree.map(lambda g: jnp.where(norm > largest, g / norm * largest, g), gradient)

    return optax.stateless(clipped)


def make_optimizer(training: Training) -> optax.GradientTransformation:
    """Clipping by value, then by global norm, then the optimiser on its schedule."""
    clip_value, clip_norm = training.clip_value, training.clip_norm
    return optax.chain(
        optax.clip(clip_value) if clip_value else optax.identity(),
        clip_by_global_norm(clip_norm) if clip_norm else optax.identity(),
        training.optimizer.build(training.schedule.build(training.learning_rate, training.steps)),
    )


@dataclass(frozen=True)
class Program:
    """How a run trains and what it records, compiled once for all runs that share both.

    Attributes:
        objective: with a cell whose options for initial parameters are at their defaults
            (``cell.dynamics()``), so that runs which differ only in those share a program.
        training: how to train; its learning rate is not read, see ``start``.
        record: what to record.
        longest_chunk: most updates between two places where a run can be stopped or looked at.
    """

    objective: Objective
    training: Training
    record: Record
    longest_chunk: int = 100

    @property
    def optimizer(self) -> optax.GradientTransformation:
        """See ``make_optimizer``; at a learning rate of 1, by which ``update`` multiplies."""
        return make_optimizer(self.training.model_copy(update={"learning_rate": 1.0}))

    @property
    def chunk_length(self) -> int:
        """Most updates in a chunk."""
        return min(self.record.every, self.longest_chunk)

    def chunk_bounds(self) -> list[tuple[int, int]]:
        """(first step, first step not run) of each chunk; the last one only records."""
        steps, every = self.training.steps, self.record.every
        starts = [
            start
            for record in range(0, steps, every)
            for start in range(record, min(record + every, steps), self.chunk_length)
        ]
        starts.append(steps)
        return list(zip(starts, [*starts[1:], steps], strict=True))

    def records_at(self, step: Any) -> Any:
        """Whether a chunk that starts at this step records it."""
        return (step % self.record.every == 0) | (step == self.training.steps)

    def start(self, params: Any, learning_rate: float) -> State:
        """The state before the first update."""
        rate = jnp.asarray(learning_rate, dtype=float)
        return State(params, self.optimizer.init(params), jnp.asarray(False), rate)

    @functools.partial(jax.jit, static_argnums=0, donate_argnums=1)
    def advance(
        self,
        state: State,
        data: Key[Array, ""],
        evaluation: Batch,
        bounds: Int[Array, "chunks 2"],
        pool: Pool | None = None,
    ) -> tuple[State, Chunk]:
        """Run several chunks in one compiled call.

        Args:
            state: at the step where the first chunk starts.
            data: the key of the training data.
            evaluation: the fixed evaluation set.
            bounds: see ``chunk_bounds``; a chunk with a negative start is skipped, as is every
                chunk after the run has diverged.
            pool: of the data set, where the task is on one; see ``Objective.pool``.

        Returns:
            The state after the last chunk, and everything reported, with a leading chunk axis;
            skipped chunks hold NaN.
        """

        def draw(step: Array) -> Batch:
            return self.batch(data, step, pool)

        def run(state: State, start: Array, stop: Array) -> tuple[State, Chunk]:
            return self._chunk(state, draw, evaluation, start, stop)

        def skip(state: State, start: Array, stop: Array) -> tuple[State, Chunk]:
            chunk = jax.eval_shape(run, state, start, stop)[1]
            return state, _not_a_number(chunk)

        def body(state: State, bound: Array) -> tuple[State, Chunk]:
            wanted = (bound[0] >= 0) & ~state.diverged
            return lax.cond(wanted, run, skip, state, bound[0], bound[1])

        return lax.scan(body, state, bounds)

    def _chunk(
        self,
        state: State,
        draw: Callable[[Array], Batch],
        evaluation: Batch,
        start: Array,
        stop: Array,
    ) -> tuple[State, Chunk]:
        """A record at step ``start`` if one is due, and the updates from there to ``stop``."""

        def plain_step(state: State, step: Array) -> tuple[State, tuple[StepScalars, Statistics]]:
            def skip(state: State, step: Array) -> Any:
                return state, _not_a_number(jax.eval_shape(plain_update, state, step)[1])

            wanted = (step < stop) & ~state.diverged
            return lax.cond(wanted, plain_update, skip, state, step)

        def plain_update(state: State, step: Array) -> tuple[State, tuple[StepScalars, Statistics]]:
            loss_gradient, means = self.mean_step(state.params, draw(step))
            state, scalars = self.update(state, loss_gradient)
            return state, (scalars, means)

        def recording(batch: Batch) -> tuple[LossGradient, Recorded, Statistics]:
            loss_gradient, gradients, gates = self.record_step(state.params, batch)
            jacobians = self._jacobians(state.params, batch, start)
            evaluated = self.objective.evaluate(state.params, evaluation)
            gate_means = {name: statistics["mean"] for name, statistics in gates.items()}
            means = step_means(gradients, gate_means) if self.record.means else {}
            return loss_gradient, Recorded(gradients, gates, jacobians, *evaluated), means

        def not_recording(batch: Batch) -> tuple[LossGradient, Recorded, Statistics]:
            loss_gradient, means = self.mean_step(state.params, batch)
            return loss_gradient, _not_a_number(jax.eval_shape(recording, batch)[1]), means

        batch = draw(start)
        if self.chunk_length == self.record.every:
            loss_gradient, recorded, means = recording(batch)
        else:
            due = self.records_at(start)
            loss_gradient, recorded, means = lax.cond(due, recording, not_recording, batch)
        new_state, first = lax.cond(start < stop, self.update, _no_update, state, loss_gradient)
        later = start + 1 + jnp.arange(self.chunk_length - 1)
        new_state, rest = lax.scan(plain_step, new_state, later)
        steps, means = jax.tree.map(
            lambda a, b: jnp.concatenate([a[None], b]), (first, means), rest
        )
        return new_state, Chunk(recorded, steps, means)

    def batch(self, data: Key[Array, ""], step: Array, pool: Pool | None = None) -> Batch:
        """The examples of update step + 1."""
        return self.objective.sample(jax.random.fold_in(data, step), self.training.batch, pool)

    def record_step(
        self, params: Any, batch: Batch
    ) -> tuple[LossGradient, dict[str, Statistics], dict[str, Statistics]]:
        """The loss's gradient, with statistics of the memory loss's adjoints and of the gates.

        One backward pass where the loss is the memory loss; else one for each, and that of the
        memory loss carries exponents, so that its norms read zero only where they are.
        """
        loss_gradient, seen = self._observe(params, batch, lambda gate: gate)
        gates = {name: gate_statistics(gate) for name, gate in seen.gates.items()}
        return loss_gradient, self._adjoint_statistics(seen), gates

    def mean_step(self, params: Any, batch: Batch) -> tuple[LossGradient, Statistics]:
        """The loss's gradient, with the ``step_means`` if the run records them."""
        if not self.record.means:
            return self.objective.gradient(params, batch), {}
        loss_gradient, seen = self._observe(params, batch, jnp.mean)
        return loss_gradient, step_means(self._adjoint_statistics(seen), seen.gates)

    def _observe(
        self, params: Any, batch: Batch, gate_statistic: Callable[[Array], Array]
    ) -> tuple[LossGradient, Observations]:
        task, examples = self.objective.task, self.record.examples

        def of_examples(gate: Array) -> Array:
            return gate_statistic(gate[:examples])

        if task.loss_is_memory_loss:
            return self.objective.observed_gradient(task.loss, params, batch, of_examples)
        seen = self.objective.memory_flow(params, batch.first(examples), of_examples)
        return self.objective.gradient(params, batch), seen

    def _adjoint_statistics(self, seen: Observations) -> dict[str, Statistics]:
        return {
            name: adjoint_statistics(norms[:, :, : self.record.examples])
            for name, norms in seen.log10_norms.items()
        }

    def records_jacobians_at(self, step: Any) -> Any:
        """Whether a record at this step has Jacobians."""
        jacobians = self.record.jacobians
        if jacobians is None:
            return False
        return (step % jacobians.every == 0) | (step == self.training.steps)

    def _jacobians(self, params: Any, batch: Batch, step: Array) -> Statistics:
        if self.record.jacobians is None:
            return {}
        inputs = batch.inputs[:, : self.record.jacobians.examples]

        def measure() -> Statistics:
            return path_statistics(self.objective.cell, params["cell"], inputs)

        def skip() -> Statistics:
            return _not_a_number(jax.eval_shape(measure))

        return lax.cond(self.records_jacobians_at(step), measure, skip)

    def update(self, state: State, loss_gradient: LossGradient) -> tuple[State, StepScalars]:
        """One update; none, and the run has diverged, where it meets or makes what is not finite.

        Parameters stay the last finite ones, and the update's norm is NaN.
        """
        loss, gradient = loss_gradient
        updates, optimizer = self.optimizer.update(gradient, state.optimizer, state.params)
        updates = jax.tree.map(lambda u: u * state.learning_rate, updates)
        params = optax.apply_updates(state.params, updates)
        gradient_norm = global_norm(gradient)
        finite = (
            jnp.isfinite(loss) & jnp.isfinite(gradient_norm) & jnp.isfinite(global_norm(params))
        )
        after = state._replace(params=params, optimizer=optimizer)
        stopped = state._replace(diverged=jnp.asarray(True))
        new_state = jax.tree.map(functools.partial(jnp.where, finite), after, stopped)
        update_norm = jnp.where(finite, global_norm(updates), jnp.nan)
        return new_state, StepScalars(loss, gradient_norm, update_norm)


def _not_a_number(shapes: Any) -> Any:
    """Arrays of these shapes, full of NaN."""
    return jax.tree.map(lambda a: jnp.full(a.shape, jnp.nan, a.dtype), shapes)


def _no_update(state: State, _: Any) -> tuple[State, StepScalars]:
    return state, StepScalars(*[jnp.asarray(jnp.nan, dtype=float)] * 3)
