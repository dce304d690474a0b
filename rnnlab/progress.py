"""How far a sweep is: a live bar in a terminal, plain lines elsewhere."""

import math
import sys
import time
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from rnnlab.sweep import Run

SECONDS_BETWEEN_LINES = 15.0


class Progress(AbstractContextManager["Progress"], ABC):
    """What the engine tells while it works; a context manager around all runs."""

    def __exit__(self, *error: object) -> None:
        """Nothing to clean up, unless a subclass has something."""

    def start(self, total: int, done: int) -> None:
        """There are so many runs in all, so many of them stored already."""
        self.total, self.done, self.done_before = total, done, done
        self.started = time.monotonic()
        self._show_start()

    def run_started(self, label: str, run: Run) -> None:
        """A run begins."""
        self.label, self.steps = f"{label}, seed {run.seed}", run.settings.training.steps
        self.reached, self.loss = 0, math.nan
        self._show_run()

    def step(self, step: int, loss: float) -> None:
        """The run has made so many updates, and this was its last training loss."""
        self.reached = step
        if not math.isnan(loss):
            self.loss = loss
        self._show_step()

    def run_ended(self, status: str, reason: str) -> None:
        """The run is stored: finished, diverged, or failed for a reason."""
        self.done, self.reached = self.done + 1, 0
        self._show_end(status, reason)

    def _time_left(self) -> str:
        """By the mean time of this session's runs so far."""
        fraction = self._fraction()
        work_done = self.done - self.done_before + fraction
        if not work_done:
            return "–:––"
        seconds = (
            (time.monotonic() - self.started) / work_done * (self.total - self.done - fraction)
        )
        return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"

    def _fraction(self) -> float:
        return self.reached / self.steps if self.steps else 0.0

    def _now(self) -> str:
        return f"{self.label}: step {self.reached}/{self.steps}, loss {_number(self.loss)}"

    @abstractmethod
    def _show_start(self) -> None: ...
    @abstractmethod
    def _show_run(self) -> None: ...
    @abstractmethod
    def _show_step(self) -> None: ...
    @abstractmethod
    def _show_end(self, status: str, reason: str) -> None: ...


class PlainLines(Progress):
    """A line for each run, and now and then one in between."""

    def _line(self, text: str) -> None:
        self.last_line = time.monotonic()
        print(text, file=sys.stderr, flush=True)

    def _show_start(self) -> None:
        if self.done:
            self._line(f"{self.done} of {self.total} runs are stored already")
        if self.done < self.total:
            missing = self.total - self.done
            self._line(f"{missing} run{'s' if missing > 1 else ''} to do")

    def _show_run(self) -> None:
        pass

    def _show_step(self) -> None:
        if time.monotonic() - self.last_line > SECONDS_BETWEEN_LINES:
            self._line(f"  {self._now()}, {self._time_left()} left")

    def _show_end(self, status: str, reason: str) -> None:
        detail = f": {reason}" if reason else f", loss {_number(self.loss)}"
        self._line(
            f"[{self.done}/{self.total}] {self.label}: {status}{detail}, {self._time_left()} left"
        )


class LiveBar(Progress):
    """One bar over all runs, with the present run's step and loss."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bar = Bar(
            TextColumn("runs"),
            MofNCompleteColumn(),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[now]}"),
            TextColumn("{task.fields[left]} left"),
            console=console,
        )

    def __enter__(self) -> "LiveBar":
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def _show_start(self) -> None:
        if self.done:
            self.console.print(f"{self.done} of {self.total} runs are stored already")
        self.task = self.bar.add_task(
            "", total=self.total, completed=self.done, now="", left="–:––"
        )

    def _show_run(self) -> None:
        self.bar.update(self.task, now=f"{self.label}: compiling")

    def _show_step(self) -> None:
        completed = self.done + self._fraction()
        self.bar.update(self.task, completed=completed, now=self._now(), left=self._time_left())

    def _show_end(self, status: str, reason: str) -> None:
        self.bar.update(self.task, completed=self.done, left=self._time_left())
        if status != "finished":
            self.console.print(f"{self.label}: {status}{': ' + reason if reason else ''}")


def make_progress() -> Progress:
    """A live bar where standard error is a terminal, else plain lines."""
    console = Console(stderr=True)
    return LiveBar(console) if console.is_terminal else PlainLines()


def _number(loss: float) -> str:
    return "–" if math.isnan(loss) else f"{loss:.3g}"
