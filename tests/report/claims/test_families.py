"""Settings that differ in one number alone."""

import pandas as pd

from rnnlab.report.claims.evidence import Number, numbers_frame
from rnnlab.report.claims.families import against, families, measured

SETTINGS = pd.DataFrame(
    [
        {"setting": name, "cell.bias": bias, "cell.hidden": hidden, "task.kind": task, "seed": seed}
        for seed in (0, 1)
        for name, bias, hidden, task in [
            ("two", 2, 4, "adding"),
            ("minus one", -1.0, 4, "adding"),
            ("wide", 2.0, 8, "adding"),
            ("copy, zero", 0, 4, "copy"),
            ("spread", "chrono", 4, "adding"),
            ("zero", 0, 4, "adding"),
            ("copy, five", 1e-05, 4, "copy"),
            ("none", None, 4, "copy"),
        ]
    ]
)
ADDING = {-1.0: "minus one", 0.0: "zero", 2.0: "two"}
COPY = {0.0: "copy, zero", 1e-05: "copy, five"}


def test_families_are_told_by_columns():
    """Whatever settings are called; one alone, and what is no number, is left out."""
    found = families(SETTINGS, "cell.bias")
    assert found == [ADDING, COPY]
    assert list(found[0]) == [-1, 0, 2]
    assert families(SETTINGS, "cell.hidden") == [{4.0: "two", 8.0: "wide"}]


def test_pairs_with_a_reference():
    assert against(ADDING, -1.0) == [("zero", "minus one"), ("two", "minus one")]
    assert against(ADDING, 2.0) == []
    assert against(ADDING, 1.0) == []


def test_those_that_were_measured():
    names = ("two", "zero", "copy, zero")
    numbers = numbers_frame([Number("x", name, 1.0, 0.0, 2.0, 3) for name in names])
    assert measured(numbers, "x", [ADDING, COPY]) == [{0.0: "zero", 2.0: "two"}]
    assert measured(numbers, "y", [ADDING, COPY]) == []
