"""The table and the figures of an experiment, made from its stored results alone."""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from rnnlab.report.claims.verdict import Verdict
from rnnlab.report.claims.words import in_words
from rnnlab.report.figure_files import write_figures
from rnnlab.report.figures.at_ends import jacobian_figures
from rnnlab.report.figures.standard import STANDARD, draw_standard
from rnnlab.report.figures.style import own_style
from rnnlab.results.comparison import compare
from rnnlab.results.intervals import Estimate
from rnnlab.results.read import Results
from rnnlab.support.csv_text import csv_text
from rnnlab.support.errors import UserError
from rnnlab.support.files import storage_errors, write_text
from rnnlab.support.plugins import load_analysis
from rnnlab.support.user_code import last_own_line

FORMATS = ("png", "svg", "pdf")
MOST_KEY_NUMBERS = 3


@dataclass(frozen=True)
class KeyNumber:
    """One of the few numbers that a reader should take home.

    Attributes:
        label: what it is, in a few words.
        estimate: its value and interval.
        form: of its numbers, see ``in_words``.
        meaning: one plain sentence that says what it tells.
    """

    label: str
    estimate: Estimate
    form: str = ".3g"
    meaning: str = ""

    @property
    def value(self) -> str:
        """The value alone, as text: "1.14"."""
        return in_words(self.estimate, self.form).partition(" ")[0]

    @property
    def interval(self) -> str:
        """The interval as text, "[1.11, 1.17]"; empty where there is none."""
        return in_words(self.estimate, self.form).partition(" ")[2]


@dataclass(frozen=True)
class Findings:
    """The result of an analysis.

    Attributes:
        table: the comparison, one row for each setting.
        figures: by file name without its ending.
        text: sentences that answer the experiment's question; may be empty.
        numbers: the quantities on which the verdict rests, one row each.
        verdict: whether the claim that the experiment tests holds.
        answer: one plain sentence that answers the experiment's question; may be empty.
        sentences: short ones that explain the answer to a newcomer; a run ends with them.
        key_numbers: those that matter most, three at most.
        captions: of figures, by file name without its ending; a standard figure has its own.
        not_drawn: why other figures could not be drawn, by file name.
        claim: what the verdict is about, in one line; may be empty.

    Raises:
        UserError: an attribute has another type, a figure's name is not a file name, the answer
            has more than one line, or there are too many key numbers.
    """

    table: pd.DataFrame
    figures: dict[str, Figure] = field(default_factory=dict)
    text: str = ""
    numbers: pd.DataFrame | None = None
    verdict: Verdict | None = None
    answer: str = ""
    sentences: Sequence[str] = ()
    key_numbers: Sequence[KeyNumber] = ()
    captions: Mapping[str, str] = field(default_factory=dict)
    not_drawn: Mapping[str, str] = field(default_factory=dict)
    claim: str = ""

    def __post_init__(self) -> None:
        missing = type(None)
        for name, kinds in {
            "table": (pd.DataFrame,),
            "figures": (dict,),
            "text": (str,),
            "numbers": (pd.DataFrame, missing),
            "verdict": (Verdict, missing),
            "answer": (str,),
            "sentences": (list, tuple),
            "key_numbers": (list, tuple),
            "captions": (dict,),
            "not_drawn": (dict,),
            "claim": (str,),
        }.items():
            _check(name, getattr(self, name), kinds)
        _check_answer(self)
        for name, figure in self.figures.items():
            _check(f"figures[{name!r}]", figure, (Figure,))
            if not isinstance(name, str) or not name or name != Path(name).name:
                raise UserError(f"Findings: figures: {name!r}: must be a file name, without folder")

    @property
    def words(self) -> str:
        """The text, the claim with its verdict, and the sentences, which explain both."""
        short = "\n".join(["In short:", *self.sentences]) if self.sentences else ""
        return "\n\n".join(filter(None, (self.text, self._verdict, short)))

    @property
    def _verdict(self) -> str:
        """The claim, the answer, and a line for each item of the evidence."""
        if self.verdict is None:
            return ""
        claim = [f"Claim: {self.claim}"] if self.claim else []
        answer = f"Verdict: {self.verdict.called or self.verdict.answer}"
        return "\n".join([*claim, answer, *(f"  {own}" for own in self.verdict.statements)])


def _check(name: str, value: object, kinds: tuple[type, ...]) -> None:
    if not isinstance(value, kinds):
        wanted = kinds[0].__name__
        raise UserError(f"Findings: {name}: must be a {wanted}, got a {type(value).__name__}")


def _check_answer(findings: Findings) -> None:
    if "\n" in findings.answer:
        raise UserError("Findings: answer: must be one sentence, on one line")
    for index, sentence in enumerate(findings.sentences):
        _check(f"sentences[{index}]", sentence, (str,))
    for index, number in enumerate(findings.key_numbers):
        _check(f"key_numbers[{index}]", number, (KeyNumber,))
    if (many := len(findings.key_numbers)) > MOST_KEY_NUMBERS:
        raise UserError(f"Findings: key_numbers: {many}; at most {MOST_KEY_NUMBERS} are shown")


def standard_findings(results: Results) -> Findings:
    """The comparison table and the figures of ``figures.standard``."""
    figures, failed = draw_standard(STANDARD, results)
    if results.has_jacobians:
        drawn = jacobian_figures(
            results.jacobians, results.lyapunov, results.eigenvalues, results.runs
        )
        figures, failed = figures | drawn.figures, failed | drawn.failed
    return Findings(compare(results), figures, not_drawn=failed)


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
    """Write the table, figures with captions, text, numbers and verdict; close the figures.

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
        folder = out / "figures"
        for name, reason in findings.not_drawn.items():
            tell(f"{folder / name}.{file_format}: not drawn: {reason}")
        return written + write_figures(
            findings.figures, findings.captions, folder, file_format, tell
        )
