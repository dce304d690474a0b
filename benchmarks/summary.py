"""What benchmarks reach, beside what is aimed at."""

from collections.abc import Iterable, Sequence

import numpy as np
from gradient_step import LOW_MEMORY, OURS, SHAPES
from machine import Row
from peers.jax_training import IN_ONE_LOOP
from workload import LONG

NINE = [(cell, list(shape)) for cell in ("rnn", "lstm", "gru") for shape in SHAPES]
SMALLEST = list(SHAPES[0])
AS_USERS_TRAIN, ANY = ("nothing",), ("nothing", IN_ONE_LOOP)

Line = list[str]


def spread(values: Iterable[float]) -> str:
    """Geometric mean, and the extremes."""
    values = list(values)
    mean = np.exp(np.mean(np.log(values)))
    return f"{mean:.2f} [{min(values):.2f}, {max(values):.2f}]"


class Steps:
    """The rows of ``gradient_step``, looked up."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows

    def row(self, cell: str, shape: list[int], library: str, records: str) -> Row:
        """On one core."""
        wanted = (cell, shape, "one core", library, records)
        keys = ("cell", "shape", "arrangement", "library", "records")
        (row,) = [row for row in self.rows if tuple(row[key] for key in keys) == wanted]
        return row

    def to_fastest(self, on_one_core: bool, records: Sequence[str]) -> str:
        """Ratios to the fastest peer at each of the nine points, at its best arrangement."""

        def at(cell: str, shape: list[int]) -> float:
            return max(
                row["ratio"]
                for row in self.rows
                if (row["cell"], row["shape"]) == (cell, shape)
                and row["library"] != OURS
                and row["records"] in records
                and row["is_right"]
                and (row["arrangement"] == "one core") == on_one_core
            )

        return spread(at(*point) for point in NINE)

    def to_torch(self, shapes: Sequence[list[int]]) -> str:
        """Ratios to PyTorch, both recording."""
        points = [(cell, shape) for cell, shape in NINE if shape in shapes]
        return spread(self.row(*point, "torch", "norms")["ratio"] for point in points)

    def cost_of_recording(self) -> str:
        """Norms and gate means of every step to nothing."""

        def at(cell: str, shape: list[int]) -> float:
            to_unrecorded = self.row(cell, shape, OURS, "nothing")["ratio"]
            return float(to_unrecorded / self.row(cell, shape, OURS, "norms and gates")["ratio"])

        return spread(at(*point) for point in NINE)

    def memory(self) -> str:
        """Of the recorded step to that of Flax, which records nothing."""
        return spread(
            self.row(*point, OURS, "norms")["bytes"] / self.row(*point, "flax", "nothing")["bytes"]
            for point in NINE
        )

    def of_low_memory(self, what: str, library: str, records: str) -> str:
        """Bytes or milliseconds at 10,000 steps with ``training.memory: low``."""
        low = self.row("lstm", list(LONG), OURS, LOW_MEMORY[0])
        return f"{low[what] / self.row('lstm', list(LONG), library, records)[what]:.2f}"


def of_steps(rows: Sequence[Row]) -> list[Line]:
    """Of a training step."""
    steps, larger = Steps(rows), [list(shape) for shape in SHAPES[1:]]
    as_users, compiled = "fastest peer that records nothing", "whose training is one compiled loop"
    low = f"`training.memory: low` at {list(LONG)} ÷"
    return [
        [
            f"one core: recorded ÷ {as_users}",
            steps.to_fastest(True, AS_USERS_TRAIN),
            "0.60, ≤ 0.95",
        ],
        [f"all cores: recorded ÷ {as_users}", steps.to_fastest(False, AS_USERS_TRAIN), "0.60"],
        [f"one core: the same, or Flax {compiled}", steps.to_fastest(True, ANY), ""],
        [f"all cores: the same, or Flax {compiled}", steps.to_fastest(False, ANY), ""],
        [f"recorded ÷ PyTorch recording, {SMALLEST}", steps.to_torch([SMALLEST]), "0.10"],
        ["recorded ÷ PyTorch recording, larger", steps.to_torch(larger), "0.50"],
        ["norms and gate means ÷ nothing recorded", steps.cost_of_recording(), "1.03"],
        ["memory, recorded ÷ Flax that records nothing", steps.memory(), "1.0"],
        [f"{low} Flax: memory", steps.of_low_memory("bytes", "flax", "nothing"), "0.25"],
        [f"{low} Flax: time", steps.of_low_memory("milliseconds", "flax", "nothing"), "1.5"],
        [f"{low} `full`: time", steps.of_low_memory("milliseconds", OURS, "norms"), "1.5"],
    ]


def of_experiment(rows: Sequence[Row]) -> list[Line]:
    """Of the whole experiment."""
    ratio = {row["contestant"]: row["ratio"] for row in rows}
    return [
        ["whole experiment ÷ PyTorch script", f"{ratio['torch']:.3f}", "0.12"],
        ["whole experiment ÷ Flax script", f"{ratio['flax']:.2f}", "0.40"],
    ]


def of_growth(rows: Sequence[Row]) -> list[Line]:
    """Of growth."""
    exponents = {row["with"]: row["exponent"] for row in rows}
    return [
        [f"exponent of time with {name}", f"{value:.2f}", "" if "hidden" in name else "1.05"]
        for name, value in exponents.items()
    ]
