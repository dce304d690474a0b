"""The command that writes the page of results."""

from pathlib import Path
from typing import Annotated

import typer

from rnnlab.cli.app import EveryConfig, app, out_is_offered, tell
from rnnlab.support.errors import UserError
from rnnlab.support.paths import written_out


@app.command()
def report(
    results: Annotated[
        list[Path],
        typer.Argument(metavar="RESULTS...", help="Results folders.", callback=written_out),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The page; default report.html in the first folder.",
            callback=written_out,
        ),
    ] = None,
    every_config: EveryConfig = False,
) -> None:
    """One HTML page of results: the answer, plots to drag and click, the table; to open and send.

    Of several results folders, a page that compares them.
    """
    from rnnlab.report.page.analyses import analyses
    from rnnlab.report.page.report import REPORT, write_report
    from rnnlab.results.read import load
    from rnnlab.support.compiled_code import keep_compiled_code

    keep_compiled_code(1)
    path = out or results[0] / REPORT
    if path.suffix != ".html" or path.is_dir():
        raise UserError(f"--out {path}: must be a file whose name ends in .html")
    folders = {folder.resolve(): folder for folder in results}
    loaded = [load(folder, every_config=every_config) for folder in folders.values()]
    found, notes = analyses(loaded)
    for note in notes:
        tell(note)
    with out_is_offered("FILE"):
        typer.echo(write_report(loaded, path, found, notes))
