"""The command line: reads arguments, calls the library, prints."""

import os
import signal
import sys

# isort: off
from rnnlab.cli import train, measure, report, explore, inspect  # noqa: F401  in the order of the help

# isort: on
from rnnlab.cli.app import Interrupted, app
from rnnlab.support.errors import ArgumentError, UserError
from rnnlab.support.platforms import explained
from rnnlab.support.streams import OutputLost, Streams


def main() -> None:
    """Run the command line.

    Exit codes: 0; 1, a run has failed, all diverged, or a stream is full; 2, a mistake; 128 and a
    signal's number.
    """
    with Streams() as streams:
        code = streams.exit_code(_run())
    sys.exit(code)


def _run() -> int:
    """Run the command, tell what ends it, and return its exit code."""
    try:
        os.environ["MPLBACKEND"] = "agg"  # figures are files, whatever the user sets
        with explained():
            app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except OutputLost:
        return 1
    except UserError as error:
        from rnnlab.support.text import printable

        message = error.in_shell if isinstance(error, ArgumentError) else str(error)
        print(f"rnnlab: {printable(message)}", file=sys.stderr)
        return 2
    except Interrupted as interrupted:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # while Python leaves
        print(f"rnnlab: {interrupted}", file=sys.stderr)
        return interrupted.exit_code
    return 0
