"""Checks of the user's files: whether they exist, and which values are not finite."""

import contextlib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from rnnlab.support.errors import UserError


def check_is_file(path: Path) -> None:
    """Raise a UserError unless there is a file with content."""
    problem = "no such file"
    with contextlib.suppress(OSError, ValueError):
        if path.is_file() and path.stat().st_size:
            return
        problem = "is empty" if path.is_file() else "is a folder" if path.is_dir() else problem
        others = [p.name for p in path.parent.iterdir() if p.suffix == path.suffix and p != path]
        problem += nearest(path.name, others)
    raise UserError(f"{path}: {problem}")


def not_finite(array: np.ndarray) -> str:
    """The number of values that are not finite and the index of the first; empty if all are."""
    finite = np.isfinite(array)
    bad = f"{finite.size - finite.sum()} of {finite.size} {array.dtype} values are NaN or infinite"
    return "" if finite.all() else f"{bad}, the first at {np.argwhere(~finite)[0].tolist()}"


def nearest(word: str, choices: list[str]) -> str:
    """A hint (did you mean …?), or an empty text."""
    return "".join(f" (did you mean {n!r}?)" for n in get_close_matches(word, choices, 1, 0.5))


def some(words: Iterable[str], most: int = 40) -> str:
    """Sorted words, separated by commas; at most ``most`` of them."""
    names = sorted(words)
    return ", ".join(names[:most] + ["…"] * (len(names) > most)) or "nothing"
