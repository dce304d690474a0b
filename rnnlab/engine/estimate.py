"""How long an experiment would take, from a timed call of each of its programs."""

import heapq
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rnnlab.config.sweep import Run
from rnnlab.engine.execution import Execution, precision_of, program_of
from rnnlab.engine.groups import make_groups
from rnnlab.support.threads import limit_threads
from rnnlab.training.program import Program

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
    """By one of its calls, which are alike but for Jacobians, and by a record with and without."""
    with precision_of(run):
        started = time.perf_counter()
        execution = Execution(run)
        few = min(run.settings.training.steps, 1)
        execution.try_updates(few)
        cold = time.perf_counter() - started
        setting_up = _least(lambda: Execution(run))
        call = execution.calls[(len(execution.calls) - 1) // 2]
        of_call = _least(lambda: execution.try_call(call))
        # The record at step 0 has Jacobians if any has; the next one may have none.
        with_jacobians = _least(lambda: execution.try_updates(few))
        every = run.settings.record.every
        without = _least(lambda: execution.try_updates(few, start=every))
    program = execution.program
    chunks, jacobians = _count(program, program.chunk_bounds())
    chunks_of_call, jacobians_of_call = _count(program, call)
    calls = chunks / chunks_of_call
    missed = (jacobians - calls * jacobians_of_call) * max(with_jacobians - without, 0.0)
    # At the end of training the spectra are computed again.
    running = (1 + few) * setting_up + calls * of_call + missed
    return Cost(max(cold - setting_up - with_jacobians, 0.0), max(running, setting_up))


def _count(program: Program, bounds: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """How many chunks these are, and how many of their records have Jacobians."""
    starts = [start for start, _ in bounds if start >= 0]
    recorded = [start for start in starts if program.records_at(start)]
    return len(starts), sum(program.records_rare_at(step) for step in recorded)


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
