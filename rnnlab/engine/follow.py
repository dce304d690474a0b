"""Follows a sweep from another terminal, or from another machine with the same files."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rnnlab.config.labels import label_settings
from rnnlab.engine.live import read_live
from rnnlab.engine.progress import SECONDS_BETWEEN_LINES, minutes
from rnnlab.results.folders import open_for_reading
from rnnlab.results.store import Store
from rnnlab.results.stored_run import StoredRun

SECONDS_BETWEEN_LOOKS = 1.0
# The sweep writes once a second, less often while it stores large results.
SECONDS_WITHOUT_SIGN = 30.0
MOST_ENDED = 10


class View:
    """The state of a sweep, read from its results folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store: Store = open_for_reading(folder)
        wanted = self.store.experiment()["runs"]
        names = label_settings([run["settings"] for run in wanted])
        self.labels = {
            run["id"]: f"{name}, seed {run['seed']}"
            for run, name in zip(wanted, names, strict=True)
        }
        self.ended: dict[str, dict[str, Any]] = {}
        self.beat, self.changed = -1, time.monotonic()
        self.live: dict[str, Any] | None = None

    def look(self) -> None:
        """Read the changes since the last call."""
        self.live = read_live(self.folder)
        if self.live is not None and self.live["beat"] != self.beat:
            self.beat, self.changed = self.live["beat"], time.monotonic()
        at_work = {run["id"] for run in (self.live or {}).get("running", [])}
        for run_id in self.store.run_ids():
            if run_id in at_work:
                self.ended.pop(run_id, None)
            elif run_id in self.labels and run_id not in self.ended:
                record = StoredRun.read(self.store, {"id": run_id}).record
                if record["status"] != "missing":
                    self.ended[run_id] = record

    @property
    def seconds_without_sign(self) -> float:
        """Seconds since the sweep last wrote its file, by this machine's clock."""
        return time.monotonic() - self.changed

    def state(self) -> str:
        """A sentence: the sweep is running, has ended, or has stopped."""
        stored = f"{len(self.ended)} of {len(self.labels)} runs are stored"
        if self.live is None:
            rest = "" if len(self.ended) == len(self.labels) else "; no rnnlab run is at work here"
            return stored + rest
        process = f"process {self.live['process']} on {self.live['host']}"
        if self.seconds_without_sign > SECONDS_WITHOUT_SIGN:
            return f"{stored}; no sign of life of {process}: rnnlab rerun {self.folder} goes on"
        return f"{stored}; {process} is at work, {minutes(self.live['seconds_left'])} left"

    def is_over(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.live is None or self.seconds_without_sign > SECONDS_WITHOUT_SIGN

    def table(self) -> Table:
        """The runs in progress, and the last that have ended."""
        table = Table("run", "state", "step", "loss", box=None, pad_edge=False)
        for run_id, run in list(self.ended.items())[-MOST_ENDED:]:
            table.add_row(*map(Text, _ended_row(self.labels[run_id], run)))
        for run in (self.live or {}).get("running", []):
            step = f"{run['step']}/{run['steps']}"
            row = (run["label"], f"running ({run['worker']})", step, _number(run["loss"]))
            table.add_row(*map(Text, row))
        return table


def _ended_row(label: str, run: dict[str, Any]) -> tuple[str, str, str, str]:
    if run["status"] in ("failed", "damaged"):
        return label, f"{run['status']}: {run['error']}", "", ""
    summary = run["summary"]
    return label, run["status"], str(summary["last_step"]), _number(summary["final_loss"])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def watch(folder: Path, console: Console) -> None:
    """Show a sweep until it is over.

    Raises:
        UserError: there is no such results folder.
    """
    sweep = View(folder)
    sweep.look()
    if console.is_terminal and not console.is_dumb_terminal:
        with Live(console=console, auto_refresh=False) as live:
            for _ in _looks(sweep):
                live.update(Group(sweep.table(), Text(sweep.state())), refresh=True)
    else:
        _watch_in_lines(sweep, console)
        console.print(sweep.table(), Text(sweep.state()))


def _watch_in_lines(sweep: View, console: Console) -> None:
    """Print a line whenever a run has ended, and one every 15 seconds."""
    ended, last_line = -1, 0.0
    for _ in _looks(sweep):
        now = time.monotonic()
        if len(sweep.ended) != ended or now - last_line > SECONDS_BETWEEN_LINES:
            ended, last_line = len(sweep.ended), now
            console.print(Text(sweep.state()))


def _looks(sweep: View) -> Iterator[None]:
    yield
    while not sweep.is_over():
        time.sleep(SECONDS_BETWEEN_LOOKS)
        sweep.look()
        yield
