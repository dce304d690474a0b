"""Published results beside obtained ones."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from rnnlab.report.claims.evidence import Number, numbers_frame
from rnnlab.report.claims.published import (
    OF_BASELINE,
    Published,
    at_the_baseline,
    losses_of_baseline,
    reproduction,
    side_by_side,
)
from rnnlab.report.claims.published_figure import curves_and_published, published_panels
from rnnlab.report.claims.rules import Bounds, above
from rnnlab.report.claims.verdict import Answer
from rnnlab.report.claims.words import estimate
from rnnlab.report.figures.style import math_label, title_label
from rnnlab.results.intervals import median_interval
from rnnlab.support.bundled import folder
from rnnlab.support.plugins import load_analysis

SUPPORTED, REFUTED, UNDECIDED = Answer.SUPPORTED, Answer.REFUTED, Answer.UNDECIDED
PUBLISHED = [
    Published("ratio", "long", "about 7", "above 3.5", above(3.5)),
    at_the_baseline("LSTM", "0.98", 0.98),
]


def numbers(ratio, loss=(1.0, 0.99, 1.01)):
    rows = [("ratio", "long", *ratio, 7), (OF_BASELINE, "LSTM", *loss, 6), ("x", "y", 2, 1, 3, 5)]
    return numbers_frame(Number(*row) for row in rows)


def verdict(published, numbers):
    return reproduction(lambda results: None, published).decide(numbers, pd.DataFrame())


@pytest.mark.parametrize(
    ("ratio", "loss", "answer"),
    [
        ((7, 5, 9), (1.0, 0.99, 1.01), SUPPORTED),
        ((7, 5, 9), (0.5, 0.4, 0.6), REFUTED),
        ((7, 3, 9), (1.0, 0.99, 1.01), UNDECIDED),
        ((2, 1, 3), (1.0, 0.8, 1.2), REFUTED),
    ],
)
def test_verdict_is_of_all(ratio, loss, answer):
    found = verdict(PUBLISHED, numbers(ratio, loss))
    assert found.answer == answer
    called = {SUPPORTED: "reproduced", REFUTED: "not reproduced", UNDECIDED: "undecided"}
    assert found.called == called[answer]
    low, high = (f"{end:.2f}" for end in ratio[1:])
    assert f"ratio, long: {ratio[0]}.00 [{low}, {high}], published about 7" in found.evidence


def test_columns():
    header, ratio, loss, other = side_by_side(PUBLISHED, numbers((7, 5, math.inf))).splitlines()
    assert header.split()[0] == "measured"
    assert ratio.endswith("reproduced")
    assert "about 7" in ratio
    assert "7.00 [5.00, ∞]" in ratio
    assert "within 10% of 1" in loss
    assert other.split() == ["x", "y", "2.00", "[1.00,", "3.00]"]
    column = header.index("obtained")
    assert [line[column] for line in (ratio, loss, other)] == ["7", "1", "2"]


def test_what_was_not_run_is_not_judged():
    only = numbers((7, 5, 9)).iloc[:1]
    assert verdict(PUBLISHED, only).answer == SUPPORTED
    assert "LSTM" not in verdict(PUBLISHED, only).evidence
    assert "not run" in side_by_side(PUBLISHED, only).splitlines()[2]
    assert verdict(PUBLISHED, numbers((7, 5, 9)).iloc[2:]).answer == UNDECIDED


def test_losses():
    """Of the last 250 steps, whatever was before, by run."""
    finals = [0.1, 0.2, 0.4, 0.2, 0.2, 0.2, 0.3, 0.2, 0.1, 0.2, 0.2, 0.2, 0.2, 0.2]
    runs = pd.DataFrame({"run": list("abcdefghijklmn"), "of": ["a"] * 7 + ["b"] * 7})
    runs = runs.assign(baseline=0.2, status=["finished"] * 13 + ["diverged"])
    training = pd.concat(
        pd.DataFrame({"run": run, "loss": [5.0, *np.linspace(0.5, 1.5, 250) * final]})
        for run, final in zip(runs["run"], finals, strict=True)
    )
    found = numbers_frame(losses_of_baseline(runs, training, 2))
    expected = median_interval([0.5, 1, 2, 1, 1, 1, 1.5], 2)
    assert estimate(found, OF_BASELINE, "a") == pytest.approx(expected)
    assert estimate(found, OF_BASELINE, "b") == (1, 0.5, math.inf)


def test_curves():
    steps = np.arange(3)
    setting = pd.Categorical(["A", "B"], ["A", "B"])
    runs = pd.DataFrame({"run": ["a", "b"], "seed": 0, "setting": setting, "panel": ["p", "q"]})
    runs = runs.assign(baseline=[0.5, 0.25], threshold=[0.05, 0.025], solved_at=[1.0, None])
    training = pd.concat(
        [
            pd.DataFrame({"run": r, "seed": 0, "setting": "x", "step": steps, "loss": 0.5})
            for r in "ab"
        ]
    )
    numbers = numbers_frame([Number("ratio", "long", 5.0, 2.0, math.inf, 6)])
    levels = {"A": (0.98, "T = 600")}
    figure = curves_and_published(training, runs, PUBLISHED, numbers, levels)
    first, second, compared = figure.axes
    assert first.get_title() == "p"
    assert {1.0} == set(first.get_lines()[0].get_ydata())
    assert {2.0} == set(second.get_lines()[0].get_ydata())
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words[:2] == ["A", "B"]
    assert "A: published, T = 600" in words
    assert compared.get_xlabel() == "ratio"
    assert [tick.get_text() for tick in compared.get_yticklabels()] == ["long\npublished: about 7"]


@pytest.mark.parametrize(
    "paper", ["arjovsky2016", "bai2018", "jozefowicz2015", "pascanu2013", "tallec2018"]
)
def test_each_published_value_is_drawn_beside_what_is_obtained(paper):
    """Its words stand at its row, its number is a diamond there, its bounds are grey."""
    measure = load_analysis(f"papers/{paper}.py:measure", "analysis", folder("configs") / "papers")
    published = measure.__globals__["PUBLISHED"]
    obtained = {id(one): 0.5 + 0.01 * place for place, one in enumerate(published)}
    numbers = numbers_frame(
        Number(one.quantity, one.of, obtained[id(one)], obtained[id(one)] - 0.1, math.inf, 6)
        for one in published
    )
    figure, _, below = published_panels(published, numbers)
    for ax in below:
        own = [one for one in published if title_label(one.quantity, 28) == ax.get_xlabel()]
        words = [tick.get_text().rpartition("published: ")[2] for tick in ax.get_yticklabels()]
        assert words == [math_label(one.value) for one in own]
        points = {m.get_label(): [] for m in ax.get_lines()}
        for drawn in ax.get_lines():
            points[drawn.get_label()] += list(map(tuple, drawn.get_xydata()))
        levels = [(one.level, row) for row, one in enumerate(own) if math.isfinite(one.level)]
        assert points.get("published", []) == levels
        assert points["obtained"] == [(obtained[id(one)], row) for row, one in enumerate(own)]
        low, high = ax.get_xlim()
        assert all(low < level < high for level, _ in levels)
        for row, one in enumerate(own):
            inside = [(at, row) for at in np.linspace(low, high, 41)[1:-1]]
            if isinstance(one.judge, Bounds):
                areas = [area.get_paths()[0] for area in ax.collections]
                is_grey = [any(area.contains_point(at) for area in areas) for at in inside]
                assert is_grey == [one.judge.low < at < one.judge.high for at, _ in inside]
    figure.canvas.draw()
    plt.close(figure)


def test_what_is_not_known_is_said():
    unknown = numbers_frame([Number("ratio", "long", math.nan, math.nan, math.nan, 2)])
    _, _, (ax,) = published_panels(PUBLISHED, unknown)
    assert [text.get_text() for text in ax.texts] == ["unknown"]
