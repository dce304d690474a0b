"""Groups: runs that share a compiled program and are handed to a worker together."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from rnnlab.cells.state import state_size
from rnnlab.config.sweep import Run
from rnnlab.engine.programs import length_of, operations_of, program_of
from rnnlab.tasks import DataTask
from rnnlab.training.program import Program

GROUPS_PER_WORKER = 4
LARGEST_GROUP = 64


class Group(NamedTuple):
    """Runs of one compiled program, and how many operations they take; see ``programs``."""

    runs: list[Run]
    operations: float


def make_groups(runs: Sequence[Run], workers: int, side_by_side: bool = False) -> list[Group]:
    """Divide runs into groups that share a program, the most costly first.

    Groups are small enough to keep every worker busy to the end, and no smaller: where there are
    many programs, each is compiled by one worker.

    Args:
        runs: to be divided.
        workers: that will do them.
        side_by_side: whether a worker does the runs of a group at the same time; groups are then
            as large as possible.
    """
    per_worker = 1 if side_by_side else GROUPS_PER_WORKER
    share = sum(map(operations_of, runs)) / (per_worker * max(workers, 1))
    by_program: dict[Program, list[Run]] = {}
    for run in runs:
        by_program.setdefault(program_of(run.settings), []).append(run)
    groups = []
    for sharing in by_program.values():
        wanted = math.ceil(sum(map(operations_of, sharing)) / share)
        size = min(math.ceil(len(sharing) / wanted), LARGEST_GROUP)
        pieces = [sharing[i : i + size] for i in range(0, len(sharing), size)]
        groups += [Group(piece, sum(map(operations_of, piece))) for piece in pieces]
    return sorted(groups, key=lambda group: -group.operations)


def bytes_of(run: Run) -> int:
    """About how much memory a run takes: ten arrays (time, batch, units) a layer, and its data.

    A process keeps a data set as its file, as NumPy arrays, and as JAX arrays.
    """
    cell, training = run.settings.cell, run.settings.training
    width = 8 if training.precision == "float64" else 4
    examples = max(training.batch, run.settings.record.examples)
    task = run.settings.task
    data_set = 3 * task.data.nbytes if isinstance(task, DataTask) else 0
    units = max(cell.hidden, state_size(cell) // 2)
    return 10 * width * length_of(task) * examples * units * cell.layers + data_set
