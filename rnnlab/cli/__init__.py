"""The command line: reads arguments, calls the library, prints."""

import os
import signal
import sys

# isort: off
from rnnlab.cli import train, measure, inspect  # noqa: F401  in the order of the help

# isort: on
from rnnlab.cli.app import Interrupted, app
from rnnlab.support.errors import UserError
from rnnlab.support.platforms import explained


def main() -> None:
    """Run the command line; mistakes end with one message, 2, and Ctrl-C with 130."""
    try:
        os.environ["MPLBACKEND"] = "agg"  # figures are files, whatever the user sets
        with explained():
            app()
    except UserError as error:
        from rnnlab.support.text import printable

        print(f"rnnlab: {printable(str(error))}", file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, Interrupted) as error:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # while Python leaves
        print(f"rnnlab: {error or 'stopped'}", file=sys.stderr)
        sys.exit(130)
