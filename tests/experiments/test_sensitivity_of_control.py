"""The claim about tuning the gain and b_f, on made-up results."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from rnnlab.gradients.theory import bias_to_keep
from rnnlab.report.claims.words import estimate
from rnnlab.report.figures.norms_by_control import norms_by_control
from rnnlab.support.bundled import folder
from rnnlab.support.plugins import load_analysis

GAINS, BIASES = np.linspace(math.log(0.5), math.log(4), 40), np.linspace(-1, 7, 41)
LENGTHS, SEEDS = (50, 200, 1000), 20


def part(name):
    claim = load_analysis("sensitivity_of_control.py:analyse", "analysis", folder("configs"))
    return claim.measure.__globals__[name]


def decide(numbers):
    return part("analyse").decide(numbers, settings=pd.DataFrame())


def first_order_rnn(setting, length, noise=0.0):
    """norm = gain^T."""
    return length * (setting + noise) / math.log(10)


def first_order_lstm(setting, length, noise=0.0):
    """norm = f^T."""
    return length * np.log(expit(setting + noise)) / math.log(10)


def flat_rnn(setting, length, noise=0.0):
    """Saturation keeps the norm near 1 for all gains above 1."""
    return np.minimum(first_order_rnn(setting, length, noise), 0)


def peaked_lstm(setting, length, noise=0.0):
    """Within bounds over 3/T of an e-fold each way of b_f = 3."""
    return length * (setting + noise - 3)


def narrow_lstm(setting, length, noise=0.0):
    """Within bounds over 0.8 of an e-fold at every length."""
    return 6 * (setting + noise - 3) / 0.8


def late_lstm(setting, length, noise=0.0):
    return np.where(setting > 5.4 + noise, 0.0, -50.0)


def wide_rnn(width):
    """Within bounds over so many e-folds at every length, save for some noise."""

    def norm(setting, length, noise=0.0):
        return 6 * setting / (width + 10 * noise)

    return norm


def at_50_only(short, other):
    def norm(setting, length, noise=0.0):
        return (short if length == 50 else other)(setting, length, noise)

    return norm


def before(rnn=first_order_rnn, lstm=first_order_lstm, noise=1e-3):
    rng = np.random.default_rng(0)
    frames = []
    for length in LENGTHS:
        for seed in range(SEEDS):
            same = {"length": length, "seed": seed}
            for cell, setting, norm in (
                ("RNN, orthogonal", GAINS, rnn),
                ("RNN, uniform", GAINS, rnn),
                ("LSTM", BIASES, lstm),
            ):
                log10 = norm(setting, length, noise * rng.normal())
                own = {"cell": cell, "setting": setting, "x": setting, "log10": log10} | same
                frames.append(pd.DataFrame(own))
    return pd.concat(frames, ignore_index=True)


def trained(rnn=1, lstm=4):
    """So many of five settings are solved, one less by one seed."""
    rows = [
        {"cell": cell, "x": setting, "seed": seed, "solved": float(setting < own)}
        for cell, many in (("RNN, orthogonal", rnn), ("LSTM", lstm))
        for seed in range(6)
        for own in (many - (seed == 0),)
        for setting in range(5)
    ]
    return pd.DataFrame(rows)


def numbers(solved=None, **options):
    return part("numbers_of")(before(**options), trained(**solved or {}))


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({}, "supported"),
        ({"rnn": flat_rnn}, "refuted"),
        ({"lstm": peaked_lstm}, "refuted"),
        ({"lstm": narrow_lstm}, "refuted"),
        ({"solved": {"rnn": 4, "lstm": 1}}, "refuted"),
        ({"solved": {"rnn": 3, "lstm": 3}}, "undecided"),
        ({"solved": {"rnn": 0, "lstm": 4}}, "undecided"),
        ({"rnn": at_50_only(wide_rnn(0.1), wide_rnn(0.2)), "noise": 2e-3}, "undecided"),
        ({"rnn": at_50_only(wide_rnn(0.1), wide_rnn(0.25)), "noise": 2e-3}, "refuted"),
        ({"rnn": at_50_only(wide_rnn(0.1), wide_rnn(0.15)), "noise": 2e-3}, "supported"),
        # Wider in e-folds, a smaller share of the range in use.
        ({"rnn": at_50_only(wide_rnn(0.5), first_order_rnn), "lstm": late_lstm}, "undecided"),
    ],
)
def test_each_side_and_the_fence(options, answer):
    assert decide(numbers(**options)).answer == answer


def test_first_order():
    """Norms gain^T and f^T stay within 10^±3 over 6 ln 10/T, and from where f^T = 10⁻³ on."""
    found = numbers(noise=0.0)
    width, share, lowest, steep = part("QUANTITIES")
    for length in LENGTHS:
        rnn, lstm = (f"{cell}, T = {length}" for cell in ("RNN, uniform", "LSTM"))
        assert estimate(found, width, rnn).mean == pytest.approx(6 * math.log(10) / length)
        assert estimate(found, steep, rnn).mean == pytest.approx(length / math.log(10))
        start = float(bias_to_keep(1e-3, length))
        assert estimate(found, lowest, lstm).mean == pytest.approx(start, abs=0.03)
        at_least, low, high = estimate(found, width, lstm)
        assert at_least == low == pytest.approx(7 - start, abs=0.03)
        assert high == math.inf
        easier = estimate(found, width, f"LSTM − RNN, uniform, T = {length}")
        assert easier.low == pytest.approx(7 - start - 6 * math.log(10) / length, abs=0.03)
        assert easier.high == math.inf
        assert estimate(found, share, lstm).mean == pytest.approx((7 - start) / 7, abs=0.01)
    assert "gain by a factor of 1.32 [1.32, 1.32], 1.07" in decide(found).evidence


def test_settings_in_e_folds():
    """U(±1/√n) has 1/√3 of the spectral radius of an orthogonal kernel."""
    runs = pd.DataFrame(
        {
            "run": list("abc"),
            "seed": 0,
            "task.length": 50,
            "cell.kind": ["rnn", "rnn", "lstm"],
            "cell.recurrent_kernel": ["orthogonal", "uniform", "orthogonal"],
            "cell.recurrent_gain": [2.0, math.sqrt(12), 1.0],
            "cell.forget_bias": [None, None, 5],
            "status": ["finished", "diverged", "finished"],
            "solved_at": [None, 100, 100],
        }
    )
    found = part("trained")(runs)
    assert list(found["cell"]) == ["RNN, orthogonal", "RNN, uniform", "LSTM"]
    assert list(found["setting"]) == pytest.approx([math.log(2), math.log(2), 5])
    assert list(found["x"]) == pytest.approx([2, 2, 5])
    assert list(found["solved"]) == [0, 0, 1]


def test_the_figure_and_the_text():
    found = numbers()
    widths, shares = (
        {cell: part("by_length")(found, quantity, cell) for cell in part("CELLS")}
        for quantity in part("QUANTITIES")[:2]
    )
    drawn = norms_by_control(before(), trained(), widths, shares, LENGTHS, 3.0)
    assert len(drawn.axes) == 6
    for ax, of_cells in ((drawn.axes[2], widths), (drawn.axes[5], shares)):
        for bars, own in zip(ax.containers, of_cells.values(), strict=True):
            assert list(bars[0].get_ydata()) == [one.mean for one in own]
    gain, lstm = (line.get_xdata() for line in (drawn.axes[0].lines[0], drawn.axes[1].lines[0]))
    assert list(gain) == pytest.approx(GAINS)
    assert list(lstm) == pytest.approx(BIASES)
    assert len(part("text")(found).splitlines()) == 9
