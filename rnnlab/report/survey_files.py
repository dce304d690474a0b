"""Writing what ``rnnlab measure`` found: tables, the diagnosis, figures."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path

from rnnlab.measure.survey import Survey
from rnnlab.report.figures.style import own_style
from rnnlab.report.findings import Findings, jacobian_figures, write_findings
from rnnlab.support.errors import UserError
from rnnlab.support.files import StorageError, storage_errors, write_parquet, write_text


def open_output(out: Path) -> None:
    """Make the output folder of a survey, before anything is measured.

    Raises:
        UserError: it is a results folder, whose figures would be replaced; or it is a file, or
            cannot be made or written to.
    """
    if (out / "experiment.json").exists():
        raise UserError(f"--out {out}: holds trained runs; choose another folder")
    if out.exists() and not out.is_dir():
        raise UserError(f"--out {out}: is a file, not a folder")
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        if not os.access(out, os.W_OK):
            raise StorageError(f"{out}: cannot be written to")


def write_survey(
    survey: Survey, out: Path, tell: Callable[[str], None] = warnings.warn
) -> list[Path]:
    """Write the tables, the diagnosis and the figures.

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
        written = [out / "diagnosis.txt"]
        write_text(written[0], survey.text + "\n")
        for name, table in survey.tables.items():
            written.append(out / f"{name}.parquet")
            write_parquet(table, written[-1])
    findings = Findings(survey.summary, figures, not_drawn=failed)
    return written + write_findings(findings, out, table="measure.csv", tell=tell)
