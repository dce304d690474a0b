"""A full disk, a read-only folder, two writers, a clock that goes backwards."""

import shutil
import subprocess
import sys
import textwrap
import time

import pytest
from engine.sweeps import RNNLAB, numbers, rnnlab, start, write_config

from rnnlab.config.sweep import load_experiment
from rnnlab.results.check import find_damage
from rnnlab.results.store import Store

pytestmark = pytest.mark.processes

CONFIG = """
task: {kind: adding, length: 20}
cell: {kind: lstm, hidden: 8}
training: {steps: 60, batch: 4}
record: {every: 1}
seeds: 12
"""


def on_a_small_disk(folder, size, then):
    """Run shell commands with an empty disk of this size mounted over a folder."""
    folder.mkdir()
    mount = f"mount -t tmpfs -o size={size} tmpfs {folder}"
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", f"{mount} && {then}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def can_mount():
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "--mount", "--map-root-user", "mount", "-t", "tmpfs", "x", "/mnt"]
    return subprocess.run(command, capture_output=True).returncode == 0


needs_mounts = pytest.mark.skipif(not can_mount(), reason="may not mount a small disk")


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return write_config(tmp_path_factory.mktemp("config"), CONFIG)


@needs_mounts
@pytest.mark.parametrize("workers", [0, 2])
def test_a_full_disk(config, tmp_path, workers):
    """The sweep says so and keeps what is stored; with room again it goes on."""
    disk, copy = tmp_path / "disk", tmp_path / "copy"
    run = " ".join([*RNNLAB, f"run {config} --out {disk}/out --workers {workers}"])
    ended = on_a_small_disk(disk, "400k", f"{run}; code=$?; cp -a {disk}/out {copy}; exit $code")
    assert ended.returncode == 2, ended.stderr
    assert "no space left on the device; what was stored before is intact" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert find_damage(copy) == []
    stored = numbers(copy)
    assert 0 < len(Store(copy).run_ids()) < 12
    code, output = rnnlab("run", config, "--out", copy, "--workers", workers)
    assert code == 0, output
    whole = numbers(copy)
    assert stored == {name: whole[name] for name in stored}
    assert len(Store(copy).run_ids()) == 12


@needs_mounts
def test_a_read_only_folder(config, tmp_path):
    disk = tmp_path / "disk"
    run = " ".join([*RNNLAB, f"run {config} --out {disk}/out"])
    ended = on_a_small_disk(disk, "1m", f"mount -o remount,ro {disk} && {run}")
    assert ended.returncode == 2, ended.stderr
    assert "Read-only file system" in ended.stderr
    assert str(disk) in ended.stderr
    assert "Traceback" not in ended.stderr


def test_two_at_once(config, tmp_path):
    """The second says that the first is at work, and takes nothing from it."""
    out = tmp_path / "out"
    first = start("run", config, "--out", out, "--workers", 0)
    while not (out / "live.json").exists() and first.poll() is None:
        time.sleep(0.05)
    second = start("run", config, "--out", out, "--workers", 0)
    text = second.communicate(timeout=120)[0]
    assert second.returncode == 2, text
    assert "another rnnlab is at work in this folder; rnnlab watch" in text
    assert first.communicate(timeout=120)
    assert first.returncode == 0
    assert find_damage(out) == []
    assert Store(out).run_ids() == sorted(run.id for run in load_experiment(config).runs)


def test_many_at_once(config, tmp_path):
    """However they race, every run is there once, and those that lose say why."""
    out = tmp_path / "out"
    racers = [start("run", config, "--out", out, "--workers", 0) for _ in range(4)]
    texts = [racer.communicate(timeout=300)[0] for racer in racers]
    codes = [racer.returncode for racer in racers]
    assert codes.count(0) >= 1, texts
    assert set(codes) <= {0, 2}, texts
    lost = [text for text, code in zip(texts, codes, strict=True) if code == 2]
    assert [text for text in lost if "at work" not in text] == []
    assert find_damage(out) == []
    assert Store(out).run_ids() == sorted(run.id for run in load_experiment(config).runs)


BACKWARDS = textwrap.dedent("""
    import itertools, sys, time
    clock = itertools.count(2e9, -3600.0)
    time.time = lambda: next(clock)
    import rnnlab
    rnnlab.run(sys.argv[1], out=sys.argv[2])
""")


def test_a_clock_that_goes_backwards(config, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-c", BACKWARDS, str(config), str(out)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    runs = [Store(out).read_run(run) for run in Store(out).run_ids()]
    assert len(runs) == 12
    assert all(run["summary"]["seconds"] > 0 for run in runs)
