"""A training step of rnnlab that records, against libraries that do not, and against itself.

Each contestant trains in a process of its own, ten steps a turn, as its users would; they take
turns, and ratios are those of neighbours in time. First all must find the same gradient.

    python benchmarks/gradient_step.py            on one core
    python benchmarks/gradient_step.py --quick    the smallest shape only
"""

import itertools
import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import peers
from arena import TOLERANCE, Process, difference, take_turns
from workload import Shape

HERE = Path(__file__).parent
CELLS = ("rnn", "lstm", "gru", "gru before")
SHAPES = (Shape(100, 32, 32), Shape(200, 64, 128), Shape(1000, 64, 128))
LONG = Shape(10_000, 8, 64)
ROUNDS = {100: 12, 200: 8, 1000: 4, 10_000: 3}

Row = dict[str, Any]


def contestants(cell: str) -> list[tuple[str, str]]:
    """Library and what it records, for all that have this cell; ours first."""
    libraries = [(name, peers.peer(name)) for name in peers.NAMES]
    return [
        (name, recorded)
        for name, peer in libraries
        if cell in peer.CELLS
        for recorded in peer.RECORDINGS
    ]


def compare(cell: str, shape: Shape, cores: list[int]) -> list[Row]:
    """A row for each contestant: milliseconds, ratio of ours to it, bytes."""
    who = contestants(cell)
    with ExitStack() as stack:
        processes = [
            stack.enter_context(Process(name, cell, shape, recorded, cores))
            for name, recorded in who
        ]
        reference = processes[0].gradient()
        errors = [difference(process.gradient(), reference) for process in processes]
        times = take_turns(processes, ROUNDS[shape.time])
        memory = [process.ask("memory") for process in processes]
    rows = []
    for (name, recorded), error, column, bytes_ in zip(who, errors, times.T, memory, strict=True):
        ratio = times[:, 0] / column
        row = {"cell": cell, "shape": tuple(shape), "cores": len(cores), "library": name}
        row |= {"records": recorded, "milliseconds": float(np.median(column)), **bytes_}
        row |= {"ratio": float(np.median(ratio)), "low": ratio.min(), "high": ratio.max()}
        rows.append(row | {"difference": error, "is_right": error <= TOLERANCE})
    return rows


def table(rows: list[Row]) -> str:
    """The rows in Markdown."""
    lines = [
        "| cell | T, batch, hidden | cores | library | records | ms a step | "
        "rnnlab's recorded step in this unit: median [range] | MB in a step |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ratio = f"{row['ratio']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
        if not row["is_right"]:
            ratio = f"error: gradients differ by {row['difference']:.1e}"
        cells = [row["cell"], ", ".join(map(str, row["shape"])), row["cores"], row["library"]]
        cells += [row["records"], f"{row['milliseconds']:.2f}", ratio]
        lines.append("| " + " | ".join(map(str, [*cells, f"{row['grown'] / 1e6:.0f}"])) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write ``gradient_step.json``."""
    core = min(os.sched_getaffinity(0))
    quick = "--quick" in sys.argv
    points = [*itertools.product(CELLS, SHAPES[:1] if quick else SHAPES)]
    points += [] if quick else [("lstm", LONG)]
    rows: list[Row] = []
    for cell, shape in points:
        found = compare(cell, shape, [core])
        print(table(found), "\n", flush=True)
        rows += found
        (HERE / "gradient_step.json").write_text(json.dumps(rows, indent=1, default=float))


if __name__ == "__main__":
    main()
