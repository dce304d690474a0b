"""Parts of claims and their rules."""

import math

import pytest

from rnnlab.report.claims.evidence import Number, numbers_frame
from rnnlab.report.claims.rules import (
    Part,
    Rule,
    above,
    below,
    between,
    if_measured,
    judged_together,
    not_below,
)
from rnnlab.report.claims.verdict import Answer
from rnnlab.results.intervals import Estimate
from rnnlab.support.errors import UserError

NUMBERS = numbers_frame([Number("x", "a", 3.0, 2.0, 4.0, 6), Number("x", "b", 1.0, 0.5, 1.5, 6)])


@pytest.mark.parametrize(
    ("interval", "answers"),
    [
        ((5, 4, 6), ("supported", "refuted", "refuted", "supported")),
        ((2, 1, 2.5), ("refuted", "supported", "supported", "refuted")),
        ((3, 2, 4), ("undecided", "undecided", "undecided", "supported")),
        ((0.5, 0.4, 0.6), ("refuted", "supported", "refuted", "refuted")),
        ((5, math.nan, math.nan), ("undecided", "undecided", "undecided", "supported")),
    ],
)
def test_judges(interval, answers):
    judges = (above(3.0), below(3.0), between(0.9, 3.0), not_below(3.0))
    assert tuple(judge(Estimate(*interval)) for judge in judges) == answers


def test_a_rule_looks_its_number_up():
    assert Rule("x", "a", above(1))(NUMBERS) == "supported"
    assert Rule("x", "b", above(1))(NUMBERS) == "undecided"
    missing = Rule("x", "c", above(1))
    with pytest.raises(UserError, match="no number is 'x' of 'c'"):
        missing(NUMBERS)
    (allowed,) = if_measured(missing)
    assert allowed(NUMBERS) == "undecided"
    (present,) = if_measured(Rule("x", "a", below(1)))
    assert present(NUMBERS) == "refuted"


def test_a_part_combines_its_rules():
    rules = [Rule("x", "a", above(1)), Rule("x", "b", above(2)), lambda numbers: Answer.UNDECIDED]
    assert Part("all", rules).answer(NUMBERS) == "refuted"
    assert Part("all", rules[::2]).answer(NUMBERS) == "undecided"
    assert Part("none", []).answer(NUMBERS) == "undecided"
    last = Part("last", rules, combine=lambda *answers: answers[-1])
    assert last.answer(NUMBERS) == "undecided"


def test_a_part_tells_its_numbers_or_its_words():
    rules = [Rule("x", "a", above(1)), *if_measured(Rule("x", "c", above(1)))]
    assert Part("p", rules).evidence(NUMBERS) == "x, a: 3.00 [2.00, 4.00], x, c: unknown"
    assert Part("p", rules, words="it is 3").evidence(NUMBERS) == "it is 3"


def test_numbers_that_are_judged_together_are_counted_once():
    both_sides = [Rule("x", "a", above(1)), Rule("x", "a", below(5))]
    other = [Rule("x", "b", above(1)), Rule("y", "a", above(1)), lambda numbers: Answer.SUPPORTED]
    assert judged_together([Part("p", both_sides), Part("q", other)]) == 3
