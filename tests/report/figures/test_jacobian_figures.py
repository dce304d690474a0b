"""What the figures of one-step Jacobians draw, read back from their axes."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from rnnlab.report import figures
from rnnlab.report.findings import jacobian_figures
from rnnlab.support.errors import UserError

TIME, STEPS, SEEDS = 6, (0, 40), (0, 1, 2)
LSTM_0, LSTM_2, CHRONO, GRU, RNN = (
    *("LSTM, b_f = 0", "LSTM, b_f = 2", "LSTM, b_f chrono to 20"),
    *("GRU, b_z = 1", "RNN"),
)
# Decades a step of the sensitivity, share, what is carried, layers.
OF = {
    LSTM_0: (-0.5, 0.4, "c", 2),
    LSTM_2: (-0.1, 0.2, "c", 1),
    CHRONO: (-0.05, 0.05, "c", 1),
    GRU: (-0.2, 0.3, "h", 1),
    RNN: (-0.3, 1.0, "h", 1),
}
ALL = list(OF)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def jacobians(settings=ALL, among=None):
    """Top layers are as above, shifted by seed and, later in training, by 1; lower ones by 50."""
    frames = []
    for setting in settings:
        decay, share, quantity, layers = OF[setting]
        keys = pd.MultiIndex.from_product(
            [SEEDS, STEPS, range(TIME), range(layers)], names=["seed", "step", "t", "layer"]
        )
        frame = keys.to_frame(index=False)
        below = 50.0 * (layers - 1 - frame["layer"])
        shift = 0.01 * frame["seed"] ** 2 + (frame["step"] > 0) + below
        frame = frame.assign(
            run=setting + frame["seed"].astype(str),
            setting=setting,
            quantity=quantity,
            zero_fraction=0.0,
            log10_sensitivity=decay * (TIME - 1 - frame["t"]) + shift,
            share=np.where(frame["t"] == 0, 77.0, share * (0.5 + frame["t"] / 6)) + shift,
            indirect_spectral=0.3 + shift,
            total_spectral=0.9 + 0.01 * frame["t"] + shift,
        )
        if setting != RNN:
            frame["direct_spectral"] = 0.7 + shift
        frames.append(frame)
    return categorical(pd.concat(frames, ignore_index=True), among or settings)


def categorical(frame, settings):
    return frame.assign(setting=pd.Categorical(frame["setting"], settings, ordered=True))


def runs(settings=ALL):
    biases = {LSTM_0: 0.0, LSTM_2: 2.0, CHRONO: "chrono"}
    rows = [
        {
            "setting": setting,
            "seed": seed,
            "cell.forget_bias": biases.get(setting, np.nan),
            "cell.update_bias": 1.0 if setting == GRU else np.nan,
            "cell.t_max": 20.0 if setting == CHRONO else np.nan,
        }
        for setting in settings
        for seed in SEEDS
    ]
    return categorical(pd.DataFrame(rows), settings)


def lyapunov(settings=ALL):
    keys = pd.MultiIndex.from_product(
        [settings, SEEDS, STEPS, [0, 1], range(3)],
        names=["setting", "seed", "step", "example", "index"],
    )
    frame = keys.to_frame(index=False)
    start = frame["setting"].map({setting: OF[setting][0] for setting in settings}).astype(float)
    exponent = start - frame["index"] + 0.2 * frame["example"] + 0.01 * frame["seed"] ** 2
    frame["run"] = frame["setting"] + frame["seed"].astype(str)
    return categorical(frame.assign(exponent=exponent + (frame["step"] > 0)), settings)


def eigenvalues(settings=ALL):
    """A different one for each seed and layer; no ring where there is an RNN."""
    keys = pd.MultiIndex.from_product(
        [settings, SEEDS, STEPS, [0, 1]], names=["setting", "seed", "step", "layer"]
    )
    frame = keys.to_frame(index=False)
    ring = np.where(frame["setting"] == RNN, np.nan, 1.0)
    return categorical(
        frame.assign(
            run=frame["setting"] + frame["seed"].astype(str),
            t=3,
            real=frame["seed"] + 10 * frame["layer"],
            imag=0.5 * frame["seed"] + frame["step"],
            ring_centre=ring * (0.5 + 0.1 * frame["seed"] - 9 * (frame["layer"] == 0)),
            ring_radius=ring * (0.2 + 0.1 * frame["seed"]),
        ),
        settings,
    )


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def line(ax, label):
    (found,) = [line for line in ax.get_lines() if line.get_label() == label]
    return found


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


TYPESET = {LSTM_0: "LSTM, $b_f$ = 0", LSTM_2: "LSTM, $b_f$ = 2", GRU: "GRU, $b_z$ = 1"}


@pytest.mark.parametrize("setting", ALL)
@pytest.mark.parametrize("step", STEPS)
def test_sensitivity_is_the_median_over_seeds_with_the_range_as_band(setting, step):
    ax = figures.sensitivity_curves(jacobians(), step=step)
    drawn = line(ax, TYPESET.get(setting) or setting.replace("b_f", "$b_f$"))
    assert list(drawn.get_xdata()) == list(range(TIME))
    expected = OF[setting][0] * np.arange(TIME) + 0.01 + (step > 0)
    assert drawn.get_ydata() == pytest.approx(expected)
    band = ax.collections[ALL.index(setting)].get_paths()[0].vertices[:, 1]
    assert band.max() == pytest.approx(expected[0] + 0.03)
    assert band.min() == pytest.approx(expected[-1] - 0.01)


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


def test_zero_counts_as_small_and_never_moves_the_axis():
    frame = jacobians([LSTM_2])
    gone = (frame["t"] == 0) & (frame["seed"] < 2)
    frame = frame.assign(zero_fraction=gone.astype(float))
    frame["log10_sensitivity"] = frame["log10_sensitivity"].mask(gone)
    ax = figures.sensitivity_curves(frame)
    assert list(line(ax, TYPESET[LSTM_2]).get_xdata()) == list(range(TIME - 1))
    assert np.isfinite(ax.get_ylim()).all()


@pytest.mark.parametrize("setting", [LSTM_0, LSTM_2, RNN])
def test_paths_of_one_setting(setting):
    ax = figures.jacobian_paths(jacobians(), setting=setting, step=40)
    parts = {"direct": 0.7, "indirect": 0.3, "total": 0.9}
    if setting == RNN:
        parts.pop("direct")
    labels = [m.get_label() for m in ax.get_lines() if m.get_label()[0] != "_"]
    assert labels == list(parts)
    for part, size in parts.items():
        slope = 0.01 * np.arange(TIME) * (part == "total")
        assert line(ax, part).get_ydata() == pytest.approx(size + slope + 1.01)
        assert list(line(ax, part).get_xdata()) == list(range(TIME))


def test_a_panel_of_paths_for_each_setting_that_was_measured():
    figure = figures.jacobian_paths_figure(jacobians([RNN, GRU], among=ALL), 0)
    assert [ax.get_title() for ax in figure.axes if ax.get_visible()] == [TYPESET[GRU], RNN]
    assert legend_of(figure) == ["direct", "indirect", "total"]


def test_share_against_the_bias_is_the_mean_over_t_from_1_on():
    ax = figures.indirect_share(jacobians(), runs())
    mean = np.mean(0.5 + np.arange(1, TIME) / 6)
    lstm, gru = line(ax, "LSTM"), line(ax, "GRU")
    assert list(lstm.get_xdata()) == [0, 2]
    assert lstm.get_ydata() == pytest.approx([0.4 * mean + 0.01, 0.2 * mean + 0.01])
    assert list(gru.get_xdata()) == [1]
    assert gru.get_ydata() == pytest.approx([0.3 * mean + 0.01])
    for label, share in ((RNN, 1.0), ("LSTM, $b_f$ chrono to 20", 0.05)):
        assert line(ax, label).get_ydata() == pytest.approx([share * mean + 0.01] * 2)
    marks = [m for m in ax.get_lines() if m.get_linestyle() == "None"]
    assert sorted(map(len, (m.get_xdata() for m in marks))) == [3, 6]
    assert ax.get_xlabel() == "initial bias $b_f$, $b_z$"
    assert ax.get_ylim()[0] == 0


def test_share_without_a_bias_has_no_symbol():
    ax = figures.indirect_share(jacobians([RNN]), runs([RNN]))
    assert "b" not in ax.get_xlabel()


def test_eigenvalues_of_all_seeds_of_the_top_layer():
    ax = figures.eigenvalue_plane(eigenvalues(), setting=GRU, step=40)
    points = line(ax, "eigenvalues")
    assert sorted(points.get_xdata()) == [10, 11, 12]
    assert sorted(points.get_ydata()) == [40, 40.5, 41]
    circle = line(ax, "unit circle")
    assert np.hypot(circle.get_xdata(), circle.get_ydata()) == pytest.approx(1)
    ring = line(ax, "predicted at the zero state")
    assert np.hypot(ring.get_xdata() - 0.6, ring.get_ydata()) == pytest.approx(0.3)


def test_a_panel_of_eigenvalues_for_each_setting():
    figure = figures.eigenvalues_figure(eigenvalues([LSTM_0, RNN]), 0)
    assert [ax.get_title() for ax in figure.axes] == [TYPESET[LSTM_0], RNN]
    assert legend_of(figure) == ["eigenvalues", "unit circle", "predicted at the zero state"]


@pytest.mark.parametrize("step", STEPS)
def test_exponents_are_means_over_examples_from_index_1_on(step):
    ax = figures.lyapunov_spectrum(lyapunov(), step=step)
    drawn = line(ax, RNN)
    assert list(drawn.get_xdata()) == [1, 2, 3]
    assert drawn.get_ydata() == pytest.approx(-0.3 + 0.1 + 0.01 + (step > 0) - np.arange(3))


@pytest.mark.parametrize("step", STEPS)
def test_axes_given_are_drawn_on(step):
    draw = {
        "sensitivity": lambda ax: figures.sensitivity_curves(jacobians(), ax, step=step),
        "share": lambda ax: figures.indirect_share(jacobians(), runs(), ax, step=step),
        "paths": lambda ax: figures.jacobian_paths(jacobians(), ax, setting=GRU, step=step),
        "plane": lambda ax: figures.eigenvalue_plane(eigenvalues(), ax, setting=GRU, step=step),
        "spectrum": lambda ax: figures.lyapunov_spectrum(lyapunov(), ax, step=step),
    }
    for function in draw.values():
        _, ax = plt.subplots()
        assert function(ax) is ax
        assert ax.get_legend() is None
        assert function(None).get_legend() is not None


def test_what_was_not_recorded_is_refused():
    for draw in (
        lambda: figures.sensitivity_curves(jacobians(), step=3),
        lambda: figures.indirect_share(jacobians(), runs(), step=3),
        lambda: figures.lyapunov_spectrum(lyapunov(), step=3),
        lambda: figures.jacobian_paths(jacobians(), setting=GRU, step=3),
        lambda: figures.eigenvalue_plane(eigenvalues(), setting=GRU, step=3),
    ):
        with pytest.raises(UserError, match="step 3 is not recorded"):
            draw()
    for draw in (figures.jacobian_paths, figures.eigenvalue_plane):
        frame = jacobians() if draw is figures.jacobian_paths else eigenvalues()
        with pytest.raises(UserError, match="setting 'b_f = 3' is not recorded"):
            draw(frame, setting="b_f = 3")


@pytest.mark.parametrize("settings", [ALL, [RNN]])
def test_all_figures_at_the_start_and_the_end(settings):
    tables = (jacobians(settings), lyapunov(settings), eigenvalues(settings), runs(settings))
    drawn = jacobian_figures(*tables)
    over_biases = ["indirect_share"] if len(settings) > 1 else []
    assert set(drawn) == {
        *("sensitivity", *over_biases, "lyapunov", "jacobian_paths", "eigenvalues"),
        *("jacobian_paths_trained", "eigenvalues_trained"),
    }
    for name in ("sensitivity", *over_biases, "lyapunov"):
        assert [ax.get_title() for ax in drawn[name].axes] == [
            "before training",
            "after 40 updates",
        ]
        drawn[name].canvas.draw()
    assert "after 40 updates" in drawn["eigenvalues_trained"].get_suptitle()
    start = [table[table["step"] == 0] for table in tables[:3]]
    assert len(jacobian_figures(*start, tables[3])) == 4 + len(over_biases)


def test_the_end_of_a_run_that_diverged_is_drawn_with_the_others():
    early = (jacobians([LSTM_2, RNN]), lyapunov([LSTM_2, RNN]), eigenvalues([LSTM_2, RNN]))
    ends = (25, 30, 30)
    tables = [
        frame.assign(step=frame["step"].mask((frame["setting"] == RNN) & (frame["step"] > 0), end))
        for frame, end in zip(early, ends, strict=True)
    ]
    figure = jacobian_figures(*tables, runs([LSTM_2, RNN]))["lyapunov"]
    assert line(figure.axes[1], RNN).get_ydata()[0] == pytest.approx(-0.3 + 0.1 + 0.01 + 1)
    only = [frame[frame["setting"] == RNN] for frame in tables]
    assert "lyapunov" in jacobian_figures(*only, runs([LSTM_2, RNN]))
