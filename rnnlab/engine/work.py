"""Does the runs of a group, in any process; each is sent when it ends."""

import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from rnnlab.config.sweep import Run
from rnnlab.engine.execution import Execution, execute, execute_together
from rnnlab.engine.messages import Ended, Message, Reached, Saved, Started
from rnnlab.engine.run_output import RunOutput
from rnnlab.support.environment import device, environment
from rnnlab.support.version import RESULTS_VERSION

SECONDS_BETWEEN_REPORTS = 0.5
# A checkpoint may take this share of a run's time.
LARGEST_SHARE = 0.05

Send = Callable[[list[Message]], None]


class Stopped(BaseException):
    """The run has been stopped, after its state was stored."""


class GroupFailed(Exception):
    """One of several runs failed, or they do not fit in memory together: try half as many."""


class Unsent(BaseException):
    """A message could not be sent, which is not the fault of the run."""


def work(
    runs: Sequence[Run],
    checkpoints: dict[str, bytes],
    checkpoint_every: float,
    worker: str,
    send: Send,
    should_stop: Callable[[], bool],
) -> None:
    """Do runs; a message is sent when each begins and when it ends.

    Args:
        runs: to be done.
        checkpoints: states of the runs that have begun, by id.
        checkpoint_every: seconds from one checkpoint to the next.
        worker: the name of this process.
        send: takes messages.
        should_stop: tells whether to store the runs in progress and stop.

    Raises:
        Exception: raised by ``send``.
    """
    ended: list[Message] = []
    groups = _side_by_side(runs, checkpoints)
    while groups and not should_stop():
        group = groups.pop(0)
        send([*ended, *(Started(run.id, worker) for run in group)])
        reporter = Reporter(checkpoint_every, send, should_stop)
        try:
            ended = _attempt(group, reporter, checkpoints.get(group[0].id))
        except Unsent as unsent:
            raise unsent.__cause__ or unsent from None
        except GroupFailed:
            middle = len(group) // 2
            groups[:0] = [group[:middle], group[middle:]]
            ended = []
    send(ended)


def _side_by_side(runs: Sequence[Run], checkpoints: dict[str, bytes]) -> list[list[Run]]:
    """Divide runs into those done at the same time: on an accelerator all that have not begun.

    On a CPU each is done by itself, since small matrix products are slower there under ``vmap``.
    """
    if not is_accelerated():
        return [[run] for run in runs]
    begun = [[run] for run in runs if run.id in checkpoints]
    others = [run for run in runs if run.id not in checkpoints]
    return [*begun, others] if others else begun


def is_accelerated() -> bool:
    """Whether JAX computes on something other than a CPU."""
    return bool(device().platform != "cpu")


def _attempt(group: Sequence[Run], reporter: "Reporter", checkpoint: bytes | None) -> list[Message]:
    """Do runs, and return the messages of their ends; none if they were stopped."""
    try:
        if len(group) == 1:
            return [_ended(group[0], execute(group[0], reporter, checkpoint))]
        return list(map(_ended, group, execute_together(group, reporter)))
    except Stopped:
        return []
    except Exception as error:
        if len(group) > 1:
            raise GroupFailed from error
        reason = f"{type(error).__name__}: {error}"
        return [failure(group[0], reason, traceback.format_exc(), environment())]


def _ended(run: Run, output: RunOutput) -> Ended:
    head = head_of(run) | {
        "environment": environment(),
        "status": output.status,
        "promise": promise(output.environments),
        "summary": output.summary,
    }
    return Ended(run.id, head, output.files())


def head_of(run: Run) -> dict[str, Any]:
    """The part of a stored run that defines it."""
    return {
        "id": run.id,
        "seed": run.seed,
        "results_version": RESULTS_VERSION,
        "settings": run.settings.resolved,
    }


def failure(
    run: Run, reason: str, details: str, environment: dict[str, Any] | None = None
) -> Ended:
    """The message that a run has failed.

    Args:
        run: that failed.
        reason: an error message; its first line is shown.
        details: the traceback.
        environment: of the process, if known.
    """
    head = head_of(run) | {
        "environment": environment or {},
        "status": "failed",
        "error": reason.splitlines()[0],
        "summary": {},
    }
    return Ended(run.id, head, {"error.txt": details.encode()})


def promise(environments: Sequence[dict[str, Any]]) -> str:
    """How exactly the same run, done again on these machines, repeats its numbers."""
    one = environments[0]
    is_exact = len(environments) == 1 and one["device"].startswith("cpu") and one["threads"] == 1
    return "bit for bit" if is_exact else "rounding"


class Reporter:
    """Reports the progress of runs, stores their states regularly, and stops them on request."""

    def __init__(self, every: float, send: Send, should_stop: Callable[[], bool]) -> None:
        self.every, self.send, self.should_stop = every, send, should_stop
        self.reported = self.saved = time.monotonic()

    def __call__(self, *executions: Execution) -> None:
        """Report, if it is time to; to be called after each call of the compiled program."""
        now = time.monotonic()
        is_over = all(execution.is_over for execution in executions)
        if now - self.reported < SECONDS_BETWEEN_REPORTS or is_over:
            return
        self.reported = now
        try:
            stops = self._report(executions)
        except Exception as error:
            raise Unsent from error
        if stops:
            raise Stopped

    def _report(self, executions: Sequence[Execution]) -> bool:
        """Send progress, and states if that is due; return whether to stop."""
        begun = time.monotonic()
        messages: list[Message] = [Reached(e.run.id, e.step, e.loss) for e in executions]
        stops = self.should_stop()
        is_due = stops or begun - self.saved >= self.every
        if is_due:
            messages += [Saved(e.run.id, e.checkpoint()) for e in executions]
        self.send(messages)
        if is_due:
            self.saved = time.monotonic()
            self.every = max(self.every, (self.saved - begun) / LARGEST_SHARE)
        return stops
