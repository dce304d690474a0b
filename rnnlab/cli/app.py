"""Shared parts of the commands: the application, arguments, and printing."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnnlab.support.errors import UserError
from rnnlab.support.paths import written_out
from rnnlab.support.version import __version__

if TYPE_CHECKING:
    from pandas import DataFrame
    from rich.console import Console, RenderableType

    from rnnlab.results.read import Results


app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""rnnlab shows where gradients go in recurrent networks.

Examples:

rnnlab run forget_bias

rnnlab run my.yaml cell.hidden=32 'sweep.cell.forget_bias=\\[0,1]' seeds=3

rnnlab compare results/forget_bias --by cell.forget_bias --against 1

rnnlab plot results/forget_bias --format pdf

rnnlab measure forget_bias task.length=1000

rnnlab watch results/forget_bias
""",
)


ResultsFolder = Annotated[
    Path, typer.Argument(metavar="RESULTS", help="A results folder.", callback=written_out)
]


EveryConfig = Annotated[
    bool, typer.Option("--all", help="Also runs of earlier configs in the same folder.")
]


def _version(wanted: bool | None) -> None:
    if wanted:
        typer.echo(f"rnnlab {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool | None,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = None,
) -> None:
    """Options before the command."""


class Interrupted(Exception):
    """A signal has ended the command; holds a message for the user, and the exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def console() -> "Console":
    """The console for tables; at least 120 columns wide if it is no terminal."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=max(console.width, 120))


def show_parts(parts: "Iterable[RenderableType]") -> None:
    """Print tables, and texts as they are: lines of any length, no markup."""
    from rich.text import Text

    to = console()
    for part in parts:
        if isinstance(part, Text):
            typer.echo(part.plain)
        else:
            to.print(part)


@contextlib.contextmanager
def out_is_offered(what: str = "FOLDER") -> Iterator[None]:
    """Name the option, and what it takes, in the message where something cannot be written."""
    from rnnlab.support.files import StorageError

    try:
        yield
    except StorageError as error:
        raise UserError(f"{error}; --out {what} writes elsewhere") from None


def check_is_known(target: str) -> None:
    """Raise a UserError where CONFIG|RESULTS names neither; it names the nearest of both."""
    from rnnlab.results.folders import nearest_results
    from rnnlab.support.bundled import config_names
    from rnnlab.support.user_files import nearest

    if not Path(target).exists() and target not in (names := config_names()):
        raise UserError(
            f"{target}: no such file or folder, and no bundled config of that name"
            f"{nearest(target, names)}; rnnlab list shows those; {nearest_results(Path(target))}"
        )


def tell(line: str) -> None:
    """Print a line that is no result."""
    typer.echo(line, err=True)


def say_what_is_not_used() -> None:
    """Tell which settings of the user's for JAX and Matplotlib rnnlab does not follow."""
    from rnnlab.report.figures.style import not_used as of_matplotlib
    from rnnlab.support.jax_settings import not_used as of_jax

    for line in (*of_jax(), *of_matplotlib()):
        tell(line)


def print_comparison(table: "DataFrame", results: "Results") -> None:
    """Print the comparison, and differences in the runs' environments."""
    from rnnlab.report.tables import comparison_tables
    from rnnlab.support.terminal import plain

    show_parts((*comparison_tables(table, results.name), *map(plain, results.mixtures())))
