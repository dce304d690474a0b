"""A claim: what it measures, its parts with their rules, and the figure that shows it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
from matplotlib.figure import Figure

from rnnlab.report.claims.headline import Headline, key_numbers
from rnnlab.report.claims.rules import Part
from rnnlab.report.claims.verdict import Answer, Verdict, all_of
from rnnlab.report.findings import Findings, KeyNumber, standard_findings
from rnnlab.results.comparison import compare
from rnnlab.results.read import Results


@dataclass(frozen=True)
class Measured:
    """Measurements on which a claim rests.

    Attributes:
        numbers: one row each, see ``numbers_frame``.
        figure: which shows them.
        text: sentences that tell them, or nothing.
        answer: see ``Findings``, as are the two that follow.
        sentences: that explain it.
        key_numbers: that matter most.
        caption: of the figure, see ``caption_of``.
    """

    numbers: pd.DataFrame
    figure: Figure | None = None
    text: str = ""
    answer: str = ""
    sentences: Sequence[str] = ()
    key_numbers: Sequence[KeyNumber] = ()
    caption: str = ""


@dataclass(frozen=True)
class Judged:
    """A claim's parts, with all that their answers come from.

    Attributes:
        numbers: see ``Measured``.
        settings: see ``settings_of``.
        parts: of the claim.
    """

    numbers: pd.DataFrame
    settings: pd.DataFrame
    parts: Sequence[Part]

    @property
    def answers(self) -> dict[str, Answer]:
        """The answer of each part, by its name."""
        return {part.name: part.answer(self.numbers) for part in self.parts}


def each_part(judged: Judged) -> str:
    """Write the name of each part and the numbers that decide it."""
    return "; ".join(f"{part.name}: {part.evidence(judged.numbers)}" for part in judged.parts)


@dataclass(frozen=True)
class Claim:
    """An analysis that ends with a verdict: supported if all parts are, refuted if one is.

    Call it with results; a config names it as its ``analysis``.

    Attributes:
        name: of the figure's file.
        measure: the numbers of the results, and their figure.
        parts: what is claimed, with its rules; where these depend on what was run, a function of
            the numbers and of the settings, see ``settings_of``.
        evidence: the sentence of the verdict.
        called: what its answers are called, if not supported, refuted and undecided.
        has_standard_figures: whether the figures of every experiment are drawn too.
        headlines: the one number to remember: the first of these that was measured.
        says: a text whose first line is what is claimed, such as the ``__doc__`` of its file.
    """

    name: str
    measure: Callable[[Results], Measured]
    parts: Sequence[Part] | Callable[[pd.DataFrame, pd.DataFrame], Sequence[Part]]
    evidence: Callable[[Judged], str] = each_part
    called: Mapping[Answer, str] = field(default_factory=dict)
    has_standard_figures: bool = True
    headlines: Sequence[Headline] = ()
    says: str | None = None

    def __call__(self, results: Results) -> Findings:
        """Table, figures, text, numbers and verdict."""
        standard = (
            standard_findings(results) if self.has_standard_figures else Findings(compare(results))
        )
        found = self.measure(results)
        own = {} if found.figure is None else {self.name: found.figure}
        verdict = self.decide(found.numbers, settings_of(results))
        return Findings(
            standard.table,
            own | standard.figures,
            found.text,
            found.numbers,
            verdict,
            found.answer,
            found.sentences,
            found.key_numbers or key_numbers(self.headlines, found.numbers),
            {self.name: found.caption} if found.caption else {},
            standard.not_drawn,
            (self.says or "").partition("\n")[0].removeprefix("Claim: "),
        )

    def decide(self, numbers: pd.DataFrame, settings: pd.DataFrame) -> Verdict:
        """The verdict, from the numbers alone.

        Args:
            numbers: see ``Measured``.
            settings: see ``settings_of``.

        Raises:
            UserError: a rule is about a number that was not measured.
        """
        judged = self.judged(numbers, settings)
        answer = all_of(*judged.answers.values())
        return Verdict(answer, self.evidence(judged), self.called.get(answer, ""))

    def judged(self, numbers: pd.DataFrame, settings: pd.DataFrame) -> Judged:
        """The parts of the claim, with what decides them; arguments as of ``decide``."""
        parts = self.parts(numbers, settings) if callable(self.parts) else self.parts
        return Judged(numbers, settings, parts)


def settings_of(results: Results) -> pd.DataFrame:
    """One row a setting of the config, also where no run of it has ended.

    Returns:
        ``setting``, its label; ``before_training``, whether it is one of those that are only
        measured; and all that it sets, under dotted keys: ``cell.forget_bias``, ``task.kind``.
    """
    of_each = {False: results}
    if results.has_before_training:
        of_each[True] = results.before_training
    rows = []
    for is_before, own in of_each.items():
        keys = ["setting", *(column for column in own.runs.columns if "." in column)]
        settings = own.runs.drop_duplicates("setting")[keys].assign(before_training=is_before)
        rows += settings.to_dict("records")
    return pd.DataFrame(rows)
