"""The table and the figures of an experiment, made from its stored results alone."""

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from rnnlab.report.claims.verdict import Verdict
from rnnlab.report.figures.records import starts_and_ends
from rnnlab.report.figures.standard import OF_JACOBIANS, STANDARD, Ends, draw_standard
from rnnlab.report.figures.style import own_style
from rnnlab.results.comparison import compare
from rnnlab.results.read import Results
from rnnlab.support.csv_text import csv_text
from rnnlab.support.errors import UserError
from rnnlab.support.files import replacing, storage_errors, write_text
from rnnlab.support.plugins import load_analysis
from rnnlab.support.user_code import last_own_line

FORMATS = ("png", "svg", "pdf")


@dataclass(frozen=True)
class Findings:
    """The result of an analysis.

    Attributes:
        table: the comparison, one row for each setting.
        figures: by file name without its ending.
        text: sentences that answer the experiment's question; may be empty.
        numbers: the quantities on which the verdict rests, one row each.
        verdict: whether the claim that the experiment tests holds.

    Raises:
        UserError: an attribute has another type, or a figure's name is not a file name.
    """

    table: pd.DataFrame
    figures: dict[str, Figure] = field(default_factory=dict)
    text: str = ""
    numbers: pd.DataFrame | None = None
    verdict: Verdict | None = None

    def __post_init__(self) -> None:
        missing = type(None)
        for name, kinds in {
            "table": (pd.DataFrame,),
            "figures": (dict,),
            "text": (str,),
            "numbers": (pd.DataFrame, missing),
            "verdict": (Verdict, missing),
        }.items():
            _check(name, getattr(self, name), kinds)
        for name, figure in self.figures.items():
            _check(f"figures[{name!r}]", figure, (Figure,))
            if not isinstance(name, str) or not name or name != Path(name).name:
                raise UserError(f"Findings: figures: {name!r}: must be a file name, without folder")

    @property
    def words(self) -> str:
        """The text, followed by the verdict."""
        verdict = "" if self.verdict is None else str(self.verdict)
        return "\n\n".join(filter(None, (self.text, verdict)))


def _check(name: str, value: object, kinds: tuple[type, ...]) -> None:
    if not isinstance(value, kinds):
        wanted = kinds[0].__name__
        raise UserError(f"Findings: {name}: must be a {wanted}, got a {type(value).__name__}")


def standard_findings(results: Results) -> Findings:
    """The comparison table and the figures of ``figures.standard``."""
    figures = draw_standard(STANDARD, results)
    if results.has_jacobians:
        figures |= jacobian_figures(
            results.jacobians, results.lyapunov, results.eigenvalues, results.runs
        )
    return Findings(compare(results), figures)


def jacobian_figures(
    jacobians: pd.DataFrame, lyapunov: pd.DataFrame, eigenvalues: pd.DataFrame, runs: pd.DataFrame
) -> dict[str, Figure]:
    """Figures of the one-step Jacobians at the start and at the end of each run, by file name.

    The end of a run that diverged is drawn together with that of the others.
    """
    end = int(lyapunov["step"].max())
    ends = Ends(
        starts_and_ends(jacobians, end),
        starts_and_ends(lyapunov, end),
        starts_and_ends(eigenvalues, end),
        runs,
    )
    return draw_standard(OF_JACOBIANS, ends)


def find(results: Results) -> Findings:
    """The findings of the analysis that the config names, or else the standard ones.

    Raises:
        UserError: the analysis cannot be found, fails, or returns something else.
    """
    experiment = results.stores[0].experiment()
    reference = experiment["analysis"]
    with own_style():
        if len(results.stores) > 1 or reference is None:
            return standard_findings(results)
        config_folder = results.stores[0].folder / experiment["config_folder"]
        analyse = load_analysis(reference, "analysis", config_folder)
        with analysis_errors(reference):
            findings = analyse(results)
    if not isinstance(findings, Findings):
        got = type(findings).__name__
        raise UserError(f"analysis: {reference} must return rnnlab.Findings, got a {got}")
    return findings


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"[:300]


@contextmanager
def analysis_errors(reference: str) -> Iterator[None]:
    """Name the last line of the user's own file in the message of an error."""
    try:
        yield
    except (Exception, SystemExit) as error:
        line = last_own_line(error)
        where = f", line {line.lineno} ({line.line})" if line is not None else ""
        kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        raise UserError(f"analysis: {reference} fails{where}: {kind}{error}") from error


def _texts(findings: Findings) -> dict[str, str]:
    """The content of each text file by its name; empty where there is none."""
    texts = dict.fromkeys(("numbers.csv", "findings.txt", "verdict.json"), "")
    if findings.numbers is not None:
        texts["numbers.csv"] = csv_text(findings.numbers)
    if words := findings.words:
        texts["findings.txt"] = words + "\n"
    if findings.verdict is not None:
        answer = json.dumps(asdict(findings.verdict), ensure_ascii=False, indent=1)
        texts["verdict.json"] = answer + "\n"
    return texts


def write_findings(
    findings: Findings,
    out: Path,
    file_format: str = "png",
    table: str = "compare.csv",
    tell: Callable[[str], None] = warnings.warn,
) -> list[Path]:
    """Write the table, the figures, the text, the numbers and the verdict; close the figures.

    Where there is no text, no numbers or no verdict, the file of an earlier analysis is removed
    from a results folder.

    Args:
        findings: to be written.
        out: the folder; made if it does not exist. Figures go into ``figures/`` below it.
        file_format: one of ``FORMATS``.
        table: file name of the table.
        tell: called with a sentence for each figure that cannot be drawn; the others are written.

    Returns:
        The files written.
    """
    with storage_errors(out):
        (out / "figures").mkdir(parents=True, exist_ok=True)
        written = [out / table]
        write_text(written[0], csv_text(findings.table))
        is_results = (out / "experiment.json").exists()
        for name, text in _texts(findings).items():
            if text:
                write_text(out / name, text)
                written.append(out / name)
            elif is_results:
                (out / name).unlink(missing_ok=True)
        for name, figure in findings.figures.items():
            path = out / "figures" / f"{name}.{file_format}"
            try:
                with replacing(path) as partial, own_style():
                    figure.savefig(partial)
                written.append(path)
            except OSError:
                raise
            except Exception as error:  # of Matplotlib and of what the user has it call
                tell(f"{path}: not drawn: {_first_line(error)}")
            finally:
                plt.close(figure)
    return written
