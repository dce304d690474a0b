"""One training run as a pure function of its settings and a key."""

import functools
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import lax
from jaxtyping import Array, Int, Key

from rnnlab.tasks import Pool
from rnnlab.training.objective import Batch, LossGradient, Objective
from rnnlab.training.observing import observe
from rnnlab.training.options import Record, Training
from rnnlab.training.quantities import QUANTITIES
from rnnlab.training.quantities.quantity import (
    AtEveryStep,
    AtRecords,
    Moment,
    Quantity,
    Statistics,
)
from rnnlab.training.skipping import not_recorded, recorded_if, same_unless
from rnnlab.training.update import State, StepScalars, make_optimizer, no_update, update

EVALUATION_EXAMPLES = 256

ByQuantity = dict[str, Statistics]


class Streams(NamedTuple):
    """The independent random streams of a run.

    The stream of the evaluation set also decides which examples of a data set are held out for it.
    """

    init: Key[Array, ""]
    data: Key[Array, ""]
    evaluation: Key[Array, ""]


def random_streams(seed: int) -> Streams:
    """The streams of a seed: the same data in every setting."""
    return Streams(*jax.random.split(jax.random.key(seed), 3))


class Source(NamedTuple):
    """The source of a run's examples; see ``Program.advance``."""

    data: Key[Array, ""]
    evaluation: Batch
    pool: Pool | None


class Chunk(NamedTuple):
    """A record and the updates up to the next record; ``NOT_RECORDED`` where there was none.

    Attributes:
        records: statistics of each quantity that is measured at records;
            ``NOT_RECORDED`` where it is not due.
        updates: the scalars of every update.
        every_step: statistics of each quantity that is measured at every step.
    """

    records: ByQuantity
    updates: StepScalars
    every_step: ByQuantity


@dataclass(frozen=True)
class Program:
    """Training and recording as one program, compiled once for all runs that share both.

    Attributes:
        objective: with a cell whose options for initial parameters are at their defaults
            (``cell.dynamics()``), so that runs which differ only in those share a program.
        training: how to train; its learning rate is not read, see ``start``.
        record: what to record.
        longest_chunk: the largest number of updates between two points where a run can be stopped.
        quantities: the quantities that runs may record.
    """

    objective: Objective
    training: Training
    record: Record
    longest_chunk: int = 100
    quantities: tuple[Quantity, ...] = field(default_factory=lambda: tuple(QUANTITIES.values()))

    @property
    def recorded(self) -> list[Quantity]:
        """The quantities that these runs record."""
        return [q for q in self.quantities if q.is_wanted(self.record)]

    @property
    def _at_records(self) -> list[AtRecords]:
        return [q for q in self.recorded if isinstance(q, AtRecords)]

    @property
    def _at_every_step(self) -> list[AtEveryStep]:
        return [q for q in self.recorded if isinstance(q, AtEveryStep)]

    @property
    def optimizer(self) -> optax.GradientTransformation:
        """The optimiser of ``make_optimizer`` at a learning rate of 1, as ``update`` needs it."""
        return make_optimizer(self.training.model_copy(update={"learning_rate": 1.0}))

    @property
    def chunk_length(self) -> int:
        """The largest number of updates in a chunk."""
        return min(self.record.every, self.longest_chunk)

    def chunk_bounds(self) -> list[tuple[int, int]]:
        """(first step, end step, exclusive) of each chunk; the last chunk only records."""
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
        return self._is_due(self.record.every, step)

    def is_due(self, quantity: Quantity, step: Any) -> Any:
        """Whether a quantity is measured at this step, given that the step has a record."""
        return self._is_due(quantity.own_every(self.record) or self.record.every, step)

    def records_rare_at(self, step: int) -> bool:
        """Whether a record at this step has quantities that not every record has."""
        rare = (q for q in self._at_records if q.own_every(self.record) is not None)
        return any(self.is_due(quantity, step) for quantity in rare)

    def _is_due(self, every: int, step: Any) -> Any:
        return (step % every == 0) | (step == self.training.steps)

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
            state: the state at the step where the first chunk starts.
            data: the key of the training data.
            evaluation: the fixed evaluation set.
            bounds: see ``chunk_bounds``; a chunk with a negative start is skipped, as is every
                chunk after the run has diverged.
            pool: the pool of the data set, if the task has one; see ``Objective.pool``.

        Returns:
            The state after the last chunk, and everything reported, with a leading chunk axis;
            skipped chunks hold ``NOT_RECORDED``.
        """
        chunk = functools.partial(self._chunk, Source(data, evaluation, pool))

        def body(state: State, bound: Array) -> tuple[State, Chunk]:
            wanted = (bound[0] >= 0) & ~state.diverged
            return same_unless(wanted, chunk, state, bound[0], bound[1])

        return lax.scan(body, state, bounds)

    def _chunk(
        self, source: Source, state: State, start: Array, stop: Array
    ) -> tuple[State, Chunk]:
        """Make a record at step ``start`` if one is due, and the updates from there to ``stop``."""
        step = functools.partial(self._step, source)

        def body(state: State, at: Array) -> tuple[State, tuple[StepScalars, ByQuantity]]:
            return same_unless((at < stop) & ~state.diverged, step, state, at)

        loss_gradient, records, every_step = self._record(source, state.params, start)
        updated = functools.partial(update, self.optimizer)
        new_state, first = lax.cond(start < stop, updated, no_update, state, loss_gradient)
        later = start + 1 + jnp.arange(self.chunk_length - 1)
        new_state, rest = lax.scan(body, new_state, later)
        updates, every_step = jax.tree.map(
            lambda a, b: jnp.concatenate([a[None], b]), (first, every_step), rest
        )
        return new_state, Chunk(records, updates, every_step)

    def _step(
        self, source: Source, state: State, step: Array
    ) -> tuple[State, tuple[StepScalars, ByQuantity]]:
        """Make an update without a record."""
        batch = self.batch(source.data, step, source.pool)
        loss_gradient, every_step = self.plain_step(state.params, batch, source.evaluation)
        state, scalars = update(self.optimizer, state, loss_gradient)
        return state, (scalars, every_step)

    def _record(
        self, source: Source, params: Any, step: Array
    ) -> tuple[LossGradient, ByQuantity, ByQuantity]:
        """Run ``record_step``; where none is due, ``plain_step``."""
        batch = self.batch(source.data, step, source.pool)
        record = functools.partial(self.record_step, evaluation=source.evaluation, step=step)

        def plain(params: Any, batch: Batch) -> tuple[LossGradient, ByQuantity, ByQuantity]:
            loss_gradient, every_step = self.plain_step(params, batch, source.evaluation)
            shapes = jax.eval_shape(record, params, batch)[1]
            return loss_gradient, not_recorded(shapes), every_step

        if self.chunk_length == self.record.every:
            return record(params, batch)
        return lax.cond(self.records_at(step), record, plain, params, batch)

    def batch(self, data: Key[Array, ""], step: Array, pool: Pool | None = None) -> Batch:
        """Draw the examples of update step + 1."""
        return self.objective.sample(jax.random.fold_in(data, step), self.training.batch, pool)

    def record_step(
        self, params: Any, batch: Batch, evaluation: Batch, step: Array
    ) -> tuple[LossGradient, ByQuantity, ByQuantity]:
        """The loss's gradient, and the statistics of quantities at a record and at every step."""
        at = (params, batch, evaluation)
        loss_gradient, moment = observe(self.objective, self.record, *at, is_record=True)
        records = {q.name: self._if_due(q, moment, step) for q in self._at_records}
        return loss_gradient, records, self._of_step(moment)

    def plain_step(
        self, params: Any, batch: Batch, evaluation: Batch
    ) -> tuple[LossGradient, ByQuantity]:
        """The loss's gradient, and the statistics of quantities at every step."""
        if not self._at_every_step:
            return self.objective.gradient(params, batch), {}
        at = (params, batch, evaluation)
        loss_gradient, moment = observe(self.objective, self.record, *at, is_record=False)
        return loss_gradient, self._of_step(moment)

    def _if_due(self, quantity: AtRecords, moment: Moment, step: Array) -> Statistics:
        if quantity.own_every(self.record) is None:
            return quantity.measure(moment)
        return recorded_if(self.is_due(quantity, step), lambda: quantity.measure(moment))

    def _of_step(self, moment: Moment) -> ByQuantity:
        return {q.name: q.measure(moment) for q in self._at_every_step}
