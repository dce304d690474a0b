"""Contestants, each in a process of its own, that take turns."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from workload import STEPS_PER_CALL, Shape

HERE = Path(__file__).parent
# Of each array's largest entry.
TOLERANCE = 1e-5


class Process(AbstractContextManager["Process"]):
    """A contestant on some of the cores."""

    def __init__(
        self, peer: str, cell: str, shape: Shape, recorded: str, cores: Sequence[int]
    ) -> None:
        sizes = map(str, shape)
        pinned = ["taskset", "--cpu-list", ",".join(map(str, cores)), sys.executable]
        command = [*pinned, "contestant.py", peer, cell, *sizes, recorded]
        environment = os.environ | {"NPROC": str(len(cores)), "OMP_NUM_THREADS": str(len(cores))}
        self.process = subprocess.Popen(
            command,
            cwd=HERE,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def ask(self, command: str) -> Any:
        """Its answer to a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self.process.args)} has ended")  # type: ignore[arg-type]
        return json.loads(line)

    def gradient(self) -> dict[str, np.ndarray]:
        """Loss and gradient by the given weights."""
        with tempfile.TemporaryDirectory() as folder:
            self.ask(f"check {folder}/gradient.npz")
            return dict(np.load(f"{folder}/gradient.npz"))

    def milliseconds(self) -> float:
        """A training step, from ten of them."""
        return self.ask("time") / STEPS_PER_CALL * 1e3

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()


def difference(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    """Between two gradients: the largest, as a share of its array's largest entry."""
    shared = one.keys() & other.keys()
    assert {"loss", "V", "bias"} < shared
    assert len(shared) >= min(len(one), len(other))
    return max(
        float(np.max(np.abs(one[k] - other[k])) / np.max(np.abs(other[k]))) for k in sorted(shared)
    )


def take_turns(processes: Sequence[Process], rounds: int) -> np.ndarray:
    """Milliseconds (rounds, processes), after a call each that is not counted."""
    for process in processes:
        process.milliseconds()
    return np.array([[p.milliseconds() for p in processes] for _ in range(rounds)])
