"""Contestants, each in processes of its own, that take turns."""

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
# As it is before rnnlab sets flags of XLA, which are no other library's.
ENVIRONMENT = dict(os.environ)
# Of each array's largest entry.
TOLERANCE = 1e-5


class Process(AbstractContextManager["Process"]):
    """A contestant on some of the cores, or on the GPU."""

    def __init__(
        self, peer: str, cell: str, shape: Shape, recorded: str, cores: Sequence[int], device: str
    ) -> None:
        sizes = map(str, shape)
        pinned = ["taskset", "--cpu-list", ",".join(map(str, cores)), sys.executable]
        command = [*pinned, "contestant.py", peer, cell, *sizes, recorded, device]
        environment = ENVIRONMENT | {"NPROC": str(len(cores)), "OMP_NUM_THREADS": str(len(cores))}
        environment |= {"JAX_PLATFORMS": {"cpu": "cpu", "gpu": "cuda"}[device]}
        environment |= {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "NVIDIA_TF32_OVERRIDE": "0"}
        self.process = subprocess.Popen(
            command,
            cwd=HERE,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.answer()

    def tell(self, command: str) -> None:
        """Give a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        """What it says to the last command."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self.process.args)} has ended")  # type: ignore[arg-type]
        return json.loads(line)

    def ask(self, command: str) -> Any:
        """Its answer to a command."""
        self.tell(command)
        return self.answer()

    def gradient(self) -> dict[str, np.ndarray]:
        """Loss and gradient by the given weights."""
        with tempfile.TemporaryDirectory() as folder:
            self.ask(f"check {folder}/gradient.npz")
            return dict(np.load(f"{folder}/gradient.npz"))

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()


Team = Sequence[Process]


def milliseconds(team: Team, calls: int) -> float:
    """A training step, from ten a call of each process; all train at once."""
    for process in team:
        process.tell(f"time {calls}")
    seconds = max([process.answer() for process in team])
    return seconds / (calls * STEPS_PER_CALL * len(team)) * 1e3


def take_turns(teams: Sequence[Team], calls: int, rounds: int) -> np.ndarray:
    """Milliseconds (rounds, teams), after a turn each that is not counted."""
    for team in teams:
        milliseconds(team, 1)
    return np.array([[milliseconds(team, calls) for team in teams] for _ in range(rounds)])


def difference(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    """Between two gradients: the largest, as a share of its array's largest entry."""
    shared = one.keys() & other.keys()
    assert {"loss", "V", "bias"} < shared
    assert len(shared) >= min(len(one), len(other))
    return max(
        float(np.max(np.abs(one[k] - other[k])) / np.max(np.abs(other[k]))) for k in sorted(shared)
    )
