"""The command line: reads arguments, calls the library, prints."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnnlab.errors import UserError
from rnnlab.version import __version__

if TYPE_CHECKING:
    from pandas import DataFrame
    from rich.console import Console

    from rnnlab.results import Results

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
""",
)

ResultsFolder = Annotated[Path, typer.Argument(metavar="RESULTS", help="A results folder.")]
EveryConfig = Annotated[
    bool, typer.Option("--all", help="Also runs of earlier configs in the same folder.")
]


@app.command()
def run(
    config: Annotated[str, typer.Argument(help="A config file, or the name of a bundled one.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="As in cell.hidden=32.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The results folder; default results/<name>.")
    ] = None,
) -> None:
    """Train every run of a config that is not stored yet; then compare and draw."""
    from rnnlab import engine
    from rnnlab.findings import find, write_findings
    from rnnlab.progress import make_progress
    from rnnlab.results import load
    from rnnlab.sweep import load_experiment

    experiment = load_experiment(config, overrides or [])
    folder = out if out is not None else Path("results") / experiment.config.name
    try:
        engine.run_experiment(experiment, folder, make_progress())
    except KeyboardInterrupt:
        if not (folder / "experiment.json").exists():
            raise
        stored = (load(folder).runs["status"] != "missing").sum()
        raise Interrupted(
            f"stopped; {stored} of {len(experiment.runs)} runs are stored in {folder}, and the "
            "same command goes on from there"
        ) from None
    results = load(folder)
    if results.runs["status"].isin(["finished", "diverged"]).any():
        findings = find(results)
        written = write_findings(findings, folder)
        _print_comparison(findings.table, results)
        if findings.text:
            typer.echo(findings.text + "\n")
        typer.echo("written:\n" + "\n".join(f"  {path}" for path in written))
    _end_with_failures(results)


@app.command()
def measure(
    target: Annotated[
        str, typer.Argument(metavar="CONFIG|RESULTS", help="A config, or a results folder.")
    ],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Of a config.")
    ] = None,
    run_id: Annotated[
        str | None, typer.Option("--run", metavar="ID", help="Of RESULTS this run only.")
    ] = None,
    params: Annotated[
        Path | None, typer.Option(help="Weights of the CONFIG's cell, a .safetensors file.")
    ] = None,
    origin: Annotated[
        str | None, typer.Option("--from", help="'torch': --params is a PyTorch state dict.")
    ] = None,
    inputs: Annotated[
        Path | None, typer.Option(help="Inputs (time, batch, features), a .npy or .npz file.")
    ] = None,
    length: Annotated[
        int | None, typer.Option(min=1, help="How many steps back the gradient should reach.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write; default results/<name>_measured.")
    ] = None,
) -> None:
    """Measure ∂c_t/∂c_t−1 without training: how far the gradient reaches, along which path.

    Of a CONFIG every setting and seed at initialisation, or weights of your own; of RESULTS every
    run as it ended.
    """
    from rnnlab.progress import make_progress
    from rnnlab.subjects import find_subjects
    from rnnlab.survey import open_output, survey
    from rnnlab.user_files import load_inputs

    read = load_inputs(inputs) if inputs else None
    found, home = find_subjects(target, overrides or [], run_id, params, origin)
    folder = out or home.with_name(f"{home.name}_measured")
    open_output(folder)
    measured = survey(found, read, length, make_progress())
    written = measured.write(folder)
    typer.echo(measured.text + "\n\nwritten:\n" + "\n".join(f"  {path}" for path in written))
    if not measured.is_whole:
        raise Interrupted("stopped before all were measured; the above is what there is")


@app.command()
def plot(
    results: ResultsFolder,
    file_format: Annotated[str, typer.Option("--format", help="png, svg or pdf.")] = "png",
    out: Annotated[
        Path | None, typer.Option(help="Where to write; default the results folder.")
    ] = None,
    every_config: EveryConfig = False,
) -> None:
    """Draw all figures again from stored results."""
    from rnnlab.errors import did_you_mean
    from rnnlab.findings import FORMATS, find, write_findings
    from rnnlab.results import load

    if file_format not in FORMATS:
        raise UserError(f"--format {file_format}: {did_you_mean(file_format, FORMATS)}")
    findings = find(load(results, every_config=every_config))
    for path in write_findings(findings, out or results, file_format):
        typer.echo(path)


@app.command()
def compare(
    results: Annotated[list[Path], typer.Argument(metavar="RESULTS...", help="Results folders.")],
    by: Annotated[str | None, typer.Option(help="Order by this key, as in cell.hidden.")] = None,
    against: Annotated[
        str | None, typer.Option(help="Value of --by to take differences to, paired by seed.")
    ] = None,
    every_config: EveryConfig = False,
) -> None:
    """One row for each setting over its seeds; also written to compare.csv."""
    from rnnlab.comparison import compare as compare_results
    from rnnlab.results import load
    from rnnlab.store import storage_errors, write_text

    loaded = load(*results, every_config=every_config)
    table = compare_results(loaded, by=by, against=against)
    path = results[0] / "compare.csv"
    with storage_errors(results[0]):
        write_text(path, table.to_csv(index=False))
    _print_comparison(table, loaded)
    typer.echo(f"written: {path}")


@app.command("list")
def list_configs() -> None:
    """The bundled configs: the question each answers, and its size."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from rnnlab.bundled import config_names
    from rnnlab.sweep import load_experiment

    table = Table("name", "question", "size", box=SIMPLE_HEAD)
    for name in config_names():
        experiment = load_experiment(name)
        size = f"{len(experiment.runs)} runs × {experiment.runs[0].settings.training.steps} steps"
        table.add_row(name, experiment.config.question, size)
    _console().print(table)


@app.command()
def show(results: ResultsFolder, every_config: EveryConfig = False) -> None:
    """What ran, with which settings, and what is missing or failed."""
    from rnnlab.results import load
    from rnnlab.tables import overview

    for part in overview(load(results, every_config=every_config)):
        _console().print(part)


@app.command()
def schema() -> None:
    """Print the JSON schema of a config file, for editors."""
    import json

    from rnnlab.schema import config_schema

    typer.echo(json.dumps(config_schema(), indent=1))


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rnnlab {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options before the command."""


class Interrupted(Exception):
    """Ctrl-C, with what to say about it."""


def _console() -> "Console":
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=max(console.width, 120))


def _print_comparison(table: "DataFrame", results: "Results") -> None:
    from rnnlab.tables import comparison_tables

    for part in (*comparison_tables(table, results.name), *results.mixtures()):
        _console().print(part)


def _end_with_failures(results: "Results") -> None:
    failed = results.runs[results.runs["status"] == "failed"]
    for row in failed.itertuples():
        typer.echo(f"failed: {row.setting}, seed {row.seed}: {row.error}", err=True)
    if len(failed):
        raise typer.Exit(1)


def main() -> None:
    """Run the command line; mistakes end with one message, 2, and Ctrl-C with 130."""
    try:
        app()
    except UserError as error:
        print(f"rnnlab: {error}", file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, Interrupted) as error:
        print(f"rnnlab: {error or 'stopped'}", file=sys.stderr)
        sys.exit(130)
