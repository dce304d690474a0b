"""Numbers with their bounds, as they are read."""

import math

import pytest

from rnnlab.report.rounding import in_form, rounded, with_interval
from rnnlab.results.intervals import Estimate

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        ((1.0008, 1.00001, 1.0017), "1.001 [1.000, 1.002]"),
        ((1.0, 1.0, 1.0), "1.00 [1.00, 1.00]"),
        ((100.0, 99.99, 100.02), "100.00 [99.99, 100.02]"),
        ((0.764, 0.678, 0.86), "0.764 [0.678, 0.860]"),
        ((12345.0, 12000.0, 13000.0), "12345 [12000, 13000]"),
        ((3.1e-5, 1.2e-5, 0.16), "3.10e-05 [1.20e-05, 0.160]"),
        ((1e-4, -2.0, 3.0), "0.000100 [-2.00, 3.00]"),
        ((123456.0, 1.0, 1e6), "1.23e+05 [1.00, 1.00e+06]"),
        ((0.2, 0.2 - 1e-16, 0.2 + 1e-16), "0.200 [0.200, 0.200]"),
        ((0.0, 0.0, 0.0), "0 [0, 0]"),
        ((-0.0, -0.5, 0.5), "0 [-0.500, 0.500]"),
        ((INF, 36.0, INF), "∞ [36.0, ∞]"),
        ((-38.0, -INF, -3.0), "-38.0 [-∞, -3.00]"),
        ((5.0, NAN, NAN), "5"),
        ((NAN, NAN, NAN), "–"),
    ],
)
def test_no_bound_has_fewer_digits_than_the_centre(estimate, text):
    assert with_interval(Estimate(*estimate)) == text


@pytest.mark.parametrize("power", range(-3, 5))
@pytest.mark.parametrize("width", [1e-5, 1e-3, 0.1, 1])
def test_numbers_that_differ_are_told_apart(power, width):
    middle = 1.2345 * 10.0**power
    values = [middle, middle * (1 - width / 10), middle * (1 + width)]
    written = [float(text) for text in rounded(values)]
    assert written[2] - written[1] == pytest.approx(1.1 * middle * width, rel=0.5)
    assert written == pytest.approx(values, rel=6e-3)


def test_forms():
    assert in_form(Estimate(0.1234, 0.1, 0.2), "{:+.2g}") == "+0.12 [+0.10, +0.20]"
    assert in_form(Estimate(0.1234, NAN, NAN), "{:.0%}") == "12%"
    assert in_form(Estimate(3.0, 2.0, INF), "{:.1f}") == "3.0 [2.0, ∞]"
    assert in_form(Estimate(NAN, NAN, NAN), "{:.1f}") == "–"
    assert in_form(Estimate(-0.004, -0.01, -0.001), "{:.2f}") == "0.00 [-0.01, 0.00]"
