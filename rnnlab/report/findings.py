"""What an experiment shows: its table and figures, made from stored results alone."""

import json
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from rnnlab.report.claims.verdict import Verdict
from rnnlab.report.figures import (
    eigenvalues_figure,
    gates_figure,
    gradient_decay_figure,
    has_biases,
    heatmap_figure,
    indirect_share_figure,
    jacobian_paths_figure,
    learning_curves_figure,
    lyapunov_figure,
    sensitivity_figure,
)
from rnnlab.report.figures.style import RC
from rnnlab.results.comparison import compare
from rnnlab.results.read import Results
from rnnlab.support.csv_text import csv_text
from rnnlab.support.errors import UserError
from rnnlab.support.files import replacing, storage_errors, write_text
from rnnlab.support.plugins import load_analysis

FORMATS = ("png", "svg", "pdf")


@dataclass(frozen=True)
class Findings:
    """What an analysis returns.

    Attributes:
        table: the comparison, one row a setting.
        figures: by file name without its ending.
        text: sentences that answer the experiment's question, or nothing.
        numbers: what the verdict rests on, one row a quantity.
        verdict: whether the claim that the experiment tests holds.

    Raises:
        UserError: one of these is something else, or a figure's name is no file name.
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
        """The text, and at its end the verdict."""
        verdict = "" if self.verdict is None else str(self.verdict)
        return "\n\n".join(filter(None, (self.text, verdict)))


def _check(name: str, value: object, kinds: tuple[type, ...]) -> None:
    if not isinstance(value, kinds):
        wanted = kinds[0].__name__
        raise UserError(f"Findings: {name}: must be a {wanted}, got a {type(value).__name__}")


def standard_findings(results: Results) -> Findings:
    """The comparison table, and figures of decay, heat maps, learning curves and gates."""
    gradients, gates = results.gradients, results.gates
    figures = {
        "gradient_decay": gradient_decay_figure(gradients, shown_steps(gradients)),
        "learning_curves": learning_curves_figure(results.training, results.runs),
    }
    for quantity in ("c", "h"):
        if (gradients["quantity"] == quantity).any():
            figures[f"heatmap_{quantity}"] = heatmap_figure(gradients, quantity)
    for gate, name in (("f", "forget_gate"), ("z", "update_gate")):
        if (gates["gate"] == gate).any():
            figures[name] = gates_figure(gates, results.runs, gate)
    if results.has_jacobians:
        figures |= jacobian_figures(
            results.jacobians, results.lyapunov, results.eigenvalues, results.runs
        )
    return Findings(compare(results), figures)


def jacobian_figures(
    jacobians: pd.DataFrame, lyapunov: pd.DataFrame, eigenvalues: pd.DataFrame, runs: pd.DataFrame
) -> dict[str, Figure]:
    """What the one-step Jacobians show at the start and at the end of each run.

    The end of a run that diverged is drawn with that of the others.
    """
    end = int(lyapunov["step"].max())
    jacobians, lyapunov, eigenvalues = (
        _starts_and_ends(frame, end) for frame in (jacobians, lyapunov, eigenvalues)
    )
    steps = sorted({int(step) for step in jacobians["step"]})
    figures = {
        "sensitivity": sensitivity_figure(jacobians, runs, steps),
        "lyapunov": lyapunov_figure(lyapunov, steps),
    }
    if has_biases(runs):
        figures["indirect_share"] = indirect_share_figure(jacobians, runs, steps)
    for step, suffix in zip(steps, ("", "_trained"), strict=False):
        figures[f"jacobian_paths{suffix}"] = jacobian_paths_figure(jacobians, step)
        figures[f"eigenvalues{suffix}"] = eigenvalues_figure(eigenvalues, step)
    return figures


def _starts_and_ends(frame: pd.DataFrame, end: int) -> pd.DataFrame:
    """The first and the last record of each run, the last as if at the step ``end``."""
    steps = frame.groupby("run")["step"]
    is_first, is_last = (frame["step"] == steps.transform(of) for of in ("min", "max"))
    unified = frame["step"].mask(is_last & (frame["step"] > 0), end)
    return frame.assign(step=unified)[is_first | is_last]


def shown_steps(gradients: pd.DataFrame) -> list[int]:
    """The first, a middle and the last recorded training step."""
    steps = sorted(gradients["step"].unique())
    return [int(step) for step in dict.fromkeys((steps[0], steps[len(steps) // 2], steps[-1]))]


def find(results: Results) -> Findings:
    """The findings of the analysis that the config names, or else the standard ones.

    Raises:
        UserError: the analysis is not to be found, or fails.
    """
    experiment = results.stores[0].experiment()
    reference = experiment["analysis"]
    with plt.rc_context(RC):
        if len(results.stores) > 1 or reference is None:
            return standard_findings(results)
        config_folder = results.stores[0].folder / experiment["config_folder"]
        analyse = load_analysis(reference, "analysis", config_folder)
        with analysis_errors(reference, analyse):
            findings = analyse(results)
    if not isinstance(findings, Findings):
        got = type(findings).__name__
        raise UserError(f"analysis: {reference} must return rnnlab.Findings, got a {got}")
    return findings


@contextmanager
def analysis_errors(reference: str, analyse: Callable[[Results], object]) -> Iterator[None]:
    """Say where an analysis fails: the last line of its own file."""
    try:
        yield
    except (Exception, SystemExit) as error:
        file = getattr(analyse, "__globals__", {}).get("__file__")
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename == file]
        where = f", line {own[-1].lineno} ({own[-1].line})" if own else ""
        kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        raise UserError(f"analysis: {reference} fails{where}: {kind}{error}") from error


def _texts(findings: Findings) -> dict[str, str]:
    """What is to be in which file; nothing where an earlier analysis may have left one."""
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
    findings: Findings, out: Path, file_format: str = "png", table: str = "compare.csv"
) -> list[Path]:
    """Write the table and ``figures/``, and close the figures; also the text, numbers and verdict.

    Where there is none of these, that of an earlier analysis is removed from a results folder.

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
            with replacing(path) as partial, plt.rc_context(RC):
                figure.savefig(partial)
            plt.close(figure)
            written.append(path)
    return written
