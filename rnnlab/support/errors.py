"""Mistakes that a user can mend: one clear message, no traceback."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path


class UserError(Exception):
    """Something that the user can put right; the command line prints it and exits with 2."""


def did_you_mean(word: object, valid: Iterable[str]) -> str:
    """The nearest valid choice and all of them, as the end of an error message."""
    options = sorted(valid)
    if not options:
        return "there is none"
    close = get_close_matches(str(word), options, n=1, cutoff=0.5)
    nearest = f"did you mean {close[0]!r}? " if close else ""
    return f"{nearest}valid: {', '.join(options)}"


def is_file(path: Path) -> bool:
    """Whether there is a file; a path that none can have, too long say, is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
