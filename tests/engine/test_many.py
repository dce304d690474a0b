"""Thousands of tiny runs: what scheduling and storing them costs, in time and in memory."""

import time

import psutil
import pytest

from engine.sweeps import rnnlab, start, write_config
from rnnlab.results.check import find_damage
from rnnlab.results.store import Store

pytestmark = pytest.mark.processes

CONFIG = """
task: {kind: adding, length: 5}
cell: {kind: rnn, hidden: 2}
training: {steps: 1, batch: 2}
seeds: SEEDS
"""
WORKERS = 2
SECONDS_A_RUN = 0.020
BYTES_A_RUN = 20_000


def sweep(folder, seeds):
    """Seconds a run beyond those that workers spend in it, and bytes by which a run adds."""
    config = write_config(folder, CONFIG.replace("SEEDS", str(seeds)))
    out = folder / "out"
    said = folder / "said.txt"  # more than a pipe holds that nobody reads
    with said.open("w") as file:
        process = start("run", config, "--out", out, "--workers", WORKERS, stdout=file)
    main = psutil.Process(process.pid)
    sizes = []
    while not (out / "live.json").exists() and process.poll() is None:
        time.sleep(0.1)
    while (out / "live.json").exists() and process.poll() is None:
        sizes.append(main.memory_info().rss)
        time.sleep(0.1)
    assert process.wait(3600) == 0, said.read_text()[-2000:]
    store = Store(out)
    runs = [store.read_run(run) for run in store.run_ids()]
    assert len(runs) == seeds
    ended = sorted((store.run_folder(run["id"]) / "run.json").stat().st_mtime for run in runs)
    first = seeds // 5
    spent = sum(run["summary"]["seconds"] for run in runs) / len(runs) / WORKERS
    a_run = (ended[-1] - ended[first]) / (len(runs) - 1 - first) - spent
    assert find_damage(out) == []
    return a_run, (sizes[-1] - sizes[len(sizes) // 3]) / seeds


def test_a_hundred(tmp_path):
    """Loosely, on machines that do other things as well: make soak measures."""
    seconds, _ = sweep(tmp_path, 100)
    assert seconds < 5 * SECONDS_A_RUN


@pytest.mark.soak
def test_ten_thousand(tmp_path):
    seconds, growth = sweep(tmp_path, 10_000)
    print(f"10,000 runs: {1e3 * seconds:.1f} ms and {growth:.0f} bytes of memory a run")
    assert seconds < SECONDS_A_RUN
    assert growth < BYTES_A_RUN
    for command in ("show", "compare"):
        started = time.perf_counter()
        code, output = rnnlab(command, tmp_path / "out")
        assert code == 0, output
        assert time.perf_counter() - started < 5
