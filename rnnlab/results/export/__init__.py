"""Results for other tools: CSV files, TensorBoard, Weights & Biases (offline) and MLflow."""

from collections.abc import Callable
from pathlib import Path

from rnnlab.results.export.tables import to_csv
from rnnlab.results.export.to_mlflow import to_mlflow
from rnnlab.results.export.to_tensorboard import to_tensorboard
from rnnlab.results.export.to_wandb import to_wandb
from rnnlab.results.read import Results
from rnnlab.support.errors import ArgumentError, did_you_mean
from rnnlab.support.files import storage_errors

__all__ = ["FORMATS", "export"]

WRITERS: dict[str, Callable[[Results, Path], list[Path]]] = {
    "csv": to_csv,
    "tensorboard": to_tensorboard,
    "wandb-offline": to_wandb,
    "mlflow": to_mlflow,
}
FORMATS = tuple(WRITERS)


def export(results: Results, to: str, out: Path) -> list[Path]:
    """Write results for another tool, run by run, and return the files and folders written.

    The files of an earlier export of a run are replaced, even if its label has changed; all else
    in the folder stays.

    Args:
        results: the runs that finished or diverged are written; ``runs.csv`` lists all.
        to: one of ``FORMATS``.
        out: the folder, created if missing; nothing is written outside it.

    Raises:
        UserError: there is no such format, its library is not installed, no run has finished, or
            the folder cannot be written.
    """
    if to not in WRITERS:
        raise ArgumentError("to", to, f"no such format; {did_you_mean(to, FORMATS)}")
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        return WRITERS[to](results, out)
