"""Writing what ``rnnlab measure`` found: tables, the diagnosis, figures."""

import itertools
import os
import warnings
from collections.abc import Callable
from pathlib import Path

from rnnlab.measure.scope import Scope
from rnnlab.measure.survey import Survey
from rnnlab.report.figures.style import own_style
from rnnlab.report.findings import Findings, jacobian_figures, write_findings
from rnnlab.support.checksums import Damaged
from rnnlab.support.errors import UserError
from rnnlab.support.files import StorageError, storage_errors, write_parquet, write_text

SCOPE, DIAGNOSIS = "measured.json", "diagnosis.txt"


def lost_in(out: Path, scope: Scope) -> str:
    """What a folder holds that a survey of this scope would write over and lacks; or nothing.

    Returns:
        Such as "a measurement with other inputs".
    """
    if not (out / DIAGNOSIS).exists():
        return ""
    try:
        lacking = scope.lacking(Scope.read(out / SCOPE))
    except Damaged:
        lacking = f"of which {SCOPE} does not tell what was measured"
    return lacking and f"a measurement {lacking}"


def free_folder(folder: Path, scope: Scope) -> Path:
    """The first of ``folder``, ``folder_2``, ``folder_3``, … in which nothing would be lost."""
    numbered = (folder.with_name(f"{folder.name}_{number}") for number in itertools.count(2))
    return next(one for one in itertools.chain([folder], numbered) if not lost_in(one, scope))


def open_output(out: Path) -> None:
    """Make the output folder of a survey, before anything is measured.

    Raises:
        UserError: it is a results folder, whose figures would be replaced; or it is a file, or
            cannot be made or written to.
    """
    if (out / "experiment.json").exists():
        raise UserError(f"{out}: holds trained runs; --out FOLDER writes elsewhere")
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: is a file, not a folder; --out FOLDER writes elsewhere")
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        if not os.access(out, os.W_OK):
            raise StorageError(f"{out}: cannot be written to")


def write_survey(
    survey: Survey, out: Path, tell: Callable[[str], None] = warnings.warn
) -> list[Path]:
    """Write what was measured, the diagnosis, the tables and the figures.

    Args:
        survey: what was measured.
        out: the folder.
        tell: see ``write_findings``.

    Returns:
        The files written.
    """
    with own_style():
        tables = survey.tables
        figures, failed = jacobian_figures(
            jacobians=tables["jacobians"],
            lyapunov=tables["lyapunov"],
            eigenvalues=tables["eigenvalues"],
            runs=survey.runs,
        )
    with storage_errors(out):
        files = {out / f"{name}.parquet": table for name, table in survey.tables.items()}
        for path, table in files.items():
            write_parquet(table, path)
        # Last, so that a folder never tells of more than it holds.
        survey.scope.write(out / SCOPE)
        write_text(out / DIAGNOSIS, survey.text + "\n")
    findings = Findings(survey.summary, figures, not_drawn=failed)
    written = [out / DIAGNOSIS, out / SCOPE, *files]
    return written + write_findings(findings, out, table="measure.csv", tell=tell)
