"""How time and memory of a recorded training step grow, with the exponents fitted to them.

On one core, with the LSTM: with the length of sequences, with hidden units, and with the number of
seeds of a sweep, which one process does. Exponents are those of a power law, by least squares of
logarithms; up to a few hundred steps or units what is fixed hides a part.

    python benchmarks/growth.py
"""

import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from arena import Process, take_turns
from machine import Row, cores, markdown, write
from workload import Shape

import rnnlab

SWEEP = Path(__file__).parent / "sweeps" / "forget_bias.yaml"
LENGTHS = (100, 300, 1000, 3000, 10_000)
HIDDEN = (32, 64, 128, 256, 512)
SEEDS = (1, 2, 4, 8, 16, 32, 64)
ROUNDS = 4


def exponent(sizes: Sequence[int], values: Sequence[float]) -> float:
    """Of the power law."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def of_steps(shapes: dict[int, Shape]) -> list[Row]:
    """Milliseconds and bytes by size, each training in its turn."""
    with ExitStack() as stack:
        processes = [
            stack.enter_context(Process("rnnlab", "lstm", shape, "norms", cores()[:1], "cpu"))
            for shape in shapes.values()
        ]
        memory = [process.ask("memory") for process in processes]
        times = take_turns([[process] for process in processes], 1, ROUNDS)
    return [
        {"size": size, "milliseconds": float(np.median(column)), "bytes": bytes_}
        for size, column, bytes_ in zip(shapes, times.T, memory, strict=True)
    ]


def of_seeds() -> list[Row]:
    """Milliseconds of a sweep in this process, compiled before."""

    def seconds(seeds: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            begun = time.perf_counter()
            overrides = {"sweep": {}, "seeds": seeds, "training.steps": 200, "record.means": True}
            rnnlab.run(SWEEP, overrides, out=folder)
            return time.perf_counter() - begun

    seconds(1)
    times = np.array([[seconds(n) for n in SEEDS] for _ in range(2)])
    return [
        {"size": n, "milliseconds": float(best) * 1e3}
        for n, best in zip(SEEDS, times.min(axis=0), strict=True)
    ]


def table(rows: Sequence[Row]) -> str:
    """In Markdown."""
    lines = [
        [
            row["with"],
            row["size"],
            f"{row['milliseconds']:.3g}",
            f"{row['bytes'] / 1e6:.0f}" if "bytes" in row else "",
            f"{row['exponent']:.2f}",
            f"{row['memory_exponent']:.2f}" if "memory_exponent" in row else "",
        ]
        for row in rows
    ]
    header = ["growing", "size", "ms", "MB", "exponent of time", "exponent of memory"]
    return markdown(header, lines)


def main() -> None:
    """Measure, print, and keep the figures."""
    os.sched_setaffinity(0, cores()[:1])
    measured = {
        "length (batch 32, 32 units)": of_steps({n: Shape(n, 32, 32) for n in LENGTHS}),
        "hidden units (T = 100, batch 32)": of_steps({n: Shape(100, 32, n) for n in HIDDEN}),
        "seeds (200 steps of b_f = 1)": of_seeds(),
    }
    rows: list[Row] = []
    for name, found in measured.items():
        sizes = [row["size"] for row in found]
        fitted = {"with": name, "exponent": exponent(sizes, [r["milliseconds"] for r in found])}
        if "bytes" in found[0]:
            fitted["memory_exponent"] = exponent(sizes, [row["bytes"] for row in found])
        rows += [fitted | row for row in found]
    print(table(rows))
    write("growth", rows)


if __name__ == "__main__":
    main()
