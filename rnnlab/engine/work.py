"""The runs of a group, one after another, wherever that is; each is sent the moment it ends."""

import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from rnnlab.engine.execution import Execution, execute
from rnnlab.engine.messages import Ended, Message, Reached, Saved, Started
from rnnlab.environment import environment
from rnnlab.sweep import Run
from rnnlab.version import RESULTS_VERSION

SECONDS_BETWEEN_REPORTS = 0.5
# A checkpoint may take this share of a run's time.
LARGEST_SHARE = 0.05

Send = Callable[[list[Message]], None]


class Stopped(BaseException):
    """The run has been stored and left where it is."""


class Unsent(BaseException):
    """What a run reports does not arrive, which is no fault of the run."""


def work(
    runs: Sequence[Run],
    checkpoints: dict[str, bytes],
    checkpoint_every: float,
    worker: str,
    send: Send,
    should_stop: Callable[[], bool],
) -> None:
    """Do runs in order; each begins with a message and ends with one.

    Args:
        runs: what to do.
        checkpoints: of those that have begun, by id.
        checkpoint_every: seconds from one checkpoint to the next.
        worker: the name of this process.
        send: takes messages.
        should_stop: whether to store the run in progress and leave.

    Raises:
        Exception: what ``send`` raises.
    """
    ended: list[Message] = []
    for run in runs:
        if should_stop():
            break
        send([*ended, Started(run.id, worker)])
        reporter = Reporter(run, checkpoint_every, send, should_stop)
        try:
            ended = _attempt(run, reporter, checkpoints.get(run.id))
        except Unsent as unsent:
            raise unsent.__cause__ or unsent from None
    send(ended)


def _attempt(run: Run, reporter: "Reporter", checkpoint: bytes | None) -> list[Message]:
    """What there is to say when the run has ended; nothing if it was stopped."""
    try:
        output = execute(run, reporter, checkpoint)
    except Stopped:
        return []
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        return [failure(run, reason, traceback.format_exc(), environment())]
    head = head_of(run) | {
        "environment": environment(),
        "status": output.status,
        "promise": promise(output.environments),
        "summary": output.summary,
    }
    return [Ended(run.id, head, output.files())]


def head_of(run: Run) -> dict[str, Any]:
    """What defines a run, as it is stored."""
    return {
        "id": run.id,
        "seed": run.seed,
        "results_version": RESULTS_VERSION,
        "settings": run.settings.resolved,
    }


def failure(
    run: Run, reason: str, details: str, environment: dict[str, Any] | None = None
) -> Ended:
    """How a run ends that did not reach its end.

    Args:
        run: that failed.
        reason: of which the first line is shown.
        details: the traceback.
        environment: where, if known.
    """
    head = head_of(run) | {
        "environment": environment or {},
        "status": "failed",
        "error": reason.splitlines()[0],
        "summary": {},
    }
    return Ended(run.id, head, {"error.txt": details.encode()})


def promise(environments: Sequence[dict[str, Any]]) -> str:
    """How far the same run, done again on these machines, may differ."""
    one = environments[0]
    is_exact = len(environments) == 1 and one["device"].startswith("cpu") and one["threads"] == 1
    return "bit for bit" if is_exact else "rounding"


class Reporter:
    """Tells how far a run is, stores it now and then, and ends it when asked to."""

    def __init__(self, run: Run, every: float, send: Send, should_stop: Callable[[], bool]) -> None:
        self.run, self.every, self.send, self.should_stop = run, every, send, should_stop
        self.reported = self.saved = time.monotonic()

    def __call__(self, execution: Execution) -> None:
        """Called after each call of the compiled program."""
        now = time.monotonic()
        if now - self.reported < SECONDS_BETWEEN_REPORTS or execution.is_over:
            return
        self.reported = now
        try:
            stops = self._report(execution)
        except Exception as error:
            raise Unsent from error
        if stops:
            raise Stopped

    def _report(self, execution: Execution) -> bool:
        """Say how far the run is, store it if that is due, and tell whether to stop."""
        begun = time.monotonic()
        messages: list[Message] = [Reached(self.run.id, execution.step, execution.loss)]
        stops = self.should_stop()
        is_due = stops or begun - self.saved >= self.every
        if is_due:
            messages.append(Saved(self.run.id, execution.checkpoint()))
        self.send(messages)
        if is_due:
            self.saved = time.monotonic()
            self.every = max(self.every, (self.saved - begun) / LARGEST_SHARE)
        return stops
