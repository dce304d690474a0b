"""Sweeps in processes of their own, which tests may kill, and what such a sweep leaves."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import psutil

from rnnlab.results.store import Store

CONFIG = """
task: {kind: adding, length: 40}
cell: {kind: lstm, hidden: 12}
training: {steps: 600, batch: 8}
record: {every: 50}
sweep: {cell: {forget_bias: [0, 1, 2, chrono]}}
seeds: 3
checkpoint_every: 0
"""
# In place of the standard one, which draws figures for two seconds.
ANALYSIS = """
import rnnlab

def analyse(results):
    return rnnlab.Findings(rnnlab.compare(results))
"""
RNNLAB = [sys.executable, "-m", "rnnlab"]


def write_config(folder: Path, text: str = CONFIG, name: str = "tiny") -> Path:
    (folder / "compared.py").write_text(ANALYSIS)
    path = folder / f"{name}.yaml"
    path.write_text(f"{text}\nanalysis: compared.py:analyse\n")
    return path


def start(*arguments: object, **options) -> subprocess.Popen:
    """A command of rnnlab in a process group of its own."""
    options = {"stdout": subprocess.PIPE} | options
    return subprocess.Popen(
        [*RNNLAB, *map(str, arguments)],
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=os.environ | {"MPLBACKEND": "agg"},
        **options,
    )


def finish(process: subprocess.Popen, seconds: float = 300.0) -> tuple[int, str]:
    """Exit code and output; a process that hangs is killed, and fails the test."""
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        kill(process.pid)
        process.communicate()
        raise
    return process.returncode, output


def rnnlab(*arguments: object, seconds: float = 300.0, **options) -> tuple[int, str]:
    return finish(start(*arguments, **options), seconds)


def workers_of(process: subprocess.Popen) -> list[psutil.Process]:
    """Worker processes that a sweep has started."""
    try:
        children = psutil.Process(process.pid).children(recursive=True)
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
    except psutil.NoSuchProcess:
        return []


def kill(pid: int) -> None:
    """kill -9 of a process, not of its children."""
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(pid).kill()


def numbers(folder: Path) -> dict[str, bytes]:
    """Every table and all parameters of every stored run, byte for byte."""
    store = Store(folder)
    contents = {}
    for run_id in store.run_ids():
        run = store.read_run(run_id)
        assert run["status"] == "finished", run
        for name in run["files"]:
            contents[f"{run_id}/{name}"] = store.read_file(run_id, name)
    return contents
