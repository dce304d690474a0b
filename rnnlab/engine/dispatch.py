"""Submits groups of runs to a Dask cluster, and copes with workers that die."""

import contextlib
import itertools
import pickle
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from distributed import Client, Event, Future, KilledWorker, Queue

from rnnlab.config.sweep import Run
from rnnlab.engine.groups import Group
from rnnlab.engine.interrupt import Stop
from rnnlab.engine.ledger import Ledger
from rnnlab.engine.messages import Ended, Message, Reached, Started
from rnnlab.engine.remote import VERSION, Abandoned, PackedGroup, do
from rnnlab.engine.work import failure
from rnnlab.support.errors import UserError

MOST_DEATHS = 3
SECONDS_BETWEEN_LOOKS = 0.05
SECONDS_BETWEEN_REVIVALS = 5.0
# Messages that wait at the scheduler: more, and workers wait, so that its memory is bounded.
LONGEST_QUEUE = 64


@dataclass
class Submitted:
    """A group on the cluster, and which of its runs are in progress: several on an accelerator."""

    future: Future
    runs: list[Run]
    in_progress: set[str] = field(default_factory=set)


@dataclass
class Deaths:
    """A count of the deaths of a run's process without progress between them, and the step."""

    count: int = 0
    step: int = -1


class SchedulerLost(Exception):
    """The scheduler no longer knows the groups that were submitted."""


class Dispatch:
    """Submits groups, receives the workers' messages, and submits the runs of dead workers again.

    A run that is in progress when its process dies is tried again, by itself. After three deaths
    without progress, alone in its process, it counts as failed; the other runs of its group do not.
    """

    def __init__(
        self, client: Client, ledger: Ledger, checkpoint_every: float, threads: int
    ) -> None:
        self.client, self.ledger = client, ledger
        self.checkpoint_every, self.threads = checkpoint_every, threads
        name = f"rnnlab-{uuid.uuid4().hex}"
        self.queue = Queue(name, client=client, maxsize=LONGEST_QUEUE)
        self.stop = Event(f"{name}-stop", client=client)
        self.asked = Stop()
        self.numbers = itertools.count()
        self.submitted: dict[int, Submitted] = {}
        self.deaths: dict[str, Deaths] = {}
        self.steps: dict[str, int] = {}
        self.early_deaths = 0
        self.revived = time.monotonic()

    def run(self, groups: Iterable[Group], stop: Stop, revive: Callable[[], None]) -> None:
        """Have all groups done; when asked to stop, return with the runs in progress stored.

        Args:
            groups: to be done.
            stop: whether to leave.
            revive: called now and then to replace workers that are lost.

        Raises:
            SchedulerLost: a group is neither done nor failed.
            UserError: workers cannot work, or the folder cannot be written.
            Exception: raised by Dask when it has lost the scheduler.
        """
        self.asked = stop
        try:
            for group in groups:
                self._submit(group.runs)
            self._attend(stop, revive)
            while self._listen():
                pass
        finally:
            self._clear_away()

    def _attend(self, stop: Stop, revive: Callable[[], None]) -> None:
        while self.submitted:
            if stop.wanted:
                self._leave()
            elif time.monotonic() - self.revived > SECONDS_BETWEEN_REVIVALS:
                self.revived = time.monotonic()
                revive()
            self._listen()
            for number in [n for n, s in self.submitted.items() if s.future.done()]:
                self._done(number, stop.wanted)

    def _clear_away(self) -> None:
        """Remove the queue and the groups from the scheduler, which others may use."""
        with contextlib.suppress(Exception):
            self.stop.set()
            for submitted in self.submitted.values():
                submitted.future.cancel()
            self.queue.close()

    def _submit(self, runs: list[Run]) -> None:
        if not runs:
            return
        group = PackedGroup(
            version=VERSION,
            number=next(self.numbers),
            runs=[run.packed() for run in runs],
            checkpoints=self.ledger.store.checkpoints.read(run.id for run in runs),
            checkpoint_every=self.checkpoint_every,
            threads=self.threads,
            queue=self.queue.name,
            stop=self.stop.name,
        )
        key = f"{self.queue.name}-{group.number}"
        future = self.client.submit(do, group, key=key, pure=False)
        self.submitted[group.number] = Submitted(future, runs)

    def _leave(self) -> None:
        """Tell workers to leave, and forget groups that none has begun."""
        self.stop.set()
        self._listen()
        for number in [n for n, s in self.submitted.items() if not s.in_progress]:
            self.submitted.pop(number).future.cancel()

    def _listen(self) -> bool:
        """Receive all messages; if there is none, wait a moment."""
        received = self.queue.get(batch=True)
        with self.asked.storing():
            for content in received:
                number, messages = pickle.loads(content)
                for message in messages:
                    self._take(self.submitted.get(number), message)
        if not received:
            self.ledger.live.update()
            time.sleep(SECONDS_BETWEEN_LOOKS)
        return bool(received)

    def _take(self, submitted: Submitted | None, message: Message) -> None:
        if submitted is not None and isinstance(message, Started):
            submitted.in_progress.add(message.run)
            self.early_deaths = 0
        elif submitted is not None and isinstance(message, Ended):
            submitted.in_progress.discard(message.run)
        elif isinstance(message, Reached):
            self.steps[message.run] = message.step
        self.ledger.take(message)

    def _done(self, number: int, is_leaving: bool) -> None:
        """React to a group that is no longer in progress."""
        future = self.submitted[number].future
        self._listen()
        submitted = self.submitted.pop(number)
        error = future.exception() if future.status == "error" else None
        if isinstance(error, (KilledWorker, Abandoned, OSError)):
            self._died(submitted, is_leaving)
        elif isinstance(error, UserError):
            raise error
        elif error is not None:
            raise UserError(f"a worker cannot work: {type(error).__name__}: {error}")
        elif future.status == "lost":  # it was done, by a worker that has died since
            self._submit([run for run in submitted.runs if run.id in self.ledger.open])
        elif future.status != "finished":
            raise SchedulerLost(future.status)

    def _died(self, submitted: Submitted, is_leaving: bool) -> None:
        """Submit the runs of a dead worker again: each that was in progress by itself."""
        suspects = submitted.in_progress
        if len(suspects) == 1:
            self._blame(*suspects)
        elif not suspects:
            self.early_deaths += 1
            if self.early_deaths > MOST_DEATHS:
                raise UserError("workers die before they begin a run: see what they print")
        if not is_leaving:
            remaining = [run for run in submitted.runs if run.id in self.ledger.open]
            for run in remaining:
                if run.id in suspects:
                    self._submit([run])
            self._submit([run for run in remaining if run.id not in suspects])

    def _blame(self, run_id: str) -> None:
        """Count a death of the process in which this run was in progress."""
        deaths = self.deaths.setdefault(run_id, Deaths())
        step = self.steps.get(run_id, 0)
        deaths.count = deaths.count + 1 if step <= deaths.step else 1
        deaths.step = max(deaths.step, step)
        if deaths.count >= MOST_DEATHS and run_id in self.ledger.open:
            run = self.ledger.open[run_id]
            self.ledger.take(failure(run, f"WorkerDied: {DIED.format(step=step)}", ADVICE))


DIED = (
    "the worker process died three times at the same place, after step {step}; a process that "
    "takes more memory than there is ends like that"
)
ADVICE = """\
There is no traceback, since the process that did this run was ended from outside, each time while
this run was in progress: by the system or by Dask for want of memory, or by a crash in compiled
code. Fewer workers leave each of them more memory (--workers 1, or workers=1 in Python); a smaller
training.batch, task.length or cell.hidden takes less.
"""
