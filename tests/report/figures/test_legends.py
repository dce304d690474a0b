"""Legends hide nothing and are small; axes without data say so."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from made_up import settings, summary, write

from rnnlab.report import figures
from rnnlab.report.figures.palette import category
from rnnlab.report.figures.seeds import seed_lines
from rnnlab.report.figures.style import PANEL_HEIGHT, figure_legend, panels
from rnnlab.report.findings import standard_findings
from rnnlab.results.read import load

DEMO = [
    *("b_f = 0", "b_f = 1", "b_f = 3", "b_f = 5"),
    *("b_f = 3, b_i = −b_f", "b_f chrono to 100, b_i = −b_f", "baseline: remembers nothing"),
    "threshold; ticks: solved",
]
LONG = "adding, own.py:PeepholeLSTM, hidden = 128, recurrent_kernel = orthogonal, rate = 0.001"


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def boxes(figure):
    figure.draw_without_rendering()
    return [ax.get_window_extent() for ax in figure.axes if ax.get_visible()]


def shared(one, other):
    """Area that two boxes share, in pixels."""
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return max(0, width) * max(0, height)


@pytest.mark.parametrize("columns", [1, 2, 3])
@pytest.mark.parametrize(
    "labels",
    [DEMO, ["LSTM"], [f"b_f = {n}" for n in range(20)], [f"{LONG}, b_f = {n}" for n in range(4)]],
    ids=["demo", "one", "twenty", "long"],
)
def test_a_legend_takes_nothing_from_the_panels(columns, labels):
    figure, axes = panels(1, columns)
    for index, label in enumerate(labels):
        seed_lines(axes[0, 0], pd.DataFrame({0: [1.0, 2.0]}), category(index), label)
    bare = [box.height for box in boxes(figure)]
    figure_legend(figure, list(axes[0]), labels)
    legend, inside = figure.legends[0].get_window_extent(), boxes(figure)
    assert all(shared(legend, box) == 0 for box in inside)
    assert min(box.height for box in inside) > 0.9 * min(bare)
    assert min(box.height for box in inside) > 0.6 * PANEL_HEIGHT * figure.dpi
    assert legend.x0 >= 0
    assert legend.x1 <= figure.bbox.width + 1
    if labels is DEMO:
        assert legend.height < 0.25 * figure.bbox.height


def test_a_legend_of_one_axes_is_beside_it():
    jumps = pd.DataFrame({"run": "a", "seed": 0, "step": [0, 1], "loss": 1.0})
    jumps["setting"] = pd.Categorical(["b_f = 0"] * 2, ["b_f = 0"])
    runs = pd.DataFrame(
        {"setting": ["b_f = 0"], "baseline": 2.0, "threshold": 0.1, "solved_at": 1.0}
    )
    ax = figures.learning_curves(jumps, runs)
    ax.figure.draw_without_rendering()
    assert shared(ax.get_legend().get_window_extent(), ax.get_window_extent()) == 0


def test_axes_without_data_say_so(tmp_path):
    runs = [(settings(forget_bias=bias), 0, "finished", summary()) for bias in (0.0, 2.0)]
    write(tmp_path / "made_up", runs)
    gradients = load(tmp_path / "made_up").gradients
    is_late = gradients["step"] == gradients["step"].max()
    gradients = gradients.assign(zero_fraction=is_late.astype(float))
    figure = figures.gradient_decay_figure(gradients, [0, int(gradients["step"].max())])
    said = [[text.get_text() for text in ax.texts] for ax in figure.axes]
    assert said == [[], ["no finite value"]] * 2


@pytest.mark.parametrize(("many", "seeds"), [(20, 2), (1, 1)])
def test_every_standard_figure_of_many_settings_and_of_one(many, seeds, tmp_path):
    """No legend leaves the figure or covers a panel; each panel has a size worth reading."""
    runs = [
        (settings(forget_bias=float(bias)), seed, "finished", summary())
        for bias in range(many)
        for seed in range(seeds)
    ]
    write(tmp_path / "made_up", runs)
    for name, figure in standard_findings(load(tmp_path / "made_up")).figures.items():
        if "heatmap" in name:
            continue
        inside = boxes(figure)
        for legend in figure.legends:
            box = legend.get_window_extent()
            assert box.x0 >= 0, name
            assert box.x1 <= figure.bbox.width + 1, name
            assert all(shared(box, panel) == 0 for panel in inside), name
        assert min(np.ptp(box.get_points(), axis=0).min() for box in inside) > 90, name
