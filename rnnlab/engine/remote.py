"""The code that runs in a worker of a Dask cluster."""

import contextlib
import pickle
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from distributed import Event, Queue, get_worker

from rnnlab.config.sweep import unpack
from rnnlab.engine.messages import Message
from rnnlab.engine.work import work
from rnnlab.support.compiled_code import keep_compiled_code
from rnnlab.support.errors import UserError
from rnnlab.support.platforms import check_jax
from rnnlab.support.threads import limit_threads
from rnnlab.support.version import RESULTS_VERSION, __version__

VERSION = (__version__, RESULTS_VERSION)

# One run at a time in a process, whatever its number of threads: when a process dies, it is known
# which run was in progress.
_one_at_a_time = threading.Lock()


SECONDS_TO_WAIT = 5.0


class Abandoned(Exception):
    """The group has been begun before, and its worker has died."""


class PackedGroup(NamedTuple):
    """A group of runs, and how a worker is to do them, as plain data.

    Attributes:
        version: versions of rnnlab and of the results format.
        number: identifies the group in messages.
        runs: see ``Run.packed``.
        checkpoints: states of the runs that have begun, by id.
        checkpoint_every: seconds between two checkpoints of a run.
        threads: number of CPU threads for XLA.
        queue: name of the queue for messages.
        stop: name of the event that tells workers to stop.
    """

    version: tuple[str, int]
    number: int
    runs: list[dict[str, Any]]
    checkpoints: dict[str, bytes]
    checkpoint_every: float
    threads: int
    queue: str
    stop: str


def do(group: PackedGroup) -> None:
    """Do the runs of a group.

    Raises:
        UserError: this worker has another rnnlab, or JAX does not start there.
        Abandoned: the scheduler has moved a group from a dead worker here; ``Dispatch`` does that.
    """
    worker = get_worker().address
    if tuple(group.version) != VERSION:
        raise UserError(
            f"worker {worker} has rnnlab {VERSION[0]} (results format {VERSION[1]}), the sweep "
            f"{group.version[0]} ({group.version[1]}): install the same on all machines"
        )
    limit_threads(group.threads)
    keep_compiled_code(group.threads)
    check_jax()
    queue, stop = Queue(group.queue), Event(group.stop)
    begun = Event(f"{group.queue}-{group.number}")
    if begun.is_set():
        raise Abandoned
    begun.set()
    is_dropped = _is_dropped()

    def send(messages: list[Message]) -> None:
        content = pickle.dumps((group.number, messages))
        while not is_dropped():
            with contextlib.suppress(TimeoutError):
                queue.put(content, timeout=SECONDS_TO_WAIT)
                return

    with _one_at_a_time:
        runs = [unpack(packed) for packed in group.runs]
        work(
            runs,
            group.checkpoints,
            group.checkpoint_every,
            worker,
            send,
            lambda: is_dropped() or stop.is_set(),
        )


def _is_dropped() -> Callable[[], bool]:
    """Returns a function that tells whether the present group has been cancelled.

    The public alternative, ``WorkerPlugin.transition``, reports the same states; Dask promises to
    keep neither of them.
    """
    worker = get_worker()
    task = worker.state.tasks[worker.get_current_task()]
    return lambda: task.state != "executing"
