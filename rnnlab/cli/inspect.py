"""Commands that read results folders and configs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnnlab.cli.app import (
    EveryConfig,
    ResultsFolder,
    app,
    check_is_known,
    console,
    out_is_offered,
    print_comparison,
    show_parts,
    tell,
)
from rnnlab.support.errors import UserError
from rnnlab.support.paths import written_out

if TYPE_CHECKING:
    from pandas import DataFrame

    from rnnlab.results.read import Results


@app.command()
def show(
    target: Annotated[
        str,
        typer.Argument(
            metavar="RESULTS|CONFIG", help="A results folder, or a config.", callback=written_out
        ),
    ],
    failed: Annotated[
        bool, typer.Option("--failed", help="Of RESULTS only the runs that failed, and why.")
    ] = False,
    every_config: EveryConfig = False,
) -> None:
    """Show the runs with their settings, and which are missing or failed.

    Of a CONFIG, show what it would run, the files that it would load as code (none is loaded), and
    the files of its data.
    """
    from rnnlab.config.preview import preview
    from rnnlab.report.tables import failures, overview
    from rnnlab.results.read import folders_of, load

    check_is_known(target)
    if not Path(target).is_dir():
        show_parts(preview(target))
        return
    for folder in folders_of(Path(target)):
        loaded = load(folder, every_config=every_config)
        show_parts(failures(loaded) if failed else overview(loaded))


@app.command()
def watch(results: ResultsFolder) -> None:
    """Follow a sweep from another terminal: its runs, losses, and the time left."""
    from rnnlab.engine.follow import watch as watch_folder

    watch_folder(results, console())


@app.command()
def compare(
    results: Annotated[
        list[Path],
        typer.Argument(metavar="RESULTS...", help="Results folders.", callback=written_out),
    ],
    by: Annotated[str | None, typer.Option(help="Order by this key, as in cell.hidden.")] = None,
    against: Annotated[
        str | None, typer.Option(help="Value of --by to take differences to, paired by seed.")
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option("--format", help="latex, markdown or csv: print the tables so, for a paper."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write; default the first folder.", callback=written_out),
    ] = None,
    every_config: EveryConfig = False,
) -> None:
    """One row for each setting over its seeds; also written to compare.csv."""
    from rnnlab.report.table_formats import FORMATS
    from rnnlab.results.comparison import compare as compare_results
    from rnnlab.results.read import load
    from rnnlab.support.csv_text import csv_text
    from rnnlab.support.errors import did_you_mean
    from rnnlab.support.files import storage_errors, write_text

    if file_format not in (None, *FORMATS):
        raise UserError(
            f"--format {file_format}: no such format; {did_you_mean(file_format, FORMATS)}"
        )
    loaded = load(*results, every_config=every_config)
    table = compare_results(loaded, by=by, against=against)
    folder = out or results[0]
    try:
        with out_is_offered(), storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_text(folder / "compare.csv", csv_text(table))
    finally:
        _print(table, loaded, file_format)
    typer.echo(f"written: {folder / 'compare.csv'}", err=file_format is not None)


def _print(table: "DataFrame", results: "Results", file_format: str | None) -> None:
    """Print the comparison for the terminal, or for a paper."""
    from rnnlab.report.table_formats import FORMATS

    if file_format is None:
        print_comparison(table, results)
        return
    typer.echo(FORMATS[file_format](table, results.name).rstrip("\n"))
    for line in results.mixtures():
        tell(line)


@app.command()
def plot(
    results: ResultsFolder,
    file_format: Annotated[str, typer.Option("--format", help="png, svg or pdf.")] = "png",
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write; default the results folder.", callback=written_out),
    ] = None,
    every_config: EveryConfig = False,
) -> None:
    """Draw all figures again from stored results."""
    from rnnlab.report.findings import FORMATS, find, write_findings
    from rnnlab.results.read import load
    from rnnlab.support.errors import did_you_mean

    if file_format not in FORMATS:
        raise UserError(
            f"--format {file_format}: no such format; {did_you_mean(file_format, FORMATS)}"
        )
    findings = find(load(results, every_config=every_config))
    with out_is_offered():
        written = write_findings(findings, out or results, file_format, tell=tell)
    for path in written:
        typer.echo(path)


@app.command()
def check(
    results: ResultsFolder,
    repair: Annotated[
        bool, typer.Option("--repair", help="Drop damaged runs, so that they run again.")
    ] = False,
) -> None:
    """Compare every file of a results folder with its checksum."""
    from rnnlab.results.read import folders_of

    are_well = [_check(folder, repair) for folder in folders_of(results)]
    if not all(are_well):
        raise typer.Exit(1)


def _check(folder: Path, repair: bool) -> bool:
    """Print the damage and repair it; return whether none remains."""
    from rnnlab.results import check as checking

    damages = checking.find_damage(folder)
    for damage in damages:
        typer.echo(damage.message)
    if not damages:
        typer.echo(f"{folder}: every file is as it was written")
    remaining = damages
    if damages and repair:
        dropped, remaining = checking.repair(folder)
        for line in dropped:
            typer.echo(line)
    return not remaining


@app.command()
def export(
    results: ResultsFolder,
    to: Annotated[str, typer.Option(help="csv, tensorboard, wandb-offline or mlflow.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write; default RESULTS/export/<format>.", callback=written_out),
    ] = None,
    every_config: EveryConfig = False,
) -> None:
    """Write the runs for another tool to read."""
    from rnnlab.results.export import export as export_results
    from rnnlab.results.read import load

    loaded = load(results, every_config=every_config)
    with out_is_offered():
        written = export_results(loaded, to, out or results / "export" / to)
    for path in written:
        typer.echo(path)


@app.command("list")
def list_configs() -> None:
    """The bundled configs: the question each answers, and its size."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from rnnlab.config.sweep import load_experiment
    from rnnlab.support.bundled import config_names

    table = Table("name", "question", "size", box=SIMPLE_HEAD)
    for name in config_names():
        experiment = load_experiment(name)
        size = f"{len(experiment.runs)} runs × {experiment.runs[0].settings.training.steps} steps"
        if experiment.before_training is not None:
            size += f"; {len(experiment.before_training.runs)} measured before training"
        table.add_row(name, experiment.config.question, size)
    show_parts([table])


@app.command()
def schema() -> None:
    """Print the JSON schema of a config file, for editors."""
    import json

    from rnnlab.config.json_schema import config_schema

    typer.echo(json.dumps(config_schema(), indent=1))
