"""Following a sweep, and foreseeing it."""

import io
import re
import time

import made_up
import pytest
from in_process import rnnlab
from rich.console import Console

from engine.sweeps import start, write_config
from rnnlab.config.sweep import load_experiment
from rnnlab.engine import follow as watch
from rnnlab.engine.estimate import Pace, measure_pace, seconds_in_all
from rnnlab.engine.execution import execute
from rnnlab.engine.groups import make_groups
from rnnlab.engine.live import LiveFile, read_live
from rnnlab.engine.programs import operations_of
from rnnlab.engine.progress import LiveBar, PlainLines, minutes

ENDED = {"read_step": 5, "final_loss": 0.125, "last_step": 100}
RUNS = [
    (made_up.settings(forget_bias=0.0), 0, "finished", ENDED),
    (made_up.settings(forget_bias=1.0), 0, "failed", {}),
    (made_up.settings(forget_bias=2.0), 0, "missing", {}),
]


@pytest.fixture
def folder(tmp_path):
    return made_up.write(tmp_path / "out", RUNS).folder


@pytest.fixture
def under_way(folder):
    """A live file such as a sweep writes, with one run half done."""
    progress = PlainLines()
    progress.start(3, 2, 10.0)
    progress.run_started("2", "b_f = 2, seed 0", 100, 10.0, "worker")
    progress.step("2", 25, 0.25)
    progress.step("2", 50, 0.25)
    live = LiveFile(folder, progress)
    live.update()
    return live


def shown(sweep):
    console = Console(width=120, file=io.StringIO())
    console.print(sweep.table())
    return console.file.getvalue() + sweep.state()


def test_what_is_shown(folder, under_way):
    sweep = watch.View(folder)
    sweep.look()
    text = shown(sweep)
    assert re.search("b_f = 0, seed 0 +finished", text), text
    assert "0.125" in text
    assert "failed: ValueError: no" in text
    assert "running (worker)" in text
    assert "50/100" in text
    assert "0.25" in text
    assert "2 of 3 runs are stored" in text
    assert "is at work, 0:0" in text
    assert not sweep.is_over()


def test_a_sweep_that_is_dead(folder, under_way, monkeypatch):
    """Its file stays as it was, whatever the clocks say."""
    sweep = watch.View(folder)
    sweep.look()
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + 100)
    sweep.look()
    assert sweep.is_over()
    assert "no sign of life of process" in sweep.state()
    under_way.update()
    sweep.look()
    assert not sweep.is_over()


def test_a_sweep_that_has_ended(folder, under_way):
    under_way.__exit__()
    assert read_live(folder) is None
    sweep = watch.View(folder)
    sweep.look()
    assert sweep.is_over()
    assert sweep.state() == "2 of 3 runs are stored; no rnnlab run is at work here"


def test_a_live_file_that_is_no_json(folder):
    (folder / "live.json").write_text("{")
    assert read_live(folder) is None
    (folder / "live.json").write_text("[]")
    assert read_live(folder) is None


def test_a_folder_that_cannot_be_written_does_not_end_the_sweep(folder, under_way, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    under_way.written = -100.0
    under_way.update()


CONFIG = """
task: {kind: adding, length: 20}
cell: {kind: lstm, hidden: 8}
training: {steps: 3000, batch: 8}
record: {every: 50}
sweep: {cell: {forget_bias: [0, 1]}}
seeds: 2
"""


@pytest.mark.processes
def test_from_another_terminal(tmp_path):
    config = write_config(tmp_path, CONFIG)
    out = tmp_path / "out"
    sweep = start("run", config, "--out", out, "--workers", 0)
    while not (out / "live.json").exists() and sweep.poll() is None:
        time.sleep(0.05)
    code, output = rnnlab("watch", out)
    assert sweep.communicate(timeout=120)
    assert sweep.returncode == 0
    assert code == 0, output
    assert "4 of 4 runs are stored" in output
    assert output.count("finished") == 4


# Foreseeing


def test_dry_run(tmp_path):
    config = write_config(tmp_path, CONFIG)
    out = tmp_path / "out"
    code, output = rnnlab("run", config, "--out", out, "--dry-run", "--workers", 2)
    assert code == 0, output
    assert output.count("to do") == 4
    assert "0 of 4 runs are stored" in output
    assert "by 2 workers at this machine's pace" in output
    assert not out.exists()
    assert rnnlab("run", config, "seeds=1", "--out", out, "--workers", 0)[0] == 0
    code, output = rnnlab("run", config, "--out", out, "--dry-run")
    assert output.count("to do") == 2
    assert "2 of 4 runs are stored" in output


def seconds_of(run):
    started = time.perf_counter()
    execute(run, lambda _: None)
    return time.perf_counter() - started


@pytest.mark.processes
@pytest.mark.parametrize("record", [{"every": 1}, {"jacobians": {"every": 200, "examples": 8}}])
def test_one_timed_call_tells_what_a_run_takes(tmp_path, record):
    """As a ratio within one process, each the best of a few: the machine may do other things."""
    overrides = {f"record.{name}": value for name, value in record.items()}
    overrides |= {"training.steps": 600}
    runs = load_experiment(write_config(tmp_path, CONFIG), overrides).runs
    pace = measure_pace(runs, 1, lambda text: None)
    execute(runs[0], lambda _: None)
    took = min(seconds_of(run) for run in runs[1:])
    assert 1 / 3 < pace.seconds(runs[0]) / took < 3
    assert pace.compiling > 0


def test_time_in_all(tmp_path):
    """Groups in turn to whoever is free first; a program is compiled once by each worker."""
    runs = load_experiment(write_config(tmp_path, CONFIG)).runs
    pace = Pace(compiling=5.0, per_operation=10.0 / operations_of(runs[0]))
    assert [len(group.runs) for group in make_groups(runs, 2)] == [1, 1, 1, 1]
    assert seconds_in_all(runs, pace, 0) == pytest.approx(5 + 4 * 10)
    assert seconds_in_all(runs, pace, 2) == pytest.approx(5 + 2 * 10)
    assert seconds_in_all(runs, pace, 4) == pytest.approx(5 + 10)


@pytest.fixture
def clock(monkeypatch):
    """Seconds since the sweep began."""
    now = [0.0]
    monkeypatch.setattr("rnnlab.engine.progress.time.monotonic", lambda: now[0])
    return now


def test_time_left_goes_by_the_pace_since_the_first_sign_of_work(clock):
    progress = PlainLines()
    progress.start(3, 0, 30.0)
    progress.run_started("1", "a", 100, 20.0)
    assert progress.seconds_left() is None
    clock[0] = 50.0  # starting, compiling
    progress.step("1", 25, 0.5)
    assert progress.seconds_left() is None
    clock[0] = 56.0
    progress.step("1", 50, 0.5)
    assert progress.seconds_left() == pytest.approx(24.0)  # 5 in 6 s, and 20 of 30 are left
    clock[0] = 65.0
    progress.run_ended("1", "finished", "")
    assert progress.seconds_left() == pytest.approx(10.0)  # 15 in 15 s, and 10 are left


def test_what_a_resumed_run_had_done_before_took_no_time_now(clock):
    progress = PlainLines()
    progress.start(2, 0, 20.0)
    progress.run_started("1", "a", 100, 10.0, resumed=True)
    progress.step("1", 80, 0.5)
    assert progress.seconds_left() is None
    clock[0] = 4.0
    progress.step("1", 90, 0.5)
    assert progress.seconds_left() == pytest.approx(44.0)  # 1 in 4 s, and 11 of 20 are left
    progress.run_ended("1", "finished", "")
    assert progress.seconds_left() == pytest.approx(20.0)  # 2 in 4 s, and 10 are left


def test_the_bar_of_a_terminal(clock):
    console = Console(force_terminal=True, width=120, file=io.StringIO())
    bar = LiveBar(console)
    bar.start(4, 1, 30.0, "training")
    for run_id, label in (("1", "a [b]"), ("2", "c")):
        bar.run_started(run_id, label, 100, 10.0)
    bar.step("1", 10, 0.5)
    clock[0] = 3.0
    bar.step("1", 40, 0.25)  # 3 in 3 s, and 26 of 30 are left
    console.print(bar.bar.get_renderable())
    bar.run_ended("1", "failed", "no [luck]")
    console.print(bar.bar.get_renderable())
    shown = re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue()).splitlines()
    said = ["training: 1 of 4 runs are stored already", "training: 3 runs to do"]
    assert shown[:2] == said
    assert shown[2].startswith("runs 1/4 ")
    assert "a [b]: step 40/100, loss 0.25 (and 1 more) 00:26 left" in shown[2]
    assert shown[3] == "a [b]: failed: no [luck]"
    assert shown[4].startswith("runs 2/4 ")


def test_minutes():
    assert [minutes(s) for s in (None, 5.9, 65.0, 7265.0)] == ["–:––", "0:05", "1:05", "2:01:05"]


def test_into_a_file_it_says_now_and_then_how_far_it_is(folder, under_way, monkeypatch):
    looks = iter([False, False, True])
    monkeypatch.setattr(watch, "SECONDS_BETWEEN_LOOKS", 0.0)
    monkeypatch.setattr(watch.View, "is_over", lambda sweep: next(looks))
    console = Console(width=120, file=io.StringIO())
    watch.watch(folder, console)
    lines = console.file.getvalue().splitlines()
    assert lines[0].startswith("2 of 3 runs are stored; process")
    assert lines[1].startswith("run ")
    assert lines[-1] == lines[0]
