"""Errors that the user can correct: one clear message, no traceback."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path


class UserError(Exception):
    """An error that the user can correct; the command line prints it and exits with 2."""


def did_you_mean(word: object, valid: Iterable[str]) -> str:
    """The end of an error message: the nearest valid choice, and all of them."""
    options = sorted(valid)
    if not options:
        return "there is none"
    close = get_close_matches(str(word), options, n=1, cutoff=0.5)
    nearest = f"did you mean {close[0]!r}? " if close else ""
    return f"{nearest}valid: {', '.join(options)}"


def is_file(path: Path) -> bool:
    """Whether the path is a file; False for an invalid path, such as one that is too long."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
