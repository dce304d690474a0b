"""Answers: how an interval compares with a threshold that was set beforehand."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rnnlab.results.intervals import Estimate
from rnnlab.support.errors import UserError, did_you_mean


class Answer(StrEnum):
    """The outcome of a test."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Verdict:
    """An answer and the numbers that it rests on.

    Attributes:
        answer: supported, refuted or undecided.
        evidence: one sentence, with effect sizes and intervals.
        called: what the answer is called if not so; of a paper's result "reproduced", say.

    Raises:
        UserError: there is no such answer.
    """

    answer: Answer
    evidence: str
    called: str = ""

    def __post_init__(self) -> None:
        if self.answer not in list(Answer):
            raise UserError(
                f"Verdict: answer: {self.answer!r}: {did_you_mean(self.answer, map(str, Answer))}"
            )

    def __str__(self) -> str:
        return f"{self.called or self.answer}: {self.evidence}"

    @property
    def statements(self) -> list[str]:
        """The items of the evidence, then the sentences of ``of_parts`` on which parts hold."""
        listed, *parts = re.split(r"(?<=\.) (?=Holds: |Fails: |Undecided: )", self.evidence)
        outside_brackets = r"; (?![^(]*\))"
        return [*re.split(outside_brackets, listed), *parts]


def is_above(estimate: Estimate, threshold: int | float) -> Answer:
    """Decide whether a quantity exceeds a threshold: by its whole interval, or else undecided."""
    if estimate.low > threshold:
        return Answer.SUPPORTED
    return Answer.REFUTED if estimate.high < threshold else Answer.UNDECIDED


def is_below(estimate: Estimate, threshold: int | float) -> Answer:
    """Decide whether a quantity is below a threshold: by its whole interval, or else undecided."""
    if estimate.high < threshold:
        return Answer.SUPPORTED
    return Answer.REFUTED if estimate.low > threshold else Answer.UNDECIDED


def all_of(*answers: Answer) -> Answer:
    """Combine several answers: refuted if one is, supported if all are.

    Undecided if there are none.
    """
    if Answer.REFUTED in answers:
        return Answer.REFUTED
    if Answer.UNDECIDED in answers or not answers:
        return Answer.UNDECIDED
    return Answer.SUPPORTED


def of_parts(parts: Mapping[str, Answer]) -> str:
    """List the parts of a claim by their answer: "Holds: a. Fails: b; c. Undecided: d."."""
    sentences = []
    for answer, verb in zip(Answer, ("Holds", "Fails", "Undecided"), strict=True):
        names = [name for name, own in parts.items() if own is answer]
        if names:
            sentences.append(f"{verb}: {'; '.join(names)}.")
    return " ".join(sentences)
