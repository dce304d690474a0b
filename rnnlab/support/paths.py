"""Paths as users write them."""

from pathlib import Path
from typing import Any

from rnnlab.support.errors import UserError


def user_path(path: str | Path) -> Path:
    """A path with ``~`` and ``~name`` in front written out; as in a shell, if there is such a user.

    A shell does so itself, but not in ``--out=~/x``, nor in configs and scripts.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def current_folder() -> Path:
    """The folder in which rnnlab was started.

    Raises:
        UserError: it has been deleted since.
    """
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UserError("the current folder no longer exists: change to another") from None


def written_out(value: Any) -> Any:
    """The value of a command's argument, see ``user_path``: a path, a text, a list, or nothing."""
    if isinstance(value, list | tuple):
        return [written_out(part) for part in value]
    if isinstance(value, str | Path) and str(value).startswith("~"):
        return type(value)(user_path(value))
    return value
