"""How long a user waits before anything is computed, without and with what JAX has kept compiled.

Each command in a new process, on all cores; medians over rounds. The first training step is a whole
``rnnlab run`` of one update, with its table and figures.

    python benchmarks/start_up.py
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from machine import Row, markdown, write

ROUNDS = 5
SWEEP = Path(__file__).parent / "sweeps" / "forget_bias.yaml"
RNNLAB = [sys.executable, "-m", "rnnlab"]
ONE_UPDATE = [*RNNLAB, "run", str(SWEEP), "sweep={}", "seeds=1", "training.steps=1"]
BEFORE = "import time; begun = time.perf_counter()"
TRY = f"""
from rnnlab.support.compiled_code import keep_compiled_code
from rnnlab.support.threads import xla_threads
keep_compiled_code(xla_threads())
from rnnlab.engine.execution import Execution
from rnnlab.engine.programs import settings_of
from rnnlab.config.sweep import load_experiment
run = load_experiment({str(SWEEP)!r}, ["sweep={{}}", "seeds=1"]).runs[0]
with settings_of(run):
    begun = time.perf_counter()
    execution = Execution(run)
    execution.try_call([(0, 1), *[(-1, -1)] * (len(execution.calls[0]) - 1)])
print(time.perf_counter() - begun)
"""


def seconds(command: list[str], cache: Path) -> float:
    """Wall time, or what the command prints at its end."""
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    begun = time.perf_counter()
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    if command[1] == "-c":
        return float(done.stdout.split()[-1])
    return time.perf_counter() - begun


def table(rows: Sequence[Row]) -> str:
    """In Markdown."""
    lines = [
        [row["what"], f"{row['seconds']:.2f}", f"[{row['low']:.2f}, {row['high']:.2f}]"]
        for row in rows
    ]
    return markdown(["", "seconds, median", "range"], lines)


def main() -> None:
    """Measure, print, and keep the figures."""
    inside = [sys.executable, "-c", f"{BEFORE}{TRY}"]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        warm = Path(folder) / "warm"

        def one_update(cache: Path) -> float:
            with tempfile.TemporaryDirectory() as out:
                return seconds([*ONE_UPDATE, "--out", out], cache)

        def fresh() -> Path:
            return Path(tempfile.mkdtemp(dir=folder))

        one_update(warm)
        seconds(inside, warm)
        imported = [
            sys.executable,
            "-c",
            f"{BEFORE}; import rnnlab; print(time.perf_counter() - begun)",
        ]
        cases = {
            "import rnnlab": lambda: seconds(imported, warm),
            "rnnlab --help": lambda: seconds([*RNNLAB, "--help"], warm),
            "the first update inside a process, nothing kept": lambda: seconds(inside, fresh()),
            "the same, compiled code kept": lambda: seconds(inside, warm),
            "rnnlab run of one update, nothing kept": lambda: one_update(fresh()),
            "the same run, compiled code kept": lambda: one_update(warm),
        }
        times = np.array([[case() for case in cases.values()] for _ in range(ROUNDS)])
    for name, column in zip(cases, times.T, strict=True):
        rows.append({"what": name, "seconds": np.median(column), "low": column.min()})
        rows[-1]["high"] = column.max()
    print(table(rows))
    write("start_up", rows)


if __name__ == "__main__":
    main()
