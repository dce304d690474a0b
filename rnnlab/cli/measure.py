"""The command that measures without training."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnnlab.cli.app import (
    Interrupted,
    app,
    check_is_known,
    out_is_offered,
    say_what_is_not_used,
    tell,
)
from rnnlab.support.errors import UserError
from rnnlab.support.paths import written_out

if TYPE_CHECKING:
    from rnnlab.measure.inputs import Inputs
    from rnnlab.measure.scope import Scope
    from rnnlab.measure.subjects import Subject
    from rnnlab.measure.survey import Survey


Target = Annotated[
    str,
    typer.Argument(
        metavar="CONFIG|RESULTS", help="A config, or a results folder.", callback=written_out
    ),
]


Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Of a config.")
]


RunId = Annotated[str | None, typer.Option("--run", metavar="ID", help="Of RESULTS this run only.")]


Weights = Annotated[
    Path | None,
    typer.Option(
        "--params", help="Weights of the CONFIG's cell, a .safetensors file.", callback=written_out
    ),
]


Origin = Annotated[
    str | None, typer.Option("--from", help="'torch': --params is a PyTorch state dict.")
]


InputFile = Annotated[
    Path | None,
    typer.Option(
        help="Inputs: a file as of task.path, or an array, .npy or .npz.", callback=written_out
    ),
]


BatchFirst = Annotated[
    bool | None,
    typer.Option(
        "--batch-first/--time-first",
        help="Which axis of an array of --inputs is first: (batch, time, features), or time.",
    ),
]


Length = Annotated[
    int | None, typer.Option(min=1, help="How many steps back the gradient should reach.")
]


Out = Annotated[
    Path | None,
    typer.Option(
        help="Where to write; default results/<name>_measured, with a number behind it where that "
        "holds another measurement.",
        callback=written_out,
    ),
]


@app.command()
def measure(
    target: Target,
    overrides: Overrides = None,
    run_id: RunId = None,
    params: Weights = None,
    origin: Origin = None,
    inputs: InputFile = None,
    batch_first: BatchFirst = None,
    length: Length = None,
    out: Out = None,
) -> None:
    """Measure ∂c_t/∂c_t−1 without training: how far the gradient reaches, along which path.

    Of a CONFIG every setting and seed before training, or weights of your own; of RESULTS every
    run as it ended.
    """
    from rnnlab.measure.scope import Scope
    from rnnlab.support.compiled_code import keep_compiled_code
    from rnnlab.support.threads import xla_threads

    say_what_is_not_used()
    keep_compiled_code(xla_threads())
    read = _read(inputs, batch_first, length)
    found, home = _subjects(target, overrides or [], run_id, params, origin)
    default = home.with_name(f"{home.name}_measured")
    folder = _open(out, default, Scope.of(found, read, length))
    measured = _measured(found, read, length)
    if read is not None:
        steps, examples, features = read.shape
        tell(f"{inputs}: {steps} time steps, {examples} examples, {features} features")
    _show_and_write(measured, folder, out, default)


def _open(out: Path | None, default: Path, scope: "Scope") -> Path:
    """The folder in which a measurement of this scope loses no earlier one.

    Raises:
        UserError: ``out`` holds another, or the folder cannot be written to.
    """
    from rnnlab.report.survey_files import free_folder, lost_in, open_output

    if out is not None and (lost := lost_in(out, scope)):
        raise UserError(f"--out {out}: holds {lost}, which would be lost; choose another folder")
    folder = free_folder(default, scope) if out is None else out
    with out_is_offered():
        open_output(folder)
    if folder != (out or default):
        tell(f"{default}: holds {lost_in(default, scope)}; this one goes to {folder}")
    return folder


def _measured(subjects: "list[Subject]", read: "Inputs | None", length: int | None) -> "Survey":
    from rnnlab.engine.interrupt import exit_code
    from rnnlab.engine.progress import make_progress
    from rnnlab.measure.survey import survey

    try:
        return survey(subjects, read, length, make_progress())
    except KeyboardInterrupt as stopped:
        raise Interrupted("stopped before any was measured", exit_code(stopped)) from None


def _show_and_write(measured: "Survey", folder: Path, out: Path | None, default: Path) -> None:
    """Write what was measured, and print the diagnosis, also where it cannot be written."""
    from rnnlab.report.survey_files import lost_in, write_survey

    try:
        if lost_in(folder, measured.scope):  # less was measured than was wanted
            folder = _open(out, default, measured.scope)
        with out_is_offered():
            written = write_survey(measured, folder, tell)
    finally:
        typer.echo(measured.text)
    typer.echo("\nwritten:\n" + "\n".join(f"  {path}" for path in written))
    if not measured.is_whole:
        raise Interrupted(
            "stopped before all were measured; the above is what there is", measured.stopped
        )


def _read(inputs: Path | None, batch_first: bool | None, length: int | None) -> "Inputs | None":
    """The inputs that the user brings; None without a file.

    Raises:
        UserError: the options contradict each other or the file.
    """
    from rnnlab.measure.inputs import load_inputs

    if inputs is None:
        if batch_first is not None:
            raise UserError("--batch-first and --time-first need --inputs: the file they are of")
        return None
    read = load_inputs(inputs, batch_first)
    if length is not None and length >= (steps := len(read)):
        raise UserError(
            f"--length {length}: {inputs} has {steps} time steps, which reach {steps - 1} back"
        )
    return read


def _subjects(
    target: str,
    overrides: list[str],
    run_id: str | None,
    weights: Path | None,
    origin: str | None,
) -> "tuple[list[Subject], Path]":
    """The subjects that the arguments name, and the results folder that they belong to.

    Raises:
        UserError: the arguments contradict each other, or name nothing that exists.
    """
    from rnnlab.config.sweep import load_experiment
    from rnnlab.measure.subjects import of_config, of_results, of_weights
    from rnnlab.networks.weight_files import read_torch_params
    from rnnlab.results.params import read_params
    from rnnlab.support.bundled import config_names

    if origin not in (None, "torch"):
        raise UserError(f"--from {origin}: must be 'torch'; leave it out for rnnlab's own names")
    if origin and not weights:
        raise UserError("--from torch needs --params: the file that holds the weights")
    check_is_known(target)
    if Path(target).is_dir() and target not in config_names():
        if weights or overrides:
            raise UserError(f"{target}: a results folder takes no --params and no KEY=VALUE")
        folder = Path(target) if Path(target).name else Path(target).resolve()
        return of_results(folder, run_id), folder
    if run_id:
        raise UserError(f"--run {run_id}: {target} is no results folder")
    experiment = load_experiment(target, overrides)
    home = Path("results") / experiment.config.name
    if weights:
        read = read_torch_params if origin == "torch" else read_params
        return of_weights(experiment, weights, read), home
    return of_config(experiment), home
