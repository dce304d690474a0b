"""The progress of a sweep: a live bar in a terminal, plain lines elsewhere."""

import math
import sys
import time
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from rnnlab.support.streams import forgiving
from rnnlab.support.text import printable

SECONDS_BETWEEN_LINES = 15.0
# The time left follows from the pace within the last hour.
PACE_PERIOD = 3600.0


@dataclass
class Active:
    """A run in progress; ``step`` is None until it is known where a resumed one goes on."""

    label: str
    steps: int
    cost: float
    worker: str
    step: int | None
    loss: float = math.nan

    @property
    def work(self) -> float:
        """The part of its cost that is done."""
        return self.cost * (self.step or 0) / self.steps if self.steps else 0.0

    def __str__(self) -> str:
        return f"{self.label}: step {self.step or 0}/{self.steps}, loss {_number(self.loss)}"


class Progress(AbstractContextManager["Progress"], ABC):
    """Shows the progress of all runs; a context manager around them.

    A task of rich keeps the pace. Its total is the cost of all runs that are not stored; its first
    sample is taken when the first run reports, after starting and compiling.
    """

    def __init__(self, bar: Bar) -> None:
        bar.get_time, bar.speed_estimate_period = time.monotonic, PACE_PERIOD
        self.bar = bar
        self.unsaid: list[str] = []

    def __exit__(self, *error: object) -> None:
        """Nothing to clean up, unless a subclass has something."""

    def start(self, total: int, done: int, cost: float | None = None, what: str = "") -> None:
        """Set the number of runs, how many of them are stored, the cost of the others, and what.

        What is said about them waits for the first run: the workers may be refused before.
        """
        self.total, self.done, self.active = total, done, dict[str, Active]()
        whole = float(total - done) if cost is None else cost
        for task in self.bar.task_ids:
            self.bar.remove_task(task)
        self.bar.add_task("", total=whole, runs=f"{done}/{total}", now="")
        of_what, missing = f"{what}: " if what else "", total - done
        self.unsaid = [f"{of_what}{done} of {total} runs are stored already"] if done else []
        if missing:
            self.unsaid.append(f"{of_what}{missing} run{'s' if missing > 1 else ''} to do")
        if done == total:
            self._catch_up()

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
        self._catch_up()
        self.active[run_id] = Active(label, steps, cost, worker, None if resumed else 0)
        self._show_run(self.active[run_id])

    def step(self, run_id: str, step: int, loss: float) -> None:
        """The run has made ``step`` updates; ``loss`` is its last training loss."""
        run = self.active[run_id]
        before, is_known = run.work, run.step is not None
        run.step, run.loss = step, loss
        if not is_known:  # what was done before it was resumed takes no time now
            self.bar.update(self._task.id, total=(self._task.total or 0.0) - run.work)
        self.bar.advance(self._task.id, run.work - before if is_known else 0.0)
        self._show_step(run)

    def run_ended(self, run_id: str, status: str, reason: str) -> None:
        """The run is stored as finished, diverged or failed."""
        run = self.active.pop(run_id)
        self.done += 1
        self.bar.advance(self._task.id, run.cost - run.work)
        self._show_end(run, status, reason)

    def seconds_left(self) -> float | None:
        """An estimate from the pace since the first report; None until there is a second one."""
        speed, remaining = self._task.speed, self._task.remaining or 0.0
        return max(remaining, 0.0) / speed if speed else None

    def _catch_up(self) -> None:
        """Say what has waited."""
        lines, self.unsaid = self.unsaid, []
        for line in lines:
            self.say(line)

    @property
    def _task(self) -> Any:
        return self.bar.tasks[0]

    def snapshot(self) -> dict[str, Any]:
        """The progress as plain data."""
        running = [
            {
                "id": run_id,
                "label": run.label,
                "worker": run.worker,
                "step": run.step or 0,
                "steps": run.steps,
                "loss": run.loss if math.isfinite(run.loss) else None,
            }
            for run_id, run in self.active.items()
        ]
        return {
            "total": self.total,
            "done": self.done,
            "seconds_left": self.seconds_left(),
            "running": running,
        }

    @abstractmethod
    def say(self, text: str) -> None:
        """Show a line."""

    @abstractmethod
    def _show_run(self, run: Active) -> None: ...
    @abstractmethod
    def _show_step(self, run: Active) -> None: ...
    @abstractmethod
    def _show_end(self, run: Active, status: str, reason: str) -> None: ...


class PlainLines(Progress):
    """Prints a line for each run, and one every 15 seconds during long runs."""

    def __init__(self) -> None:
        super().__init__(Bar(disable=True))

    def say(self, text: str) -> None:
        """Print it to standard error."""
        self._catch_up()
        self.last_line = time.monotonic()
        print(printable(text), file=forgiving(sys.stderr), flush=True)

    def _show_run(self, run: Active) -> None:
        pass

    def _show_step(self, run: Active) -> None:
        if time.monotonic() - self.last_line > SECONDS_BETWEEN_LINES:
            self.say(f"  {run}{self._time_left()}")

    def _show_end(self, run: Active, status: str, reason: str) -> None:
        detail = f": {reason}" if reason else ""
        done = f"[{self.done}/{self.total}]"
        self.say(f"{done} {run.label}: {status}{detail}{self._time_left()}")

    def _time_left(self) -> str:
        """Nothing as long as it is unknown."""
        seconds = self.seconds_left()
        return "" if seconds is None else f", {minutes(seconds)} left"


class LiveBar(Progress):
    """One bar over all runs, with the step and the loss of the run that reported last."""

    def __init__(self, console: Console) -> None:
        columns = (
            TextColumn("runs {task.fields[runs]}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[now]}", markup=False),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
        )
        super().__init__(Bar(*columns, console=console))

    def __enter__(self) -> "LiveBar":
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def say(self, text: str) -> None:
        """Print it above the bar."""
        self._catch_up()
        self.bar.console.print(printable(text), markup=False, highlight=False)

    def _show_run(self, run: Active) -> None:
        self._show(f"{run.label}: compiling")

    def _show_step(self, run: Active) -> None:
        self._show(str(run))

    def _show(self, text: str) -> None:
        others = len(self.active) - 1
        now = text + f" (and {others} more)" * (others > 0)
        self.bar.update(self._task.id, now=now)

    def _show_end(self, run: Active, status: str, reason: str) -> None:
        self.bar.update(self._task.id, runs=f"{self.done}/{self.total}")
        if status != "finished":
            self.say(f"{run.label}: {status}{': ' + reason if reason else ''}")


def make_progress() -> Progress:
    """A live bar where standard error is a terminal that can rewrite a line, else plain lines."""
    console = Console(file=forgiving(sys.stderr))  # type: ignore[arg-type]
    has_bar = console.is_terminal and not console.is_dumb_terminal
    return LiveBar(console) if has_bar else PlainLines()


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
