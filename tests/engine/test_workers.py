"""The numbers of a run do not depend on where, with whom, or in how many pieces it was run."""

import os
import signal
import time

import pandas as pd
import psutil
import pytest
from in_process import rnnlab

from engine.sweeps import CONFIG, finish, numbers, start, workers_of, write_config
from engine.sweeps import rnnlab as rnnlab_in_a_process
from rnnlab.config.sweep import load_experiment
from rnnlab.engine.groups import make_groups
from rnnlab.engine.programs import program_of
from rnnlab.results.read import load
from rnnlab.results.store import Store

# The same compiler for this process as for the others: numbers are compared bit for bit.
pytestmark = [pytest.mark.processes, pytest.mark.default_flags]


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return write_config(tmp_path_factory.mktemp("config"))


@pytest.fixture(scope="module")
def in_process(config):
    folder = config.parent / "in_process"
    code, output = rnnlab("run", config, "--out", folder, "--workers", 0)
    assert code == 0, output
    return folder


def test_one_or_two_workers(config, in_process):
    for workers in (1, 2):
        folder = config.parent / f"workers{workers}"
        code, output = rnnlab_in_a_process("run", config, "--out", folder, "--workers", workers)
        assert code == 0, output
        assert numbers(folder) == numbers(in_process)
        runs = load(folder).runs
        assert set(runs["status"]) == {"finished"}
        promises = {Store(folder).read_run(run)["promise"] for run in runs["run"]}
        assert promises == {"bit for bit"}


def test_a_run_alone_equals_that_in_a_group(config, in_process):
    folder = config.parent / "alone"
    code, output = rnnlab(
        "run", config, "sweep.cell.forget_bias=[2]", "seeds=[1]", "--out", folder, "--workers", 0
    )
    assert code == 0, output
    alone, together = numbers(folder), numbers(in_process)
    assert alone
    assert alone == {name: together[name] for name in alone}


def test_the_learning_rate_is_no_part_of_the_program(config, in_process):
    folder = config.parent / "rates"
    rates = "sweep.training.learning_rate=[0.005,0.02]"
    code, output = rnnlab("run", config, rates, "seeds=[1]", "--out", folder, "--workers", 0)
    assert code == 0, output
    experiment = load_experiment(config, [rates, "seeds=[1]"])
    assert len(make_groups(experiment.runs, 1)) == 2
    assert len({program_of(run.settings) for run in experiment.runs}) == 1
    shared, together = numbers(folder), numbers(in_process)
    common = shared.keys() & together.keys()
    assert common
    assert all(shared[name] == together[name] for name in common)


def test_two_threads_agree_within_rounding(config, in_process):
    folder = config.parent / "threads"
    few = ("training.steps=60", "seeds=1")
    one, two = folder / "1", folder / "2"
    for run, out, threads in ((rnnlab, one, 1), (rnnlab_in_a_process, two, 2)):
        code, output = run("run", config, *few, "--out", out, "--workers", 0, "--threads", threads)
        assert code == 0, output
    store = Store(two)
    assert {store.read_run(run)["promise"] for run in store.run_ids()} == {"rounding"}
    for table in ("training", "gradients", "gates"):
        frames = [getattr(load(out), table) for out in (one, two)]
        pd.testing.assert_frame_equal(*frames, rtol=1e-5, atol=1e-6)


def checkpoints(folder):
    return {p.name: p.stat().st_mtime_ns for p in folder.glob("checkpoints/[!.]*")}


def test_interrupted_and_resumed(config, in_process, tmp_path):
    """Signals to all processes: runs in progress are stored within seconds, and go on from there.

    As a terminal sends Ctrl-C, and SLURM its warning.
    """
    long = write_config(tmp_path, CONFIG.replace("steps: 600", "steps: 6000"))
    alone = ("seeds=1", "sweep.cell.forget_bias=[0,1]")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert rnnlab("run", long, *alone, "--out", whole, "--workers", 0)[0] == 0
    for workers, number in ((2, signal.SIGUSR1), (0, signal.SIGINT)):
        process = start("run", long, *alone, "--out", parts, "--workers", workers)
        seen = checkpoints(parts)
        while checkpoints(parts) == seen and process.poll() is None:
            time.sleep(0.1)
        os.killpg(process.pid, number)
        asked = time.monotonic()
        code, output = finish(process)
        assert code == 128 + number, output
        assert time.monotonic() - asked < 30
        assert "the same command goes on from there" in output
        assert "Traceback" not in output
        assert checkpoints(parts)
        assert not (parts / "live.json").exists()
    code, output = rnnlab_in_a_process("rerun", parts, "--workers", 2)
    assert code == 0, output
    assert numbers(parts) == numbers(whole)


def test_ctrl_c_twice_stops_at_once(config, tmp_path):
    long = write_config(tmp_path, CONFIG.replace("steps: 600", "steps: 1000000"))
    process = start("run", long, "--out", tmp_path / "out", "--workers", 2)
    while not (workers := workers_of(process)) or not (tmp_path / "out" / "live.json").exists():
        time.sleep(0.1)
    time.sleep(2)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    asked = time.monotonic()
    code, output = finish(process)
    assert code == 130, output
    assert time.monotonic() - asked < 10
    assert not any(worker.is_running() for worker in workers)


def test_only_loopback_is_listened_on(config, tmp_path):
    process = start("run", config, "--out", tmp_path / "out", "--workers", 2)
    while not (tmp_path / "out" / "live.json").exists():
        time.sleep(0.1)
    everyone = [psutil.Process(process.pid), *workers_of(process)]
    addresses = {
        connection.laddr.ip
        for one in everyone
        for connection in one.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    process.kill()
    finish(process)
    assert addresses == {"127.0.0.1"}


def test_workers_are_pinned_to_a_core_each(config, tmp_path):
    if len(psutil.Process().cpu_affinity()) < 2:
        pytest.skip("needs two cores")
    process = start("run", config, "--out", tmp_path / "out", "--workers", 2)
    while not (tmp_path / "out" / "live.json").exists():
        time.sleep(0.1)
    time.sleep(3)
    threads = [
        [
            set(psutil.Process(thread.id).cpu_affinity())
            for thread in worker.threads()
            if thread.user_time > 0.5
        ]
        for worker in workers_of(process)
    ]
    process.kill()
    finish(process)
    assert len(threads) == 2
    assert all(threads)
    assert all(len(cores) == 1 for mine in threads for cores in mine)
    assert threads[0][0] != threads[1][0]
