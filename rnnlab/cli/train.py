"""Commands that train."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnnlab.cli.app import (
    Interrupted,
    ResultsFolder,
    app,
    out_is_offered,
    print_comparison,
    say_what_is_not_used,
    show_parts,
    tell,
)
from rnnlab.support.errors import UserError
from rnnlab.support.paths import written_out

if TYPE_CHECKING:
    from rnnlab.config.sweep import Experiment
    from rnnlab.engine.placement import Placement
    from rnnlab.report.findings import Findings
    from rnnlab.results.read import Results


Workers = Annotated[
    int | None,
    typer.Option(min=0, help="Processes; 0: this one; default by cores and memory."),
]


Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="A running Dask cluster, tcp://host:8786.")
]


Slurm = Annotated[
    str | None,
    typer.Option(metavar="KEY=VALUE,...", help="SLURM jobs, as in partition=gpu,gpus=1,jobs=20."),
]


Interface = Annotated[
    str | None, typer.Option(help="The network interface to listen on; default loopback only.")
]


Tls = Annotated[
    str | None,
    typer.Option(metavar="KEY=FILE,...", help="Encrypt: ca=ca.pem,cert=cert.pem,key=key.pem."),
]


Threads = Annotated[
    int, typer.Option(min=1, help="CPU threads of each process; numbers repeat exactly with 1.")
]


WithReport = Annotated[
    bool, typer.Option("--report/--no-report", help="Write the page of the results, report.html.")
]


ADVICE = (
    "no run finished, so that there is no loss to compare: a smaller training.learning_rate, or "
    "training.clip_norm=1, may help"
)


@app.command()
def run(
    config: Annotated[str, typer.Argument(help="A config file, or the name of a bundled one.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="As in cell.hidden=32.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The results folder; default results/<name>.", callback=written_out),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list the runs, and estimate the time.")
    ] = False,
    workers: Workers = None,
    scheduler: Scheduler = None,
    slurm: Slurm = None,
    interface: Interface = None,
    tls: Tls = None,
    threads: Threads = 1,
    with_report: WithReport = True,
) -> None:
    """Train every run of a config that is not stored yet; then compare and draw."""
    from rnnlab.config.sweep import load_experiment
    from rnnlab.engine.experiment import default_folder

    placement = _placement(workers, scheduler, slurm, interface, tls, threads)
    experiment = load_experiment(config, overrides or [])
    folder = out if out is not None else default_folder(experiment)
    if dry_run:
        _foresee(experiment, folder, placement)
    else:
        with out_is_offered():
            _train(experiment, folder, placement, with_report)


@app.command()
def rerun(
    results: ResultsFolder,
    failed: Annotated[bool, typer.Option("--failed", help="Only the runs that failed.")] = False,
    workers: Workers = None,
    scheduler: Scheduler = None,
    slurm: Slurm = None,
    interface: Interface = None,
    tls: Tls = None,
    threads: Threads = 1,
    with_report: WithReport = True,
) -> None:
    """Go on with the experiment of a results folder: what is missing there, or has failed."""
    from rnnlab.engine.experiment import stored_experiment
    from rnnlab.results.read import folders_of, load

    placement = _placement(workers, scheduler, slurm, interface, tls, threads)
    experiment = stored_experiment(results)
    only = None
    if failed:
        parts = [load(folder).runs for folder in folders_of(results)]
        only = {run for runs in parts for run in runs.loc[runs["status"] == "failed", "run"]}
    _train(experiment, results, placement, with_report, only)


def _placement(
    workers: int | None,
    scheduler: str | None,
    slurm: str | None,
    interface: str | None,
    tls: str | None,
    threads: int,
) -> "Placement":
    from rnnlab.engine.placement import SLURM_KEYS, TLS_KEYS, Placement, parse_pairs

    return Placement(
        workers=workers,
        scheduler=scheduler,
        slurm=parse_pairs("--slurm", slurm, SLURM_KEYS) if slurm is not None else None,
        interface=interface,
        tls=parse_pairs("--tls", tls, TLS_KEYS) if tls is not None else None,
        threads=threads,
    )


def _foresee(experiment: "Experiment", folder: Path, placement: "Placement") -> None:
    from rnnlab.engine.dry_run import foresee
    from rnnlab.support.compiled_code import keep_compiled_code

    say_what_is_not_used()
    keep_compiled_code(placement.threads)
    for part, place in experiment.parts(folder):
        show_parts(foresee(part, place, placement, lambda text: typer.echo(text, err=True)))


def _train(
    experiment: "Experiment",
    folder: Path,
    placement: "Placement",
    with_report: bool,
    only: set[str] | None = None,
) -> None:
    """Do the runs, then show and write the findings."""
    say_what_is_not_used()
    from rnnlab.engine import run_experiment
    from rnnlab.engine.interrupt import exit_code
    from rnnlab.engine.progress import make_progress
    from rnnlab.results.read import load
    from rnnlab.support.compiled_code import keep_compiled_code

    keep_compiled_code(placement.threads)
    parts = experiment.parts(folder)
    for part, place in parts:
        try:
            run_experiment(part, place, make_progress(), placement, only)
        except KeyboardInterrupt as stopped:
            if not (place / "experiment.json").exists():
                raise Interrupted("stopped before any run began", exit_code(stopped)) from None
            stored = (load(place).runs["status"] != "missing").sum()
            raise Interrupted(
                f"stopped; {stored} of {len(part.runs)} runs are stored in {place}, and the "
                "same command goes on from there",
                exit_code(stopped),
            ) from None
    results = load(folder)
    if results.runs["status"].isin(["finished", "diverged"]).any():
        _show_findings(results, folder, with_report)
    _end([load(place) for _, place in parts])


def _show_findings(results: "Results", folder: Path, with_report: bool) -> None:
    """Write the findings and the page; print the comparison and what was written."""
    from rnnlab.report.findings import find, write_findings
    from rnnlab.results.comparison import compare
    from rnnlab.support.text import printable

    try:
        findings = find(results)
    except UserError:
        print_comparison(compare(results), results)
        raise
    written: list[Path] = []
    try:
        written = write_findings(findings, folder, tell=tell)
        if with_report:
            written = [*_write_page(results, folder, findings), *written]
    finally:
        print_comparison(findings.table, results)
        if written:
            typer.echo("written:\n" + "\n".join(f"  {path}" for path in written))
        if findings.words:
            typer.echo("\n" + printable(findings.words))


def _write_page(results: "Results", folder: Path, findings: "Findings") -> list[Path]:
    """The page's path; none, and a line that says why, where it cannot be written."""
    from rnnlab.report.page.report import REPORT, write_report

    path = folder / REPORT
    try:
        has_analysis = results.stores[0].experiment()["analysis"] is not None
        return [write_report([results], path, {0: findings} if has_analysis else {})]
    except Exception as error:
        kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        reason = (str(error).splitlines() or [""])[0][:300]
        tell(f"{path}: not written: {kind}{reason}")
        return []


def _end(parts: Sequence["Results"]) -> None:
    """Name failed runs, and say so where runs diverged and none finished; both end with code 1."""
    from rnnlab.report.tables import failures

    failed = [part for part in parts if (part.runs["status"] == "failed").any()]
    for line in itertools.chain.from_iterable(map(failures, failed)):
        typer.echo(line, err=True)
    lost = [part for part in parts if part.has_only_diverged]
    for part in lost:
        tell(f"{part.name}: {part.counted()}; {ADVICE}")
    if failed or lost:
        raise typer.Exit(1)
