"""Which runs are handed to a worker together."""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import jax

from rnnlab.config.sweep import Run
from rnnlab.engine.execution import operations_per_update, program_of
from rnnlab.tasks import DataTask, Task
from rnnlab.training.program import Program

GROUPS_PER_WORKER = 4
LARGEST_GROUP = 64
# Setting up, recording before the first update, and storing.
OPERATIONS_PER_RUN = 2e9
# Singular values and eigenvalues of all paths of ∂c_t/∂c_{t−1}, times n³ for n units.
OPERATIONS_PER_JACOBIAN = 1500.0


class Group(NamedTuple):
    """Runs of one compiled program, and what they cost, in floating-point operations."""

    runs: list[Run]
    cost: float


def make_groups(runs: Sequence[Run], workers: int, side_by_side: bool = False) -> list[Group]:
    """Runs that share a program, in pieces, the most costly first.

    Pieces are small enough to keep every worker busy to the end, and no smaller, so that where
    there are many programs each is compiled by one worker; where the runs of one are done side by
    side, they are as large as can be.
    """
    per_worker = 1 if side_by_side else GROUPS_PER_WORKER
    share = sum(map(cost, runs)) / (per_worker * max(workers, 1))
    by_program: dict[Program, list[Run]] = {}
    for run in runs:
        by_program.setdefault(program_of(run.settings), []).append(run)
    groups = []
    for sharing in by_program.values():
        wanted = math.ceil(sum(map(cost, sharing)) / share)
        size = min(math.ceil(len(sharing) / wanted), LARGEST_GROUP)
        pieces = [sharing[i : i + size] for i in range(0, len(sharing), size)]
        groups += [Group(piece, float(sum(map(cost, piece)))) for piece in pieces]
    return sorted(groups, key=lambda group: -group.cost)


def cost(run: Run) -> float:
    """Floating-point operations of a run, about."""
    program, length = program_of(run.settings), _length(run.settings.task)
    record, steps, cell = program.record, program.training.steps, program.objective.cell
    operations = OPERATIONS_PER_RUN + (steps + 1) * operations_per_update(program, length)
    if record.jacobians is not None:
        records = steps // record.jacobians.every + 1
        decomposed = records * record.jacobians.examples * length * cell.layers
        operations += decomposed * OPERATIONS_PER_JACOBIAN * cell.hidden**3
    return operations


def bytes_of(run: Run) -> int:
    """What a run takes, about: ten arrays of (time, batch, hidden) a layer, and its data set.

    A process keeps a data set as its file, as NumPy arrays, and as JAX arrays.
    """
    cell, training = run.settings.cell, run.settings.training
    width = 8 if training.precision == "float64" else 4
    examples = max(training.batch, run.settings.record.examples)
    task = run.settings.task
    data_set = 3 * task.data.nbytes if isinstance(task, DataTask) else 0
    return 10 * width * _length(task) * examples * cell.hidden * cell.layers + data_set


@functools.cache
def _length(task: Task) -> int:
    """Time steps of an example; 1 where a task of the user's own does not tell."""
    if isinstance(task, DataTask):
        return task.steps
    try:
        inputs, _ = jax.eval_shape(lambda: task.sample(jax.random.key(0)))
        return int(inputs.shape[0])
    except Exception:
        return 1
