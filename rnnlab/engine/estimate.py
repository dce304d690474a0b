"""An estimate of the time that an experiment takes, from a timed part of one of its runs."""

import heapq
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rnnlab.config.sweep import Run
from rnnlab.engine.execution import Execution
from rnnlab.engine.groups import make_groups
from rnnlab.engine.programs import (
    operations_of,
    operations_of_chunks,
    program_of,
    settings_of,
)
from rnnlab.support.platforms import check_jax
from rnnlab.support.threads import limit_threads
from rnnlab.support.user_code import described
from rnnlab.training.program import Program

# The time of a call is the least of at least two, and of as many as this takes: the machine may do
# other things.
SECONDS_OF_CALLS = 1.0


@dataclass
class Pace:
    """The speed of this machine.

    Attributes:
        compiling: seconds for a program.
        per_operation: seconds; see ``programs``.
        failing: programs that cannot be run.
    """

    compiling: float = 0.0
    per_operation: float = 0.0
    failing: set[Program] = field(default_factory=set)

    def seconds(self, run: Run) -> float:
        """The time of a run without compiling; 0 if it fails."""
        fails = program_of(run.settings) in self.failing
        return 0.0 if fails else self.per_operation * operations_of(run)


def measure_pace(runs: Sequence[Run], threads: int, tell: Callable[[str], None]) -> Pace:
    """Time a call of the most costly of these runs; if that fails, of the next program's.

    Args:
        runs: to be done.
        threads: number of CPU threads for XLA.
        tell: called before each attempt, and after one that fails.
    """
    limit_threads(threads)
    check_jax()
    pace = Pace()
    for group in make_groups(runs, 1):
        run = group.runs[0]
        program = program_of(run.settings)
        if program in pace.failing:
            continue
        tell("timing a few steps")
        try:
            pace.compiling, pace.per_operation = _time(run)
            break
        except Exception as error:
            tell(f"it fails, and so will its runs: {described(error)}")
            pace.failing.add(program)
    return pace


def _time(run: Run) -> tuple[float, float]:
    """Seconds to compile, and seconds per operation, from a call in the middle of the run."""
    with settings_of(run):
        started = time.perf_counter()
        execution = Execution(run)
        call = execution.calls[(len(execution.calls) - 1) // 2]
        execution.try_call(call)
        cold = time.perf_counter() - started
        warm = _least(lambda: execution.try_call(call))
    operations = operations_of_chunks(execution.program, call)
    return max(cold - warm, 0.0), warm / operations


def _least(call: Callable[[], object]) -> float:
    """The least time of a few calls, in seconds."""
    took: list[float] = []
    while len(took) < 2 or sum(took) < SECONDS_OF_CALLS:
        started = time.perf_counter()
        call()
        took.append(time.perf_counter() - started)
    return min(took)


def seconds_in_all(runs: Sequence[Run], pace: Pace, workers: int) -> float:
    """The time until the last worker is done, if free workers take groups in turn."""
    free_at = [(0.0, index) for index in range(max(workers, 1))]
    compiled: set[tuple[int, Program]] = set()
    for group in make_groups(runs, workers):
        program = program_of(group.runs[0].settings)
        begin, worker = heapq.heappop(free_at)
        compiles = (worker, program) not in compiled and program not in pace.failing
        compiled.add((worker, program))
        end = begin + pace.compiling * compiles + sum(map(pace.seconds, group.runs))
        heapq.heappush(free_at, (end, worker))
    return max(end for end, _ in free_at)
