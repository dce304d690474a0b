"""CSV files that a spreadsheet can open without running formulas from their text."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from rnnlab.results.export.runs import ExportedRun, runs_to_export
from rnnlab.results.read import Results
from rnnlab.support.csv_text import guarded
from rnnlab.support.files import replacing
from rnnlab.training.quantities import QUANTITIES


def safe_csv(frame: pd.DataFrame, *, header: bool = True) -> str:
    """A data frame as CSV (RFC 4180); numbers keep all digits, and a missing one is empty.

    Text that a spreadsheet would take for a formula gets a leading '.
    """
    safe = frame.rename(columns=guarded)
    for column in safe.select_dtypes(exclude="number"):
        safe[column] = safe[column].astype(object).map(guarded)
    # Python before 3.13 quotes a carriage return only where it is part of the line's end.
    return safe.to_csv(index=False, header=header, lineterminator="\r\n")


def to_csv(results: Results, out: Path) -> list[Path]:
    """Write ``runs.csv`` for all runs, and one CSV file for each recorded quantity.

    Existing files of these names are replaced.
    """
    runs = list(runs_to_export(results))
    written = [_write(out / "runs.csv", [results.runs])]
    for name in QUANTITIES:
        if some := [run for run in runs if run.has_table(name)]:
            written.append(_write_table(out, name, some))
    return written


def _write_table(out: Path, name: str, runs: list[ExportedRun]) -> Path:
    columns = dict.fromkeys(column for run in runs for column in run.table(name).columns)
    frames = (run.table(name).reindex(columns=list(columns)) for run in runs)
    return _write(out / f"{name}.csv", frames)


def _write(path: Path, frames: Iterable[pd.DataFrame]) -> Path:
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        for index, frame in enumerate(frames):
            file.write(safe_csv(frame, header=index == 0))
    return path
