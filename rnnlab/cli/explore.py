"""The command that writes the page of the instrument."""

from pathlib import Path
from typing import Annotated

import typer

from rnnlab.cli.app import app, out_is_offered
from rnnlab.support.errors import UserError
from rnnlab.support.paths import written_out


@app.command()
def explore(
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The page.", callback=written_out)
    ] = Path("explore.html"),
) -> None:
    """One HTML page with sliders: see what the forget bias, or the gain, does to the gradient.

    A network of 32 units is computed in the browser, before any training; no results are needed.
    """
    from rnnlab.report.page.instrument import write_instrument

    if out.suffix != ".html" or out.is_dir():
        raise UserError(f"--out {out}: must be a file whose name ends in .html")
    with out_is_offered("FILE"):
        typer.echo(write_instrument(out))
