"""Results that papers report, beside those obtained here."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from rnnlab.config.labels import kind_name
from rnnlab.report.claims.claim import Claim, Measured
from rnnlab.report.claims.evidence import Number, number
from rnnlab.report.claims.headline import Headline
from rnnlab.report.claims.learning import ended
from rnnlab.report.claims.rules import Judge, Part, Rule, between
from rnnlab.report.claims.verdict import Answer
from rnnlab.report.claims.words import estimate, in_words, is_measured
from rnnlab.results.intervals import median_interval
from rnnlab.results.read import Results

OF_BASELINE = "final loss / baseline"
# Training steps; a loss of one step, or of 256 examples, is too uncertain to tell 1 from 1.1.
LAST = 250
AT_BASELINE = 0.1
IN_WORDS = {
    Answer.SUPPORTED: "reproduced",
    Answer.REFUTED: "not reproduced",
    Answer.UNDECIDED: "undecided",
}
HEADER = ("measured", "of", "published", "obtained", "reproduced if", "verdict")


@dataclass(frozen=True)
class Published:
    """A result of a paper.

    Attributes:
        quantity: what is measured, as the table of numbers calls it.
        of: a setting, or a comparison of settings, likewise.
        value: what the paper reports.
        rule: how the obtained value is judged, in words.
        judge: the rule; supported reads as reproduced.
        level: the number in ``value``, if there is one and it is of this quantity.
    """

    quantity: str
    of: str
    value: str
    rule: str
    judge: Judge
    level: int | float = math.nan


def reproduction(
    measure: Callable[[Results], Measured],
    published: Sequence[Published],
    has_standard_figures: bool = True,
    headlines: Sequence[Headline] = (),
    says: str | None = None,
) -> Claim:
    """The claim that a paper's results are obtained here too.

    Reproduced if each result that was run is, not reproduced if one is not.

    Args:
        measure: see ``Claim``.
        published: what the paper reports; what was not run is left out.
        has_standard_figures: see ``Claim``.
        headlines: see ``Claim``.
        says: see ``Claim``.
    """

    def parts(numbers: pd.DataFrame, settings: pd.DataFrame) -> list[Part]:
        return [_part(result, numbers) for result in was_run(published, numbers)]

    return Claim(
        "published",
        measure,
        parts,
        called=IN_WORDS,
        has_standard_figures=has_standard_figures,
        headlines=headlines,
        says=says,
    )


def _part(result: Published, numbers: pd.DataFrame) -> Part:
    rule = Rule(result.quantity, result.of, result.judge)
    words = f"{in_words(rule.obtained(numbers))}, published {result.value}"
    return Part(f"{result.quantity}, {result.of}", [rule], words=words)


def at_the_baseline(of: str, value: str, level: int | float) -> Published:
    """A result that says that a final loss is, within a tenth, that of remembering nothing."""
    judge = between(1 - AT_BASELINE, 1 + AT_BASELINE)
    return Published(OF_BASELINE, of, value, f"within {AT_BASELINE:.0%} of 1", judge, level)


def by_cell_and_length(runs: pd.DataFrame, cells: Sequence[str]) -> pd.DataFrame:
    """The runs that ended: ``setting``, the cell; ``panel``, the length; ``of``, both.

    Args:
        runs: ``Results.runs``.
        cells: in the order in which they are drawn.
    """
    runs = ended(runs)
    names, length = runs["cell.kind"].map(kind_name), "T = " + runs["task.length"].astype(str)
    setting = pd.Categorical(names, list(cells), ordered=True)
    return runs.assign(setting=setting, panel=length, of=names + ", " + length)


def counted(published: Sequence[Published], of: Iterable[str]) -> int:
    """How many results are of these settings, and so judged together; at least one."""
    settings = set(of)
    return max(1, sum(result.of in settings for result in published))


def losses_of_baseline(
    runs: pd.DataFrame, training: pd.DataFrame, comparisons: int = 1
) -> list[Number]:
    """For each setting the median over seeds of final loss / baseline.

    The final loss is the mean training loss of the last ``LAST`` steps.

    Args:
        runs: one row a run that ended: ``run``, ``of``, ``status``, ``baseline``. One that
            diverged counts as more than any loss.
        training: ``Results.training``.
        comparisons: how many intervals are judged together.
    """
    last = (
        training[training["loss"].notna()]
        .groupby("run")["loss"]
        .apply(lambda own: own[-LAST:].mean())
    )
    final = runs["run"].map(last).astype(float).where(runs["status"] == "finished")
    ratios = final / runs["baseline"].astype(float)
    return [
        number(OF_BASELINE, str(of), median_interval(own, comparisons), len(own), comparisons)
        for of, own in ratios.groupby(runs["of"], sort=False)
    ]


def was_run(published: Sequence[Published], numbers: pd.DataFrame) -> list[Published]:
    """Keep the results for which the table has a number."""
    return [result for result in published if is_measured(numbers, result.quantity, result.of)]


def side_by_side(published: Sequence[Published], numbers: pd.DataFrame) -> str:
    """A line for each result, in columns; then the other numbers, which are not judged."""
    rows = [HEADER]
    run = was_run(published, numbers)
    for result in published:
        obtained, answer = "not run", ""
        if result in run:
            found = estimate(numbers, result.quantity, result.of)
            obtained, answer = in_words(found), IN_WORDS[result.judge(found)]
        rows.append((result.quantity, result.of, result.value, obtained, result.rule, answer))
    judged = {(result.quantity, result.of) for result in published}
    for quantity, of in zip(numbers["quantity"], numbers["of"], strict=True):
        if (quantity, of) not in judged:
            rows.append((quantity, of, "", in_words(estimate(numbers, quantity, of)), "", ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)
