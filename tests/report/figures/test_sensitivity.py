"""The data that the figure of sensitivities draws, read back from its axes."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from made_up_jacobians import (
    ALL,
    CHRONO,
    GRU,
    LSTM_0,
    LSTM_2,
    OF,
    RNN,
    STEPS,
    TIME,
    TYPESET,
    jacobians,
    labels_of,
    line,
    runs,
    sigmoid,
)

from rnnlab.report import figures


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.mark.parametrize("setting", ALL)
@pytest.mark.parametrize("step", STEPS)
def test_sensitivity_is_the_median_over_seeds_with_each_as_a_thin_line(setting, step):
    ax = figures.sensitivity_curves(jacobians(), step=step)
    drawn = line(ax, TYPESET.get(setting) or setting.replace("b_f", "$b_f$"))
    assert list(drawn.get_xdata()) == list(range(TIME))
    expected = OF[setting][0] * np.arange(TIME) + 0.01 + (step > 0)
    assert drawn.get_ydata() == pytest.approx(expected)
    paths = ax.collections[ALL.index(setting)].get_paths()
    for seed, path in enumerate(paths):
        assert path.vertices[:, 1] == pytest.approx(expected + 0.01 * seed**2 - 0.01)


def test_sensitivity_says_what_is_carried_and_when():
    ax = figures.sensitivity_curves(jacobians(), step=40)
    assert r"\partial c_T" in ax.get_ylabel()
    assert r"\partial h_T" in ax.get_ylabel()
    assert ax.get_title() == "after 40 updates"
    assert ax.get_legend() is not None
    ax = figures.sensitivity_curves(jacobians([LSTM_0]))
    assert r"\partial h_T" not in ax.get_ylabel()
    assert ax.get_title() == "before training"


def test_lines_of_the_bias_alone():
    ax = figures.sensitivity_curves(jacobians(), runs=runs())
    u = np.linspace(1, 19, 200_001)
    distance = np.arange(TIME)
    chrono = [np.trapezoid((u / (1 + u)) ** d, u) / 18 for d in distance]
    expected = {
        LSTM_0: np.log10(0.5) * distance,
        LSTM_2: np.log10(sigmoid(2.0)) * distance,
        CHRONO: np.log10(chrono),
        GRU: np.log10(sigmoid(1.0)) * distance,
    }
    lines = ax.get_lines()
    for setting, values in expected.items():
        own, theory = lines[2 * ALL.index(setting) :][:2]
        assert own.get_label().startswith(setting[:3])
        assert theory.get_color() == own.get_color()
        assert theory.get_linewidth() < own.get_linewidth()
        assert theory.get_ydata() == pytest.approx(values, abs=1e-6)
    assert np.isnan(lines[2 * ALL.index(RNN) + 1].get_ydata()).all()
    assert r"$\sigma(b)^{T-t}$, initial $b$ (chrono: mean)" in [str(m.get_label()) for m in lines]
    without = figures.sensitivity_curves(jacobians([LSTM_0]), runs=runs([LSTM_0]))
    assert r"$\sigma(b)^{T-t}$, initial $b$" in [str(m.get_label()) for m in without.get_lines()]


def test_no_line_of_a_bias_in_other_words():
    own = runs([LSTM_2]).assign(**{"cell.forget_bias": "drawn"})
    ax = figures.sensitivity_curves(jacobians([LSTM_2]), runs=own)
    assert np.isnan(ax.get_lines()[1].get_ydata()).all()


def test_theory_does_not_stretch_the_axis():
    steep = runs([LSTM_2]).assign(**{"cell.forget_bias": -50.0})
    ax = figures.sensitivity_curves(jacobians([LSTM_2]), runs=steep)
    assert ax.get_lines()[1].get_ydata().min() < -100
    low, high = ax.get_ylim()
    assert -1.5 < low < -0.5
    assert 0.04 < high < 2


def test_what_was_measured_at_another_step_is_not_cut_off():
    frame = jacobians([RNN])
    frame["log10_sensitivity"] -= np.where(frame["step"] > 0, 20 + frame["t"], 0)
    lowest = frame["log10_sensitivity"].min()
    for ax in figures.sensitivity_figure(frame, runs([RNN]), STEPS).axes:
        assert ax.get_ylim()[0] < lowest


def test_the_bias_has_an_entry_in_the_legend_only_where_it_has_a_line():
    has_entry = {LSTM_0: True, CHRONO: True, GRU: True, RNN: False}
    for setting, expected in has_entry.items():
        ax = figures.sensitivity_curves(jacobians([setting]), runs=runs([setting]))
        assert any("sigma" in label for label in labels_of(ax)) is expected


def test_zero_counts_as_small_and_never_moves_the_axis():
    frame = jacobians([LSTM_2])
    gone = (frame["t"] == 0) & (frame["seed"] < 2)
    frame = frame.assign(zero_fraction=gone.astype(float))
    frame["log10_sensitivity"] = frame["log10_sensitivity"].mask(gone)
    ax = figures.sensitivity_curves(frame)
    assert list(line(ax, TYPESET[LSTM_2]).get_xdata()) == list(range(TIME - 1))
    assert np.isfinite(ax.get_ylim()).all()
