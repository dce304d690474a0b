"""kill -9 at random moments: what resumes ends with the numbers of a sweep left in peace.

RNNLAB_KILLS says how many kills of each kind; ``make soak`` has 20 and more.
"""

import itertools
import json
import os
import random
import subprocess
import sys
import time

import pytest

from engine.sweeps import finish, kill, numbers, rnnlab, start, workers_of, write_config
from rnnlab.config.sweep import load_experiment
from rnnlab.results.check import find_damage
from rnnlab.results.store import Store

pytestmark = pytest.mark.processes

KILLS = int(os.environ.get("RNNLAB_KILLS", "1"))


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return write_config(tmp_path_factory.mktemp("config"))


@pytest.fixture(scope="module")
def undisturbed(config):
    folder = config.parent / "undisturbed"
    code, output = rnnlab("run", config, "--out", folder, "--workers", 2)
    assert code == 0, output
    return numbers(folder)


def wait_for_work(folder, process):
    """Until runs have begun, if the process gets there."""
    while not (folder / "live.json").exists() and process.poll() is None:
        time.sleep(0.05)


def is_whole(folder, config, undisturbed):
    """Each run once, whole, with the same numbers, and nothing left behind."""
    ids = [run.id for run in load_experiment(config).runs]
    assert Store(folder).run_ids() == sorted(ids)
    assert find_damage(folder) == []
    assert numbers(folder) == undisturbed
    assert [p.name for p in folder.glob("runs/.*")] == []
    assert list(folder.glob("checkpoints/*")) == []
    return True


def test_workers_are_killed(config, undisturbed, tmp_path):
    chance, kills = random.Random(0), 0
    for number in itertools.count():
        folder = tmp_path / str(number)
        process = start("run", config, "--out", folder, "--workers", 2)
        while kills < KILLS and process.poll() is None:
            wait_for_work(folder, process)
            time.sleep(chance.uniform(0, 5))
            if workers := workers_of(process):
                kill(chance.choice(workers).pid)
                kills += 1
        code, output = finish(process)
        assert code == 0, output
        assert is_whole(folder, config, undisturbed)
        if kills >= KILLS:
            break
    print(f"workers killed: {kills}, in {number + 1} sweeps")


def test_the_main_process_is_killed(config, undisturbed, tmp_path):
    chance, kills = random.Random(1), 0
    for number in itertools.count():
        folder = tmp_path / str(number)
        while True:
            process = start("run", config, "--out", folder, "--workers", 2)
            if kills < KILLS and process_is_killed(process, chance.uniform(1, 14)):
                kills += 1
                assert {damage.message for damage in find(folder)} <= unfinished(folder)
                continue
            code, output = finish(process)
            assert code == 0, output
            break
        assert is_whole(folder, config, undisturbed)
        if kills >= KILLS:
            break
    print(f"main processes killed: {kills}, in {number + 1} sweeps")


def process_is_killed(process, seconds):
    """Whether it was still at work after so many seconds; its workers end with it."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        workers = workers_of(process)
        kill(process.pid)
        finish(process)
        for worker in workers:
            worker.wait(timeout=30)
        return True
    return False


def unfinished(folder):
    """What a kill between the first two files of a folder leaves, and the next run writes."""
    return {f"{folder / 'config.yaml'}: cannot be read: No such file or directory"}


def find(folder):
    return find_damage(folder) if (folder / "experiment.json").exists() else []


class Cluster:
    """A Dask scheduler with two workers, as a user would start them."""

    def __init__(self, folder, workers=2):
        self.file = folder / f"scheduler-{random.random()}.json"
        self.scheduler = self._dask(
            "scheduler", "--scheduler-file", self.file, "--host", "127.0.0.1", "--port", 0,
            "--dashboard-address", "127.0.0.1:0",
        )  # fmt: skip
        while not self.file.exists():
            time.sleep(0.1)
        worker = ("--scheduler-file", self.file, "--nthreads", 1, "--host", "127.0.0.1",
                  "--no-dashboard", "--local-directory", folder)  # fmt: skip
        self.workers = [self._dask("worker", *worker) for _ in range(workers)]
        self.address = json.loads(self.file.read_text())["address"]

    def _dask(self, kind, *arguments):
        command = [sys.executable, "-m", "dask", kind, *map(str, arguments)]
        return subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def close(self):
        for process in (*self.workers, self.scheduler):
            process.terminate()
        for process in (*self.workers, self.scheduler):
            process.wait(timeout=30)


def test_the_scheduler_is_killed(config, undisturbed, tmp_path):
    chance, kills = random.Random(2), 0
    for number in itertools.count():
        folder, code = tmp_path / str(number), None
        while code != 0:
            cluster = Cluster(tmp_path)
            process = start("run", config, "--out", folder, "--scheduler", cluster.address)
            if kills < KILLS:
                wait_for_work(folder, process)
                time.sleep(chance.uniform(0, 5))
                kills += process.poll() is None
                kill(cluster.scheduler.pid)
            code, output = finish(process)
            cluster.close()
            if code != 0:
                assert code == 2, output
                assert "scheduler is lost" in output or "no Dask scheduler answers" in output
                assert "Traceback" not in output
        assert is_whole(folder, config, undisturbed)
        if kills >= KILLS:
            break
    print(f"schedulers killed: {kills}, in {number + 1} sweeps")
