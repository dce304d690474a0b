"""Numbers that are looked up, and how they are written."""

import math

import pandas as pd
import pytest

from rnnlab.report.claims.evidence import number, numbers_frame
from rnnlab.report.claims.learning import solved
from rnnlab.report.claims.words import (
    estimate,
    estimate_if_measured,
    in_words,
    is_measured,
    known,
    pairs_in_words,
    solved_in_words,
)
from rnnlab.results.intervals import Estimate, earlier_interval
from rnnlab.support.errors import UserError

NAN = math.nan
NUMBERS = numbers_frame(
    [
        number("decay", "LSTM", Estimate(1, 0, 2), 3),
        number("decay", "GRU", Estimate(NAN, NAN, NAN), 0),
        number("loss", "LSTM", Estimate(5, NAN, NAN), 2),
    ]
)


@pytest.mark.parametrize(
    ("quantity", "of", "message"),
    [
        ("decays", "LSTM", "no number is 'decays' of 'LSTM': quantity: did you mean 'decay'?"),
        ("decay", "LSTN", "no number is 'decay' of 'LSTN': of: did you mean 'LSTM'?"),
        ("loss", "GRU", "no number is 'loss' of 'GRU': of: valid: LSTM"),
    ],
)
def test_a_number_that_was_not_measured_is_an_error(quantity, of, message):
    with pytest.raises(UserError) as raised:
        estimate(NUMBERS, quantity, of)
    assert str(raised.value).startswith(message)
    assert not is_measured(NUMBERS, quantity, of)
    assert in_words(estimate_if_measured(NUMBERS, quantity, of)) == "unknown"


def test_a_number_of_too_few_runs_is_unknown():
    assert is_measured(NUMBERS, "decay", "GRU")
    assert in_words(estimate(NUMBERS, "decay", "GRU")) == "unknown"
    assert estimate_if_measured(NUMBERS, "decay", "LSTM") == (1, 0, 2)
    assert known(NUMBERS, "decay", ["LSTM", "GRU", "RNN"]) == {"LSTM": (1, 0, 2)}


def test_a_number_must_be_one():
    twice = pd.concat([NUMBERS, NUMBERS])
    for look_up in (estimate, estimate_if_measured):
        with pytest.raises(UserError, match="2 numbers are 'loss' of 'LSTM'"):
            look_up(twice, "loss", "LSTM")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Estimate(41.04, 36, 48), "41.0 [36.0, 48.0]"),
        (Estimate(math.inf, 36, math.inf), "∞ [36.0, ∞]"),
        (Estimate(-38, -math.inf, -3), "-38.0 [-∞, -3.00]"),
        (Estimate(1.0008, 1.0000086, 1.00168), "1.001 [1.000, 1.002]"),
        (Estimate(5, math.nan, math.nan), "5"),
        (Estimate(math.nan, math.nan, math.nan), "unknown"),
    ],
)
def test_in_words(found, words):
    assert in_words(found) == words


RUNS = pd.DataFrame(
    {
        "setting": ["one"] * 4 + ["two"] * 4,
        "solved_at": [10, 20, 30, None, None, None, None, 5],
    }
)


def test_what_was_solved_in_words():
    """The median of setting two, of which one run in four solves it, is later than any step."""
    found = numbers_frame(solved(RUNS))
    assert solved_in_words(found, "one") == "in 75% of runs, at step 25 (median)"
    assert solved_in_words(found, "two") == "in 25% of runs"


def test_pairs_in_words():
    """Ties count half; where all runs tie, unsolved say, there is no interval."""
    assert pairs_in_words(Estimate(0.25, 0.0, 0.6)) == "0.25 [0.00, 0.60] of pairs of runs"
    unsolved = earlier_interval([math.nan] * 4, [math.nan] * 4)
    assert pairs_in_words(unsolved) == "0.50 of pairs of runs (all tie)"
