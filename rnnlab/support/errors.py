"""Errors that the user can correct: one clear message, no traceback."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

NAMED = re.compile(r"\{([a-z]+)\}")


class UserError(Exception):
    """An error that the user can correct; the command line prints it and exits with 2."""


class ArgumentError(UserError):
    """A wrong argument of a function that a command calls too, named as its user wrote it.

    Attributes:
        in_shell: the message with options of the command line, such as ``--by``.
    """

    def __init__(self, argument: str, value: object, problem: str) -> None:
        """Say what is wrong with a value.

        Args:
            argument: its name in Python.
            value: as it was given.
            problem: a sentence, in which other arguments are written ``{name}``.
        """
        super().__init__(f"{argument}={value!r}: " + NAMED.sub(r"\1", problem))
        self.in_shell = f"--{argument} {value}: " + NAMED.sub(r"--\1", problem)


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
