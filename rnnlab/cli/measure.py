"""The command that measures without training."""

from pathlib import Path
from typing import Annotated

import typer

from rnnlab.cli.app import Interrupted, app


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
    from rnnlab.engine.progress import make_progress
    from rnnlab.measure.subjects import find_subjects
    from rnnlab.measure.survey import open_output, survey
    from rnnlab.networks.weight_files import load_inputs
    from rnnlab.support.compiled_code import keep_compiled_code
    from rnnlab.support.threads import xla_threads

    keep_compiled_code(xla_threads())
    read = load_inputs(inputs) if inputs else None
    found, home = find_subjects(target, overrides or [], run_id, params, origin)
    folder = out or home.with_name(f"{home.name}_measured")
    open_output(folder)
    measured = survey(found, read, length, make_progress())
    written = measured.write(folder)
    typer.echo(measured.text + "\n\nwritten:\n" + "\n".join(f"  {path}" for path in written))
    if not measured.is_whole:
        raise Interrupted("stopped before all were measured; the above is what there is")
