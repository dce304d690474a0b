"""What a survey is of, and what of an earlier one it lacks."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnlab.measure.subjects import Subject
from rnnlab.support.checksums import read_sealed, sha256, write_sealed


@dataclass(frozen=True)
class Scope:
    """What was, or will be, measured.

    Attributes:
        subjects: of each its settings and seed (a run's id), its step, and a hash of its weights.
        inputs: a hash of the given inputs; None, those of the task.
        length: how many steps back the gradient should reach; None, to the first step.
    """

    subjects: frozenset[str]
    inputs: str | None
    length: int | None

    @classmethod
    def of(
        cls, subjects: Sequence[Subject], inputs: np.ndarray | None, length: int | None
    ) -> "Scope":
        """The scope of a survey with these arguments."""
        keys = frozenset(map(_key, subjects))
        return cls(keys, None if inputs is None else _hash(inputs), length)

    @classmethod
    def read(cls, path: Path) -> "Scope":
        """A scope that was written.

        Raises:
            Damaged: there is no such file, or it is not as it was written.
        """
        stored = read_sealed(path)
        return cls(frozenset(stored["subjects"]), stored["inputs"], stored["length"])

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        content = {"subjects": sorted(self.subjects), "inputs": self.inputs, "length": self.length}
        write_sealed(path, content)

    def lacking(self, earlier: "Scope") -> str:
        """Say in words which measurements of an earlier survey this one lacks; empty if none.

        The same subjects, inputs and length give the same numbers, and more subjects include them.
        """
        others = not earlier.subjects <= self.subjects
        parts = [
            (others, "of other settings, seeds or weights"),
            (earlier.inputs != self.inputs, "with other inputs"),
            (earlier.length != self.length, "with another number of steps to reach back"),
        ]
        return " and ".join(text for is_so, text in parts if is_so)


def _key(subject: Subject) -> str:
    weights = "initial"
    if subject.weights is not None:
        weights = "unreadable"  # whoever measures them is told
        with contextlib.suppress(OSError):
            weights = sha256(subject.weights.read_bytes())
    return f"{subject.run.id} step {subject.step} weights {weights}"


def _hash(array: np.ndarray) -> str:
    return sha256(f"{array.dtype} {array.shape} ".encode() + array.tobytes())
