"""How far a sweep is: a live bar in a terminal, plain lines elsewhere."""

import math
import sys
import time
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from rnnlab.support.text import printable

SECONDS_BETWEEN_LINES = 15.0


@dataclass
class Active:
    """A run in progress."""

    label: str
    steps: int
    cost: float
    worker: str
    first_step: int | None
    step: int = 0
    loss: float = math.nan

    def work(self, steps: int) -> float:
        """The part of its cost that so many steps are."""
        return self.cost * steps / self.steps if self.steps else 0.0

    def __str__(self) -> str:
        return f"{self.label}: step {self.step}/{self.steps}, loss {_number(self.loss)}"


class Progress(AbstractContextManager["Progress"], ABC):
    """What the engine tells while it works; a context manager around all runs."""

    def __exit__(self, *error: object) -> None:
        """Nothing to clean up, unless a subclass has something."""

    def start(self, total: int, done: int, cost: float | None = None) -> None:
        """There are so many runs in all, so many of them stored; the cost of those that are not."""
        self.total, self.done, self.active = total, done, dict[str, Active]()
        self.cost = float(total - done) if cost is None else cost
        self.work_done = self.work_here = 0.0
        self.first_sign: tuple[float, float] | None = None
        self._show_start()

    def run_started(
        self,
        run_id: str,
        label: str,
        steps: int,
        cost: float = 1.0,
        worker: str = "",
        *,
        resumed: bool = False,
    ) -> None:
        """A run begins, or goes on from a checkpoint."""
        self.active[run_id] = Active(label, steps, cost, worker, None if resumed else 0)
        self._show_run(self.active[run_id])

    def step(self, run_id: str, step: int, loss: float) -> None:
        """The run has made so many updates, and this was its last training loss."""
        run = self.active[run_id]
        run.step, run.loss = step, loss
        run.first_step = step if run.first_step is None else run.first_step
        self._note_first_sign()
        self._show_step(run)

    def run_ended(self, run_id: str, status: str, reason: str) -> None:
        """The run is stored: finished, diverged, or failed for a reason."""
        run = self.active.pop(run_id)
        self.done += 1
        self.work_done += run.cost
        self.work_here += run.cost - run.work(run.first_step or 0)
        self._note_first_sign()
        self._show_end(run, status, reason)

    def seconds_left(self) -> float | None:
        """By the pace since the first sign of work, which starting and compiling come before.

        None until there is some.
        """
        if self.first_sign is None:
            return None
        begun, before = self.first_sign
        work = self._work_since_start() - before
        left = self.cost - self.work_done - sum(run.work(run.step) for run in self.active.values())
        return (time.monotonic() - begun) / work * max(left, 0.0) if work else None

    def _work_since_start(self) -> float:
        active = self.active.values()
        return self.work_here + sum(run.work(run.step - (run.first_step or 0)) for run in active)

    def _note_first_sign(self) -> None:
        if self.first_sign is None:
            self.first_sign = time.monotonic(), self._work_since_start()

    def snapshot(self) -> dict[str, Any]:
        """All of it as plain data."""
        running = [
            {
                "id": run_id,
                "label": run.label,
                "worker": run.worker,
                "step": run.step,
                "steps": run.steps,
                "loss": run.loss if math.isfinite(run.loss) else None,
            }
            for run_id, run in self.active.items()
        ]
        left = self.seconds_left()
        return {"total": self.total, "done": self.done, "seconds_left": left, "running": running}

    def _time_left(self) -> str:
        return minutes(self.seconds_left())

    @abstractmethod
    def say(self, text: str) -> None:
        """Show a line."""

    @abstractmethod
    def _show_start(self) -> None: ...
    @abstractmethod
    def _show_run(self, run: Active) -> None: ...
    @abstractmethod
    def _show_step(self, run: Active) -> None: ...
    @abstractmethod
    def _show_end(self, run: Active, status: str, reason: str) -> None: ...


class PlainLines(Progress):
    """A line for each run, and now and then one in between."""

    def say(self, text: str) -> None:
        """Print it to standard error."""
        self.last_line = time.monotonic()
        print(printable(text), file=sys.stderr, flush=True)

    def _show_start(self) -> None:
        if self.done:
            self.say(f"{self.done} of {self.total} runs are stored already")
        if self.done < self.total:
            missing = self.total - self.done
            self.say(f"{missing} run{'s' if missing > 1 else ''} to do")

    def _show_run(self, run: Active) -> None:
        pass

    def _show_step(self, run: Active) -> None:
        if time.monotonic() - self.last_line > SECONDS_BETWEEN_LINES:
            self.say(f"  {run}, {self._time_left()} left")

    def _show_end(self, run: Active, status: str, reason: str) -> None:
        detail = f": {reason}" if reason else ""
        self.say(
            f"[{self.done}/{self.total}] {run.label}: {status}{detail}, {self._time_left()} left"
        )


class LiveBar(Progress):
    """One bar over all runs, with the step and the loss of the run last heard of."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bar = Bar(
            TextColumn("runs"),
            MofNCompleteColumn(),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[now]}", markup=False),
            TextColumn("{task.fields[left]} left"),
            console=console,
        )

    def __enter__(self) -> "LiveBar":
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def say(self, text: str) -> None:
        """Print it above the bar."""
        self.console.print(printable(text), markup=False, highlight=False)

    def _show_start(self) -> None:
        if self.done:
            self.say(f"{self.done} of {self.total} runs are stored already")
        self.task = self.bar.add_task(
            "", total=self.total, completed=self.done, now="", left="–:––"
        )

    def _show_run(self, run: Active) -> None:
        self.bar.update(self.task, now=f"{run.label}: compiling" + self._others())

    def _show_step(self, run: Active) -> None:
        fractions = sum(run.step / run.steps for run in self.active.values() if run.steps)
        self.bar.update(
            self.task,
            completed=self.done + fractions,
            now=str(run) + self._others(),
            left=self._time_left(),
        )

    def _others(self) -> str:
        return f" (and {len(self.active) - 1} more)" if len(self.active) > 1 else ""

    def _show_end(self, run: Active, status: str, reason: str) -> None:
        self.bar.update(self.task, completed=self.done, left=self._time_left())
        if status != "finished":
            self.say(f"{run.label}: {status}{': ' + reason if reason else ''}")


def make_progress() -> Progress:
    """A live bar where standard error is a terminal, else plain lines."""
    console = Console(stderr=True)
    return LiveBar(console) if console.is_terminal else PlainLines()


def minutes(seconds: float | None) -> str:
    """A duration as 1:05 (minutes and seconds), or 2:03:00 with hours."""
    if seconds is None:
        return "–:––"
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    clock = f"{rest // 60}:{rest % 60:02d}"
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else clock


def _number(loss: float) -> str:
    return "–" if math.isnan(loss) else f"{loss:.3g}"
