"""Estimates with their intervals."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from rnnlab.report.figures.estimates import estimates
from rnnlab.report.figures.palette import category
from rnnlab.results.intervals import Estimate


def test_bars_reach_to_the_ends_of_intervals_and_arrows_where_there_is_none():
    ax = Figure().subplots()
    found = [Estimate(1, 0, 3), Estimate(5, -math.inf, 6), Estimate(8, 7, math.inf)]
    estimates(ax, np.array([1.0, 2.0, 4.0]), found, category(1), "b_f = 1", arrow=2.0)
    (container,) = ax.containers
    line, arrows, (bars,) = container.lines
    assert list(line.get_xdata()) == [1, 2, 4]
    assert list(line.get_ydata()) == [1, 5, 8]
    ends = [(bar[0, 1], bar[1, 1]) for bar in bars.get_segments()]
    assert np.array(ends) == pytest.approx(np.array([(0, 3), (3, 5), (8, 10)]))
    assert [tuple(*arrow.get_xydata()) for arrow in arrows] == [(4, 10), (2, 3)]
    assert container.get_label() == "$b_f$ = 1"


def test_each_arrow_can_have_a_length():
    ax = Figure().subplots()
    found = [Estimate(1, 0, math.inf), Estimate(2, 1, math.inf)]
    estimates(ax, np.array([1.0, 2.0]), found, category(0), "a", arrow=[0.5, 1.5])
    (bars,) = ax.containers[0].lines[2]
    assert [bar[1, 1] for bar in bars.get_segments()] == pytest.approx([1.5, 3.5])
