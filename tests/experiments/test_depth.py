"""The claim that gradients still vanish in deep and long LSTMs, on made-up results."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rnnlab.report.claims.evidence import numbers_frame
from rnnlab.report.claims.words import estimate
from rnnlab.results.intervals import Estimate
from rnnlab.support.bundled import folder
from rnnlab.support.plugins import load_analysis

SEEDS = 20


def part(name):
    claim = load_analysis("depth.py:analyse", "analysis", folder("configs"))
    return claim.measure.__globals__[name]


def decide(numbers):
    return part("analyse").decide(numbers, settings=pd.DataFrame())


def everything(lstm, rnn):
    """Decades left, by cell, layers and length: ``lstm(bias, layers, length)``, ``rnn(length)``."""
    left = {}
    for length in part("LENGTHS"):
        for cell in part("RNNS"):
            left[cell, 1, length] = rnn(length)
        left["LSTM, b_f = 1, uniform", 1, length] = lstm("= 1", 1, length)
        for layers in part("LAYERS") if length <= 200 else (1,):
            for bias in ("= 1", "= 3", "chrono"):
                left[f"LSTM, b_f {bias}, orthogonal", layers, length] = lstm(bias, layers, length)
    return left


def numbers(lstm, rnn=lambda length: -0.3 * length, noise=0.1):
    """Of norms in float32, whose smallest is 10⁻³⁸."""
    rng = np.random.default_rng(0)
    frames = []
    for (cell, layers, length), decades in everything(lstm, rnn).items():
        most = decades + noise * rng.normal(size=SEEDS)
        of = part("name")(cell, layers, length)
        own = {"of": of, "seed": range(SEEDS), "at_most": np.maximum(most, -38.0)}
        own["at_least"] = np.where(most < -38, -math.inf, most)
        frames.append(pd.DataFrame(own))
    before = pd.concat(frames, ignore_index=True)
    return numbers_frame(
        [*part("medians")(before, part("LEFT"), part("JUDGED")), *part("mitigation")(before)]
    )


def vanishing(bias, layers, length):
    return -0.06 * length - 0.6 * (layers - 1)


def shallow(bias, layers, length):
    """Depth costs nothing."""
    return -0.06 * length


def chrono_keeps(bias, layers, length):
    return vanishing(bias, layers, 20 if bias == "chrono" else length)


def at_the_fence(bias, layers, length):
    return -6.0 if layers == 8 and length == 50 else vanishing(bias, layers, length)


@pytest.mark.parametrize(
    ("lstm", "rnn", "answer"),
    [
        (vanishing, -0.3, "supported"),
        (shallow, -0.3, "refuted"),
        (chrono_keeps, -0.3, "refuted"),
        (vanishing, -0.05, "refuted"),
        (at_the_fence, -0.3, "undecided"),
        # Both read zero.
        (lambda bias, layers, length: -0.002 * length**2 - 0.6 * (layers - 1), -1.0, "undecided"),
        # It is the length, not the layers.
        (lambda *at: vanishing(*at) - 5, -0.3, "refuted"),
    ],
)
def test_each_side_and_the_fence(lstm, rnn, answer):
    found = numbers(lstm, lambda length: rnn * length)
    assert decide(found).answer == answer


def test_numbers():
    found = numbers(vanishing, noise=0.0)
    quantity, lstm = part("LEFT"), "LSTM, b_f = 3, orthogonal"
    assert estimate(found, quantity, f"{lstm}, layers = 8, T = 50").mean == pytest.approx(-7.2)
    more = estimate(found, quantity, f"{part('LSTMS')[0]} − RNN, orthogonal, T = 50")
    assert more.mean == pytest.approx(0.24 * 50)
    # The RNN reads zero: the difference is at least that to the smallest norm.
    more = estimate(found, quantity, f"{part('LSTMS')[0]} − RNN, orthogonal, T = 200")
    assert more == (pytest.approx(26), pytest.approx(26), math.inf)
    reads_zero = estimate(found, quantity, f"{lstm}, layers = 1, T = 2000")
    assert reads_zero == (-38, -math.inf, -38)
    assert part("decades")(reads_zero) == "at most -38 (reads zero)"
    assert part("decades")(Estimate(0, -math.inf, math.inf)) == "unknown"
    evidence = decide(found).evidence
    assert "; LSTM, b_f = 3, orthogonal vanishes with layers; " in evidence
    assert "LSTM, b_f = 1, uniform mitigates" in evidence


def test_what_is_left_of_a_run():
    """From the first layer's first step to the top layer's last; zeros only bound it."""
    values = {(0, 0): -9.0, (0, 1): -5.0, (1, 0): -7.0, (1, 1): -1.0}
    rows = [
        {"layer": layer, "t": t, "log10_mean": value, "zero_fraction": 0.0}
        for (layer, t), value in values.items()
    ]
    frames = []
    for run, zero in (("a", 0.0), ("b", 0.25), ("c", 1.0)):
        own = pd.DataFrame(rows).assign(run=run, step=0, quantity="h")
        own.loc[0, "zero_fraction"] = zero
        if zero == 1:
            own.loc[0, "log10_mean"] = np.nan
        frames.append(own)
    gradients = pd.concat([*frames, frames[0].assign(quantity="c", log10_mean=0.0)])
    options = {"cell.kind": "lstm", "cell.layers": 2, "cell.recurrent_kernel": "orthogonal"}
    runs = pd.DataFrame({"run": list("abc"), "seed": [0, 1, 2]}).assign(
        **options, **{"cell.forget_bias": "chrono", "task.length": 50}
    )
    found = part("left")(SimpleNamespace(gradients=gradients, runs=runs))
    assert set(found["of"]) == {"LSTM, b_f chrono, orthogonal, layers = 2, T = 50"}
    smallest = -126 * math.log10(2) + math.log10(32) / 2
    expected = [-9 + 1, 0.75 * -9 + 0.25 * smallest + 1, smallest + 1]
    assert list(found["at_most"]) == pytest.approx(expected)
    assert list(found["at_least"]) == [-8, -math.inf, -math.inf]


def test_the_figure():
    drawn = part("figure")(numbers(vanishing))
    by_length, *by_layers = drawn.axes
    assert [ax.get_title() for ax in by_layers] == ["T = 50", "T = 200"]
    found, cell = numbers(vanishing), part("LSTMS")[1]
    for ax, of, x in (
        (by_length, [(1, t) for t in part("LENGTHS")], part("LENGTHS")),
        (by_layers[1], [(many, 200) for many in part("LAYERS")], part("LAYERS")),
    ):
        (line,) = (c[0] for c in ax.containers if c.get_label() == "LSTM, $b_f$ = 3, orthogonal")
        expected = [estimate(found, part("LEFT"), part("name")(cell, *at)).mean for at in of]
        assert list(line.get_ydata()) == expected
        assert list(line.get_xdata()) == pytest.approx(x, rel=0.15)
