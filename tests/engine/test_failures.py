"""Runs that diverge, crash, or run out of memory: the others finish, and each says why."""

import textwrap
from types import SimpleNamespace
from unittest.mock import create_autospec

import psutil
import pytest
from distributed import Future, KilledWorker
from in_process import rnnlab

from engine.sweeps import finish, start, write_config
from rnnlab.config.sweep import load_experiment
from rnnlab.engine.dispatch import MOST_DEATHS, Dispatch, SchedulerLost, Submitted
from rnnlab.engine.messages import Ended, Reached, Started
from rnnlab.results.read import load
from rnnlab.support.errors import UserError

OWN = textwrap.dedent("""
    import os, signal
    import rnnlab

    class Troubled(rnnlab.VanillaRNN):
        trouble: str = "none"

        def step(self, params, state, x, observe):
            if self.trouble == "raises":
                raise RuntimeError("no such luck")
            if self.trouble == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.trouble == "memory":
                hoard = []
                while True:
                    hoard.append(b"x" * 2**26)
            return super().step(params, state, x, observe)
""")
CONFIG = """
task: {kind: adding, length: 8}
cell: {kind: own.py:Troubled, hidden: 3}
training: {steps: 20, batch: 4, optimizer: sgd}
record: {every: 10}
sweep:
  zip:
    - cell: {trouble: none}
    - cell: {trouble: raises}
    - cell: {trouble: KIND}
    - training: {learning_rate: 1.0e+30}
"""


@pytest.mark.processes
@pytest.mark.parametrize("kind", ["killed", "memory"])
def test_the_others_finish(tmp_path, kind):
    (tmp_path / "own.py").write_text(OWN)
    config = write_config(tmp_path, CONFIG.replace("KIND", kind))
    out = tmp_path / "out"
    process = start("run", config, "--out", out, "--workers", 2)
    # Not enforced by the system, but rnnlab gives its workers shares of it.
    psutil.Process(process.pid).rlimit(psutil.RLIMIT_RSS, (4 * 2**30, 4 * 2**30))
    code, output = finish(process)
    assert code == 1, output
    runs = load(out).runs
    assert list(runs["status"]) == ["finished", "failed", "failed", "diverged"]
    raised, died = runs[runs["status"] == "failed"].to_dict("records")
    place = f'{tmp_path}/own.py, line 10: raise RuntimeError("no such luck")'
    assert raised["error"] == f"RuntimeError: no such luck ({place})"
    assert died["error"].startswith("WorkerDied: the worker process died three times")
    for run, words in ((raised, "own.py"), (died, "memory")):
        traceback = out / "runs" / run["run"] / "error.txt"
        assert str(traceback) in output
        assert words in traceback.read_text()
    assert f"cell.trouble={kind}" in output
    code, shown = rnnlab("show", out, "--failed")
    assert code == 0
    assert shown.count("failed: ") == 2
    assert shown.count("traceback: ") == 2


def test_rerun_of_failed_runs_only(tmp_path):
    """A crash that has gone: the file is no part of the run's hash but through its content."""
    (tmp_path / "own.py").write_text(OWN.replace("RuntimeError(", "RuntimeError(os.sep + "))
    config = write_config(tmp_path, CONFIG.replace("KIND", "raises"))
    out = tmp_path / "out"
    assert rnnlab("run", config, "--out", out, "--workers", 0)[0] == 1
    failed = load(out).runs.query("status == 'failed'")["run"]
    before = {run: (out / "runs" / run / "error.txt").stat().st_mtime_ns for run in failed}
    code, output = rnnlab("rerun", out, "--failed", "--workers", 0)
    assert code == 1
    assert all((out / "runs" / r / "error.txt").stat().st_mtime_ns > before[r] for r in failed)
    (tmp_path / "own.py").write_text(OWN + "\n# changed\n")
    code, output = rnnlab("rerun", out, "--failed")
    assert code == 2
    assert "own.py has changed since these runs" in output


# Whom a death is blamed on


def dead(status="error"):
    """The future of a group whose worker has died."""
    future = create_autospec(Future, instance=True)
    future.status = status
    future.exception.return_value = KilledWorker("a", None, None)
    return future


class Desk(Dispatch):
    """A dispatch whose cluster is this test: it says what workers say, and when they die."""

    def __init__(self, runs):
        self.open = {run.id: run for run in runs}
        self.taken = []
        self.ledger = SimpleNamespace(open=self.open, take=self.take, kept="0 runs are stored")
        self.submitted, self.deaths, self.steps, self.early_deaths = {}, {}, {}, 0
        self.groups = []

    def take(self, message):
        self.taken.append(message)
        if isinstance(message, Ended):
            self.open.pop(message.run, None)

    def _listen(self):
        pass

    def _submit(self, runs):
        if runs:
            number = len(self.groups)
            self.groups.append([run.id for run in runs])
            self.submitted[number] = Submitted(dead(), runs)

    def hear(self, number, *messages):
        for message in messages:
            self._take(self.submitted[number], message)

    def die(self, number):
        self._done(number, False)


@pytest.fixture
def runs(tmp_path):
    text = "task: {kind: adding}\ncell: {kind: rnn}\nseeds: 4"
    return load_experiment(write_config(tmp_path, text)).runs


def ended(run):
    return Ended(run, {"status": "finished"}, {})


def test_the_run_in_progress_is_tried_by_itself_and_fails_at_last(runs):
    desk = Desk(runs)
    a, b, c, d = (run.id for run in runs)
    desk._submit(runs)
    desk.hear(0, Started(a, "w"), ended(a), Started(b, "w"))
    desk.die(0)
    assert desk.groups[1:] == [[b], [c, d]]
    for number in (1, 3):
        desk.hear(number, Started(b, "w"))
        desk.die(number)
    assert desk.deaths[b].count == MOST_DEATHS
    assert desk.groups[3:] == [[b]]
    (failed,) = [m for m in desk.taken if isinstance(m, Ended) and m.head["status"] == "failed"]
    assert failed.run == b
    assert set(desk.deaths) == {b}


def test_a_run_that_gets_on_is_not_given_up(runs):
    desk = Desk(runs[:1])
    run = runs[0].id
    desk._submit(runs[:1])
    for number in range(10):
        desk.hear(number, Started(run, "w"), Reached(run, 100 * number, 0.5))
        desk.die(number)
    assert desk.deaths[run].count == 1
    assert run in desk.open


def test_deaths_about_the_same_place_add_up(runs):
    desk = Desk(runs[:1])
    run = runs[0].id
    desk._submit(runs[:1])
    for number, step in enumerate((500, 490, 495)):
        desk.hear(number, Started(run, "w"), Reached(run, step, 0.5))
        desk.die(number)
    assert run not in desk.open


def test_a_worker_that_dies_after_its_group_is_done(runs):
    """Dask then says that the group's result is lost; nobody needs it."""
    desk = Desk(runs)
    a, *others = (run.id for run in runs)
    desk._submit(runs[:1])
    desk._submit(runs[1:])
    desk.hear(0, Started(a, "w"), ended(a))
    desk.submitted[0].future = dead("lost")
    desk.die(0)
    assert len(desk.groups) == 2
    desk.submitted[1].future = dead("lost")
    desk.die(1)
    assert desk.groups[2:] == [others]
    assert desk.deaths == {}
    assert desk.early_deaths == 0


def test_a_scheduler_that_has_forgotten(runs):
    desk = Desk(runs)
    desk._submit(runs)
    desk.submitted[0].future = dead("cancelled")
    with pytest.raises(SchedulerLost):
        desk.die(0)


def test_early_deaths_count_only_in_a_row(runs):
    desk = Desk(runs)
    desk._submit(runs)
    for number in range(3 * MOST_DEATHS):
        if number % 2:
            desk.hear(number, Started(runs[0].id, "w"), ended(runs[0].id))
        desk.die(number)
    assert desk.early_deaths < MOST_DEATHS


def test_workers_that_die_before_they_begin(runs):
    desk = Desk(runs)
    desk._submit(runs)
    for number in range(MOST_DEATHS):
        desk.die(number)
    with pytest.raises(UserError, match="workers die before they begin"):
        desk.die(MOST_DEATHS)


def test_of_several_in_progress_none_is_blamed_before_it_has_been_alone(runs):
    desk = Desk(runs)
    a, b, c, d = (run.id for run in runs)
    desk._submit(runs)
    desk.hear(0, Started(a, "w"), Started(b, "w"), Started(c, "w"), ended(a))
    desk.die(0)
    assert desk.groups[1:] == [[b], [c], [d]]
    assert desk.deaths == {}
    desk.hear(1, Started(b, "w"))
    desk.die(1)
    assert set(desk.deaths) == {b}
