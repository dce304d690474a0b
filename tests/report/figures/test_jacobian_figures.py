"""The data that figures of one-step Jacobians draw, read back from their axes."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from made_up_jacobians import (
    ALL,
    GRU,
    LSTM_0,
    LSTM_2,
    RNN,
    STEPS,
    TIME,
    TYPESET,
    eigenvalues,
    jacobians,
    labels_of,
    legend_of,
    line,
    lyapunov,
    runs,
)

from rnnlab.report import figures
from rnnlab.report.figures.at_ends import jacobian_figures
from rnnlab.support.errors import UserError


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


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
    drawn = jacobian_figures(*tables).figures
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
    assert len(jacobian_figures(*start, tables[3]).figures) == 4 + len(over_biases)


def test_the_end_of_a_run_that_diverged_is_drawn_with_the_others():
    early = (jacobians([LSTM_2, RNN]), lyapunov([LSTM_2, RNN]), eigenvalues([LSTM_2, RNN]))
    ends = (25, 30, 30)
    tables = [
        frame.assign(step=frame["step"].mask((frame["setting"] == RNN) & (frame["step"] > 0), end))
        for frame, end in zip(early, ends, strict=True)
    ]
    figure = jacobian_figures(*tables, runs([LSTM_2, RNN])).figures["lyapunov"]
    assert line(figure.axes[1], RNN).get_ydata()[0] == pytest.approx(-0.3 + 0.1 + 0.01 + 1)
    only = [frame[frame["setting"] == RNN] for frame in tables]
    assert "lyapunov" in jacobian_figures(*only, runs([LSTM_2, RNN])).figures


def test_figures_of_a_cell_that_nobody_knows():
    """It has no direct path, and biases of its own under the usual names."""
    tables = [
        table.drop(columns="direct_spectral", errors="ignore")
        for table in (
            jacobians([LSTM_0, LSTM_2]),
            lyapunov([LSTM_0, LSTM_2]),
            eigenvalues([LSTM_0, LSTM_2]),
        )
    ]
    own = (
        runs([LSTM_0, LSTM_2])
        .drop(columns="cell.t_max")
        .assign(**{"cell.kind": "own.py:Cell", "cell.update_bias": "chrono"})
    )
    own["cell.forget_bias"] = [[0.5]] * len(own)
    drawn = jacobian_figures(*tables, own).figures
    assert "indirect_share" not in drawn
    for figure in drawn.values():
        figure.canvas.draw()
    bare = own[["setting", "seed", "cell.kind"]]
    assert set(jacobian_figures(*tables, bare).figures) == set(drawn)
    assert labels_of(figures.indirect_share(tables[0], own)) == ["Cell"]
