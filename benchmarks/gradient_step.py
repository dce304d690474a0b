"""A training step of rnnlab that records, against libraries that do not, and against itself.

Each contestant trains as its users would, ten steps a call, in a process pinned to one core; then
all cores are used, by a process on each or by one on all. Contestants take turns, and ratios are
those of neighbours in time. First all must find the same gradient.

    python benchmarks/gradient_step.py
    python benchmarks/gradient_step.py --quick           the smallest shape only
    python benchmarks/gradient_step.py --device gpu      on one GPU, with cuDNN
"""

import argparse
import itertools
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

import numpy as np
import peers
from arena import TOLERANCE, Process, difference, take_turns
from machine import Row, cores, markdown, write
from workload import LONG, Shape

CELLS = ("rnn", "lstm", "gru", "gru before")
SHAPES = (Shape(100, 32, 32), Shape(200, 64, 128), Shape(1000, 64, 128))
# By length: calls a turn, turns.
SCHEDULE = {100: (10, 10), 200: (1, 8), 1000: (1, 3), LONG.time: (1, 3)}
OURS = "rnnlab"
LOW_MEMORY = ("norms, low memory",)


class Contestant(NamedTuple):
    """Who trains, what it records, and which cores each of its processes has."""

    library: str
    records: str
    cores: Sequence[Sequence[int]]
    arrangement: str


def everyone(cell: str, shape: Shape) -> list[tuple[str, str]]:
    """Library and what it records, for all that have this cell; ours first."""
    libraries = [(name, peers.peer(name)) for name in peers.NAMES]
    return [
        (name, recorded)
        for name, peer in libraries
        if cell in peer.CELLS
        for recorded in (*peer.RECORDINGS, *(LOW_MEMORY if (name, shape) == (OURS, LONG) else ()))
    ]


def on_one_core(cell: str, shape: Shape) -> list[Contestant]:
    """All, with every kind of record."""
    return [Contestant(*who, [cores()[:1]], "one core") for who in everyone(cell, shape)]


def on_all_cores(cell: str, shape: Shape) -> list[Contestant]:
    """Ours recording, a process on each core; those that do not record, at both arrangements."""
    each = [[core] for core in cores()]
    ours = Contestant(OURS, "norms", each, "a process on each core")
    others = [who for who in everyone(cell, shape) if who[0] != OURS and who[1] != "norms"]
    ways = [(each, "a process on each core"), ([cores()], "one process on all cores")]
    return [ours, *(Contestant(*who, *way) for who in others for way in ways)]


def on_gpu(cell: str, shape: Shape) -> list[Contestant]:
    """All, with every kind of record."""
    return [Contestant(*who, [cores()], "one GPU") for who in everyone(cell, shape)]


def ways(cell: str, shape: Shape, device: str) -> list[list[Contestant]]:
    """Who is compared with whom; very long sequences on one core only."""
    if device == "gpu":
        return [on_gpu(cell, shape)]
    return [on_one_core(cell, shape)] + ([on_all_cores(cell, shape)] if shape != LONG else [])


def compare(cell: str, shape: Shape, contestants: Sequence[Contestant], device: str) -> list[Row]:
    """A row for each contestant: milliseconds, ratio of ours to it, bytes."""
    with ExitStack() as stack:
        teams = [
            [
                stack.enter_context(Process(c.library, cell, shape, c.records, some, device))
                for some in c.cores
            ]
            for c in contestants
        ]
        memory = [sum([process.ask("memory") for process in team]) for team in teams]
        reference = teams[0][0].gradient()
        errors = [difference(team[0].gradient(), reference) for team in teams]
        times = take_turns(teams, *SCHEDULE[shape.time])
    rows = []
    for who, error, bytes_, column in zip(contestants, errors, memory, times.T, strict=True):
        ratio = times[:, 0] / column
        row: Row = {"cell": cell, "shape": list(shape), "arrangement": who.arrangement}
        row |= {"library": who.library, "records": who.records}
        row |= {"milliseconds": np.median(column), "bytes": bytes_, "difference": error}
        row |= {"ratio": np.median(ratio), "low": ratio.min(), "high": ratio.max()}
        rows.append(row | {"is_right": error <= TOLERANCE})
    return rows


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown."""
    header = ["cell", "T, batch, hidden", "on", "library", "records", "ms a step"]
    header += ["rnnlab's recorded step ÷ this: median [range]", "MB"]
    lines = []
    for row in rows:
        ratio = f"{row['ratio']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
        if not row["is_right"]:
            ratio = f"error: gradients differ by {row['difference']:.1e}"
        who = [row["arrangement"], row["library"], row["records"]]
        figures = [f"{row['milliseconds']:.3g}", ratio, f"{row['bytes'] / 1e6:.0f}"]
        lines.append([row["cell"], ", ".join(map(str, row["shape"])), *who, *figures])
    return markdown(header, lines)


def main() -> None:
    """Measure, print, and keep the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    options = parser.parse_args()
    points = [*itertools.product(CELLS, SHAPES[:1] if options.quick else SHAPES)]
    points += [] if options.quick else [("lstm", LONG)]
    rows: list[Row] = []
    for cell, shape in points:
        for contestants in ways(cell, shape, options.device):
            found = compare(cell, shape, contestants, options.device)
            print(table(found), "\n", flush=True)
            rows += found
            if not options.quick:
                write(f"gradient_step_{options.device}", rows)


if __name__ == "__main__":
    main()
