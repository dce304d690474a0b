"""The runs of a group, wherever that is; each is sent the moment it ends."""

import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import jax

from rnnlab.config.sweep import Run
from rnnlab.engine.execution import Execution, execute, execute_together
from rnnlab.engine.messages import Ended, Message, Reached, Saved, Started
from rnnlab.engine.output import RunOutput
from rnnlab.support.environment import environment
from rnnlab.support.version import RESULTS_VERSION

SECONDS_BETWEEN_REPORTS = 0.5
# A checkpoint may take this share of a run's time.
LARGEST_SHARE = 0.05

Send = Callable[[list[Message]], None]


class Stopped(BaseException):
    """The run has been stored and left where it is."""


class GroupFailed(Exception):
    """One of several runs failed, or they do not fit in memory together: try half as many."""


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
    """Do runs; each begins with a message and ends with one.

    Args:
        runs: what to do.
        checkpoints: of those that have begun, by id.
        checkpoint_every: seconds from one checkpoint to the next.
        worker: the name of this process.
        send: takes messages.
        should_stop: whether to store what is in progress and leave.

    Raises:
        Exception: what ``send`` raises.
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
    """What is done side by side: on an accelerator all that has not begun, else each by itself.

    A CPU does not gain: small products of matrices are slower there when mapped over runs.
    """
    if not is_accelerated():
        return [[run] for run in runs]
    begun = [[run] for run in runs if run.id in checkpoints]
    others = [run for run in runs if run.id not in checkpoints]
    return [*begun, others] if others else begun


def is_accelerated() -> bool:
    """Whether JAX computes on something other than a CPU."""
    return jax.default_backend() != "cpu"


def _attempt(group: Sequence[Run], reporter: "Reporter", checkpoint: bytes | None) -> list[Message]:
    """What there is to say when the runs have ended; nothing if they were stopped."""
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
    """Tells how far runs are, stores them now and then, and ends them when asked to."""

    def __init__(self, every: float, send: Send, should_stop: Callable[[], bool]) -> None:
        self.every, self.send, self.should_stop = every, send, should_stop
        self.reported = self.saved = time.monotonic()

    def __call__(self, *executions: Execution) -> None:
        """Called after each call of the compiled program."""
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
        """Say how far the runs are, store them if that is due, and tell whether to stop."""
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
