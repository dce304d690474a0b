"""How long an experiment would take, from a few timed steps of each of its programs."""

import heapq
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rnnlab.engine.execution import Execution, precision_of, program_of
from rnnlab.engine.groups import make_groups
from rnnlab.sweep import Run
from rnnlab.threads import limit_threads
from rnnlab.training import Program

TIMED_UPDATES = 20
# Each time is the least of as many as this takes, and of three: the machine may do other things.
SECONDS_EACH = 0.5


class Cost(NamedTuple):
    """Seconds that a program takes to compile, and a run of it to run."""

    compiling: float
    running: float


FAILS = Cost(0.0, 0.0)


def probe(runs: Sequence[Run], threads: int, tell: Callable[[str], None]) -> dict[Program, Cost]:
    """Time each program of these runs on this machine, on one of its runs.

    Args:
        runs: what is to be done.
        threads: that XLA computes on.
        tell: called before each program, and of one that fails.
    """
    limit_threads(threads)
    first = {program_of(run.settings): run for run in reversed(runs)}
    costs = {}
    for number, (program, run) in enumerate(first.items(), 1):
        tell(f"timing a few steps: program {number} of {len(first)}")
        try:
            costs[program] = _time(run)
        except Exception as error:
            tell(f"it fails, and so will its runs: {type(error).__name__}: {error}")
            costs[program] = FAILS
    return costs


def _time(run: Run) -> Cost:
    """By calls with a record and one update, and with a record and some updates."""
    with precision_of(run):
        started = time.perf_counter()
        execution = Execution(run)
        program = execution.program
        steps, every = program.training.steps, program.record.every
        updates = min(TIMED_UPDATES, program.chunk_length, steps)
        execution.try_updates(updates)
        cold = time.perf_counter() - started
        setting_up = _least(lambda: Execution(run))
        # The record at step 0 has Jacobians if any has; the next one may have none.
        few = min(updates, 1)
        first = _least(lambda: execution.try_updates(few))
        one = _least(lambda: execution.try_updates(few, start=every))
        more = _least(lambda: execution.try_updates(updates, start=every)) if updates > 1 else one
    update = max(more - one, 0.0) / max(updates - 1, 1)
    records, with_jacobians = _records(program)
    running = 2 * setting_up + steps * update
    running += records * max(one - update, 0.0) + with_jacobians * max(first - one, 0.0)
    return Cost(max(cold - setting_up - more, 0.0), running)


def _records(program: Program) -> tuple[int, int]:
    """How many a run makes, and how many of them have Jacobians."""
    steps = [start for start, _ in program.chunk_bounds() if program.records_at(start)]
    return len(steps), sum(bool(program.records_jacobians_at(step)) for step in steps)


def _least(call: Callable[[], object]) -> float:
    """Seconds of a call."""
    took: list[float] = []
    while len(took) < 3 or sum(took) < SECONDS_EACH:
        started = time.perf_counter()
        call()
        took.append(time.perf_counter() - started)
    return min(took)


def seconds_in_all(runs: Sequence[Run], costs: dict[Program, Cost], workers: int) -> float:
    """When the last of the workers would be done, taking groups in turn."""
    free_at = [(0.0, index) for index in range(max(workers, 1))]
    compiled: set[tuple[int, Program]] = set()
    for group in make_groups(runs, workers):
        program = program_of(group.runs[0].settings)
        begin, worker = heapq.heappop(free_at)
        is_new = (worker, program) not in compiled
        compiled.add((worker, program))
        cost = costs[program]
        end = begin + cost.compiling * is_new + cost.running * len(group.runs)
        heapq.heappush(free_at, (end, worker))
    return max(end for end, _ in free_at)
