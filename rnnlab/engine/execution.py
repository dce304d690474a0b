"""Executes one run: its numbers depend on its settings and its seed only."""

import contextlib
import functools
import math
import time
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rnnlab.config.sweep import Run
from rnnlab.engine import checkpoint
from rnnlab.engine.programs import operations_of_update, program_of, settings_of
from rnnlab.engine.run_output import RunOutput, joined, make_output
from rnnlab.support.checksums import Damaged
from rnnlab.support.environment import environment
from rnnlab.tasks import Examples, Pool
from rnnlab.training.at_ends import measure_end
from rnnlab.training.objective import Batch, Objective
from rnnlab.training.program import EVALUATION_EXAMPLES, Chunk, Program, random_streams
from rnnlab.training.reported import last_step
from rnnlab.training.skipping import recorded
from rnnlab.training.update import State

# About half a second on one CPU core: how often progress is seen and Ctrl-C is heard.
OPERATIONS_PER_CALL = 2e10


class Execution:
    """A run as a sequence of calls of one compiled program; between two it can be stored.

    Attributes:
        step: the update reached.
        loss: the last finite training loss.
        is_over: whether the last call has been made.
        environments: of all processes that made calls.
        calls: the bounds of the chunks of each, see ``Program.chunk_bounds``; padded.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.program = program_of(run.settings)
        objective = Objective(run.settings.cell, run.settings.task)
        streams = random_streams(run.seed)
        evaluation = objective.evaluation_set(streams.evaluation, EVALUATION_EXAMPLES)
        self._pool = objective.pool(streams.evaluation)
        params = objective.init(streams.init)
        self._examples = (streams.data, evaluation)
        self._ends = [measure_end(self.program, params["cell"], evaluation, 0)]
        self._state = self.program.start(params, run.settings.training.learning_rate)
        self._advance = functools.partial(
            self.program.advance, data=streams.data, evaluation=evaluation, pool=self._pool
        )
        self.calls = _calls(self.program.chunk_bounds(), _chunks_per_call(self.program))
        self._seen: list[Chunk] = []
        self._position = 0
        self._started = time.monotonic()
        self.step, self.loss, self.is_over = 0, math.nan, False
        self.environments = [environment()]

    def advance(self) -> None:
        """Make the next call."""
        bounds = jnp.asarray(self.calls[self._position])
        self._take(*self._advance(self._state, bounds=bounds))

    def _take(self, state: State, chunks: Chunk) -> None:
        """Go on from what the next call returned."""
        self._state = state
        self._seen.append(recorded(chunks))
        self._position += 1
        self._look(self._seen[-1], self.calls[self._position - 1])

    @classmethod
    def advance_together(cls, executions: Sequence["Execution"]) -> None:
        """Make the next call of several runs of one program as one call, mapped over runs.

        They have been advanced together from their beginning; those that are over stay as they are.
        """
        running = [execution for execution in executions if not execution.is_over]
        bounds = jnp.asarray(running[0].calls[running[0]._position])
        of_runs = [(e._state, *e._examples, e._pool and e._pool.rows) for e in executions]
        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *of_runs)
        data_set = running[0]._pool and running[0]._pool.examples
        found = _advance_group(running[0].program, *stacked, data_set, bounds)
        for index, execution in enumerate(executions):
            if execution in running:
                execution._take(*jax.tree.map(itemgetter(index), found))

    def try_call(self, call: list[tuple[int, int]]) -> None:
        """Make a call whose results are discarded, to be timed."""
        state = jax.tree.map(jnp.copy, self._state)
        jax.block_until_ready(self._advance(state, bounds=jnp.asarray(call)))

    def _look(self, chunks: Chunk, call: list[tuple[int, int]]) -> None:
        updated = [start < stop for start, stop in call]
        losses = chunks.updates.loss[-len(call) :][updated]
        losses = losses[np.isfinite(losses)]
        self.step = max(stop for _, stop in call)
        self.loss = float(losses[-1]) if losses.size else self.loss
        self.is_over = self._position == len(self.calls) or bool(self._state.diverged)

    @property
    def seconds(self) -> float:
        """Time spent on the run so far, before it was resumed included."""
        return time.monotonic() - self._started

    def checkpoint(self) -> bytes:
        """The state of the run after at least one call, as bytes."""
        self._seen = [joined(self._seen)]
        return checkpoint.to_bytes(
            checkpoint.Checkpoint(
                self.run.id,
                self._position,
                self.seconds,
                self.environments,
                self._state,
                self._seen[0],
            )
        )

    def restore(self, content: bytes) -> None:
        """Go on from a checkpoint of this run.

        Raises:
            Damaged: it is not what was written, or not of this run.
        """
        bounds = jnp.asarray(self.calls[0])
        state, chunks = jax.eval_shape(self._advance, self._state, bounds=bounds)
        found = checkpoint.from_bytes(content, self.run.id, state, chunks)
        self._position, self._state, self._seen = found.position, found.state, [found.chunks]
        self._started -= found.seconds
        self.environments += [e for e in found.environments if e not in self.environments]
        self._look(found.chunks, self.calls[self._position - 1])

    def output(self) -> RunOutput:
        """The results of the run, once it is over."""
        chunks = joined(self._seen)
        end = last_step(self.program, chunks, bool(self._state.diverged))
        if end > 0:
            params, evaluation = self._state.params["cell"], self._examples[1]
            self._ends.append(measure_end(self.program, params, evaluation, end))
        output = make_output(self.program, self._state, chunks, self._ends, self.environments)
        output.summary["seconds"] = round(self.seconds, 3)
        return output


def execute(
    run: Run, report: Callable[[Execution], None], resume_from: bytes | None = None
) -> RunOutput:
    """Train one run.

    Args:
        run: to be trained.
        report: called after each call, about twice a second; may raise to end the run.
        resume_from: a checkpoint of the run; one that is damaged is not used.

    Returns:
        Its results; ``seconds`` in the summary include those before it was resumed.
    """
    with settings_of(run):
        execution = Execution(run)
        if resume_from is not None:
            with contextlib.suppress(Damaged):
                execution.restore(resume_from)
        while not execution.is_over:
            execution.advance()
            report(execution)
        return execution.output()


def execute_together(runs: Sequence[Run], report: Callable[..., None]) -> list[RunOutput]:
    """Train runs of one program at the same time; an accelerator needs little more than for one.

    Args:
        runs: to be trained.
        report: as for ``execute``, called with all runs.

    Returns:
        Results as of ``execute``; ``seconds`` are those of all runs together.
    """
    with settings_of(runs[0]):
        executions = [Execution(run) for run in runs]
        while not all(execution.is_over for execution in executions):
            Execution.advance_together(executions)
            report(*executions)
        return [execution.output() for execution in executions]


@functools.partial(jax.jit, static_argnums=0)
def _advance_group(
    program: Program,
    states: State,
    data: Any,
    evaluations: Batch,
    rows: Any,
    data_set: Examples | None,
    bounds: Any,
) -> tuple[State, Chunk]:
    """Advance runs under ``vmap``; each draws its own rows of the data set, if there is one."""

    def advance(state: State, data: Any, evaluation: Batch, rows: Any) -> tuple[State, Chunk]:
        pool = None if data_set is None else Pool(rows, data_set)
        return program.advance(state, data, evaluation, bounds, pool)

    return jax.vmap(advance)(states, data, evaluations, rows)


def _calls(bounds: list[tuple[int, int]], size: int) -> list[list[tuple[int, int]]]:
    """Chunk bounds in lists of equal length, padded with bounds that are skipped."""
    padding = [(-1, -1)] * (-len(bounds) % size)
    padded = bounds + padding
    return [padded[i : i + size] for i in range(0, len(padded), size)]


def _chunks_per_call(program: Program) -> int:
    chunk = operations_of_update(program) * program.chunk_length
    return max(1, min(int(OPERATIONS_PER_CALL / chunk), len(program.chunk_bounds())))
