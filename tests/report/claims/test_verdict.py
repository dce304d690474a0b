"""Verdicts on each side of a threshold and on the fence."""

import math

import pytest

from rnnlab.report.claims.verdict import Answer, Verdict, all_of, is_above, is_below, of_parts
from rnnlab.results.intervals import Estimate

ABOVE, BELOW = Estimate(2, 1.5, 2.5), Estimate(0, -0.5, 0.5)
ON_THE_FENCE, TOO_FEW = Estimate(1.1, 0.9, 1.3), Estimate(9, math.nan, math.nan)


@pytest.mark.parametrize(
    ("estimate", "above", "below"),
    [
        (ABOVE, "supported", "refuted"),
        (BELOW, "refuted", "supported"),
        (ON_THE_FENCE, "undecided", "undecided"),
        (TOO_FEW, "undecided", "undecided"),
        (Estimate(1, 1, 1), "undecided", "undecided"),
    ],
)
def test_of_one_quantity(estimate, above, below):
    assert is_above(estimate, 1) == above
    assert is_below(estimate, 1) == below


@pytest.mark.parametrize(
    ("answers", "answer"),
    [
        (("supported", "supported"), "supported"),
        (("supported", "undecided"), "undecided"),
        (("supported", "undecided", "refuted"), "refuted"),
        (("refuted",), "refuted"),
        ((), "undecided"),
    ],
)
def test_of_several(answers, answer):
    assert all_of(*map(Answer, answers)) == answer


def test_of_parts():
    parts = {"a": Answer.SUPPORTED, "b": Answer.UNDECIDED, "c": Answer.REFUTED, "d": Answer.REFUTED}
    assert of_parts(parts) == "Holds: a. Fails: c; d. Undecided: b."
    assert of_parts({"a": Answer.SUPPORTED}) == "Holds: a."


def test_in_words():
    assert str(Verdict(Answer.REFUTED, "it is 3")) == "refuted: it is 3"


def test_evidence_in_statements():
    """Split at semicolons outside brackets, and before what holds and fails."""
    evidence = "a: 1 (b; c); d 2. Holds: e; f. Fails: g."
    found = Verdict(Answer.REFUTED, evidence).statements
    assert found == ["a: 1 (b; c)", "d 2.", "Holds: e; f.", "Fails: g."]
