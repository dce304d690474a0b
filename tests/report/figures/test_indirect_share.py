"""The data that the figure of the indirect path's share draws, read back from its axes."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from made_up_jacobians import (
    CHRONO,
    GRU,
    LSTM_0,
    LSTM_2,
    RNN,
    TIME,
    jacobians,
    labels_of,
    line,
    runs,
)

from rnnlab.report import figures


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def renamed(names, frame):
    setting = pd.Categorical(frame["setting"].map(names), list(names.values()), ordered=True)
    return frame.assign(setting=setting)


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


def test_lines_of_shares_follow_from_settings_and_not_from_labels():
    names = {LSTM_0: "LSTM #1", LSTM_2: "b_f = 3", CHRONO: "b_f = 2, LSTM", GRU: "a, b_z = 1, c"}
    own = list(names)
    ax = figures.indirect_share(renamed(names, jacobians(own)), renamed(names, runs(own)))
    assert labels_of(ax) == ["LSTM", "LSTM, $b_f$ chrono to 20", "GRU"]
    assert list(line(ax, "LSTM").get_xdata()) == [0, 2]


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("cell.input_bias", [0.0, "tied"], ["$b_i$ = 0", "$b_i$ = −$b_f$"]),
        ("training.clip_norm", [np.nan, 1.5], ["clip_norm = none", "clip_norm = 1.5"]),
        ("cell.hidden", [8, 16], ["hidden = 8", "hidden = 16"]),
        ("cell.own", [[1, 2], [3]], ["own = [1, 2]", "own = [3]"]),
        ("cell.layers", [2, 2], ["LSTM"]),
    ],
)
def test_settings_that_differ_in_more_than_a_bias_are_lines_of_their_own(column, values, expected):
    own = runs([LSTM_0, LSTM_2])
    second = own["setting"] == LSTM_2
    own[column] = [values[is_second] for is_second in second.astype(int)]
    assert labels_of(figures.indirect_share(jacobians([LSTM_0, LSTM_2]), own)) == expected


def test_untied_settings_are_called_so_beside_tied_ones_and_other_cells():
    own = runs([LSTM_0, LSTM_2, GRU])
    own["cell.input_bias"] = own["setting"].map({LSTM_0: 0.0, LSTM_2: "tied"}).astype(object)
    names = labels_of(figures.indirect_share(jacobians([LSTM_0, LSTM_2, GRU]), own))
    assert names == ["LSTM, $b_i$ = 0", "LSTM, $b_i$ = −$b_f$", "GRU"]


def test_a_number_and_chrono_that_differ_in_nothing_else():
    ax = figures.indirect_share(jacobians([LSTM_0, CHRONO]), runs([LSTM_0, CHRONO]))
    assert labels_of(ax) == ["LSTM", "$b_f$ chrono to 20"]


def test_share_without_a_bias_has_no_symbol():
    ax = figures.indirect_share(jacobians([RNN]), runs([RNN]))
    assert "b" not in ax.get_xlabel()
