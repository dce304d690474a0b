"""The one number of a claim, from its table."""

import math

import pandas as pd
import pytest

from rnnlab.report.claims.headline import Headline, key_numbers

NUMBERS = pd.DataFrame(
    [
        ("decay", "short", -0.1, -0.2, -0.05, 5),
        ("decay", "unknown", math.nan, math.nan, math.nan, 0),
        ("decay", "one run", -0.5, math.nan, math.nan, 1),
    ],
    columns=["quantity", "of", "value", "low", "high", "runs"],
)


def test_the_first_that_was_measured_is_shown():
    headline = Headline("decay", ["long", "unknown", "short", "one run"], "decay of {of}", ".2f")
    (found,) = key_numbers([headline, headline], NUMBERS)
    assert (found.value, found.interval, found.label) == (
        "-0.10",
        "[-0.20, -0.05]",
        "decay of short",
    )


def test_ends_stay_in_order_where_what_is_shown_falls():
    headline = Headline("decay", ["short"], "steps", shown=lambda decay: math.log10(2) / -decay)
    (found,) = key_numbers([headline], NUMBERS)
    expected = (math.log10(2) / 0.1, math.log10(2) / 0.2, math.log10(2) / 0.05)
    assert found.estimate == pytest.approx(expected)


def test_an_unknown_interval_is_left_out():
    (found,) = key_numbers([Headline("decay", ["one run"], "decay")], NUMBERS)
    assert (found.value, found.interval) == ("-0.5", "")


def test_nothing_is_shown_of_what_was_not_measured():
    headlines = [Headline("decay", ["unknown", "long"], "x"), Headline("loss", ["short"], "x")]
    assert key_numbers(headlines, NUMBERS) == []
