"""Signals that ask to stop: runs in progress are stored, and the exit code names the signal."""

import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from in_process import run_command

import rnnlab
from engine.sweeps import write_config
from rnnlab.config.sweep import load_experiment
from rnnlab.engine import execution, work
from rnnlab.engine.execution import Execution
from rnnlab.engine.interrupt import SIGNALS, Signalled, kept_from_children, stop_on_signal
from rnnlab.engine.preload import dask_setup
from rnnlab.engine.progress import PlainLines
from rnnlab.results.checkpoints import Checkpoints

CONFIG = """
task: {kind: adding, length: 5}
cell: {kind: rnn, hidden: 3}
training: {steps: 400, batch: 4}
record: {every: 100}
"""
ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2]


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(execution, "OPERATIONS_PER_CALL", 1.0)  # many calls of the program
    monkeypatch.setattr(work, "SECONDS_BETWEEN_REPORTS", 0.0)
    return write_config(tmp_path, CONFIG)


@pytest.fixture
def caught():
    """Signals that end no test, whether or not rnnlab takes them; those that came here."""
    came = []
    before = {n: signal.signal(n, lambda number, _: came.append(number)) for n in SIGNALS}
    yield came
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def send(monkeypatch):
    """Sends signals once the run has made its first call."""

    def send(*numbers):
        original, left = work.Reporter.__call__, list(numbers)

        def report(self, *executions):
            while left:
                signal.raise_signal(left.pop(0))
            original(self, *executions)

        monkeypatch.setattr(work.Reporter, "__call__", report)

    return send


def checkpoint(config):
    run = load_experiment(config).runs[0]
    return Checkpoints(config.parent / "results" / "tiny").path(run.id)


@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_a_signal_stores_what_is_in_progress_and_gives_the_exit_code(config, send, caught, number):
    send(number)
    ended = run_command("run", config, "--workers", 0)
    assert ended.returncode == 128 + number
    assert "stopped; 0 of 1 runs are stored" in ended.stderr
    assert checkpoint(config).exists()
    assert caught == []


def test_an_ignored_signal_stays_so(config, send, caught):
    """As SIGHUP under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    send(signal.SIGHUP)
    assert list(rnnlab.run(config).runs["status"]) == ["finished"]
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_a_closed_terminal_and_the_end_of_a_job_send_several(config, send, caught):
    send(signal.SIGUSR1, signal.SIGTERM, signal.SIGHUP, signal.SIGHUP)
    assert run_command("run", config, "--workers", 0).returncode == 128 + signal.SIGUSR1
    assert checkpoint(config).exists()


def test_from_python_the_signal_then_does_what_it_does_elsewhere(config, send, caught):
    send(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        rnnlab.run(config)
    assert checkpoint(config).exists()
    assert caught == [signal.SIGTERM]


def test_ctrl_c_twice_stops_at_once(config, send, caught):
    send(signal.SIGINT, signal.SIGINT)
    with pytest.raises(Signalled):
        rnnlab.run(config)
    assert not checkpoint(config).exists()


@pytest.mark.parametrize("moment", ["made", "written"])
def test_a_second_ctrl_c_waits_for_the_checkpoint_under_way(
    config, send, caught, monkeypatch, moment
):
    home, name = {"made": (Execution, "checkpoint"), "written": (Checkpoints, "write")}[moment]
    original = getattr(home, name)

    def interrupted(self, *rest):
        signal.raise_signal(signal.SIGINT)
        return original(self, *rest)

    monkeypatch.setattr(home, name, interrupted)
    send(signal.SIGINT)
    with pytest.raises(Signalled):
        rnnlab.run(config)
    assert checkpoint(config).exists()


def test_what_a_worker_has_sent_is_stored_before_a_second_ctrl_c_stops(caught):
    stored = []

    def store():
        with stop_on_signal(print) as stop:
            signal.raise_signal(signal.SIGTERM)
            with stop.storing():
                signal.raise_signal(signal.SIGINT)
                stored.append(1)
            stored.append(2)

    with pytest.raises(Signalled):
        store()
    assert stored == [1]


def test_workers_leave_signals_to_the_main_process(caught, monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(Path, "write_text", lambda *_: None)  # of /proc/self/oom_score_adj
    dask_setup(None)
    assert {signal.getsignal(number) for number in SIGNALS} == {signal.SIG_IGN}


def test_processes_that_are_started_do_not_see_the_signals_of_a_job(caught):
    """Nor Python's own, which would complain about its end."""
    code = "import signal; print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))"
    with kept_from_children():
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        signal.raise_signal(signal.SIGUSR1)
        assert caught == []
    assert caught == [signal.SIGUSR1]
    blocked = [n.name for n in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)]
    assert all(name in child.stdout for name in blocked)
    assert "SIGINT" not in child.stdout


def test_measuring_keeps_what_is_measured(config, caught, monkeypatch):
    started = PlainLines.run_started

    def terminated(self, *run, **options):
        if self.done:
            signal.raise_signal(signal.SIGTERM)
        started(self, *run, **options)

    monkeypatch.setattr(PlainLines, "run_started", terminated)
    ended = run_command("measure", config, "seeds=2")
    assert ended.returncode == 128 + signal.SIGTERM
    assert "stopped before all were measured" in ended.stderr
    assert list(pd.read_csv("results/tiny_measured/measure.csv")["seed"]) == [0]
    assert caught == []
