"""A sweep of forget biases, every step recorded: ``rnnlab run`` against scripts on other libraries.

All runs of all settings, from starting the process to the last file written; ours also compares and
draws. Ours uses a worker on each core, the others one process with all threads that they start.
Memory is the largest sum over a contestant's processes, of pages shared by several a part each.

    python benchmarks/whole_experiment.py [STEPS]     default 2000, as in the config
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
from machine import Row, markdown, write

HERE = Path(__file__).parent
SWEEP = HERE / "sweeps" / "forget_bias.yaml"
STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
LOOK_EVERY = 0.2


def commands(scratch: Path) -> dict[str, list[str]]:
    """By contestant; ours a second time with the code compiled that the first time left."""
    rnnlab = [sys.executable, "-m", "rnnlab", "run", str(SWEEP)]
    rnnlab += ["record.means=true", f"training.steps={STEPS}", "--out"]
    found = {"rnnlab": [*rnnlab, str(scratch / "a")], "rnnlab again": [*rnnlab, str(scratch / "b")]}
    for name in ("flax", "torch"):
        script = ["-m", f"sweeps.with_{name}", str(STEPS), str(scratch / f"{name}.npz")]
        found[name] = [sys.executable, *script]
    return found


def held(process: psutil.Process) -> int:
    """Bytes of memory of a process and its descendants."""
    total = 0
    for member in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):
            total += member.memory_full_info().pss
    return total


def measure(command: list[str], cache: Path) -> tuple[float, int]:
    """Seconds, and bytes at most."""
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    begun, most = time.perf_counter(), 0
    with subprocess.Popen(command, cwd=HERE, env=environment, stdout=subprocess.DEVNULL) as child:
        process = psutil.Process(child.pid)
        while child.poll() is None:
            with contextlib.suppress(psutil.Error):
                most = max(most, held(process))
            time.sleep(LOOK_EVERY)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}")
    return time.perf_counter() - begun, most


def table(rows: Sequence[Row]) -> str:
    """In Markdown."""
    lines = [
        [
            row["contestant"],
            f"{row['seconds']:.0f}",
            f"{row['ratio']:.2f}",
            f"{row['bytes'] / 1e6:.0f}",
        ]
        for row in rows
    ]
    return markdown(["contestant", "seconds", "rnnlab ÷ this", "MB"], lines)


def main() -> None:
    """Measure, print, and keep the figures."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for name, command in commands(scratch).items():
            seconds, most = measure(command, scratch / "cache")
            rows.append({"contestant": name, "seconds": seconds, "bytes": most, "steps": STEPS})
            for row in rows:
                row["ratio"] = rows[0]["seconds"] / row["seconds"]
            write("whole_experiment", rows)
    print(table(rows))


if __name__ == "__main__":
    main()
