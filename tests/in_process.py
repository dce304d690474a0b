"""Commands of rnnlab in the process of the tests, which spares each the seconds of a start."""

import contextlib
import io
import sys
from typing import NamedTuple
from unittest import mock

from rnnlab.cli import main


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def run_command(*arguments: object, cwd=".") -> Ended:
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["rnnlab", *map(str, arguments)]),
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
    return Ended(code, out.getvalue(), err.getvalue())


def rnnlab(*arguments: object, cwd=".") -> tuple[int, str]:
    """Exit code, and all that was printed, the results last."""
    ended = run_command(*arguments, cwd=cwd)
    return ended.returncode, ended.stderr + ended.stdout
