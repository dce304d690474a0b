"""Runs of several seeds: each is seen, none hides another, and unsolved ones are counted."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from rnnlab.report.figures.against_forget_bias import against_forget_bias
from rnnlab.report.figures.palette import category, styles_of
from rnnlab.report.figures.paths_and_learning import paths_and_learning
from rnnlab.report.figures.retention_and_learning import retention_and_learning
from rnnlab.report.figures.seeds import beside, marks, seed_lines
from rnnlab.report.figures.style import panels


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def overlaps(ax):
    """Pairs of marks that touch, and how many marks there are, as the figure is laid out."""
    ax.figure.draw_without_rendering()
    discs = []
    for line in ax.get_lines():
        if line.get_linestyle() == "None":
            radius = line.get_markersize() / 2 * ax.figure.dpi / 72
            points = ax.transData.transform(line.get_xydata())
            discs += [(point, radius) for point in points if np.isfinite(point).all()]
    pairs = itertools.combinations(discs, 2)
    touching = [1 for (a, r), (b, s) in pairs if np.hypot(*(a - b)) < 0.98 * (r + s)]
    return len(touching), len(discs)


def runs(many_settings, many_seeds, share_solved=0.5, length=1000, spread=5):
    rng = np.random.default_rng(0)
    labels = [f"b_f = {index}" for index in range(many_settings)]
    rows = [
        {
            "setting": label,
            "seed": seed,
            "training.steps": length,
            "gate_first": 0.7 + 0.001 * rng.normal(),
            "decay_first": -0.01 * rng.random(),
            "solved_at": 500 + spread * rng.normal() if rng.random() < share_solved else None,
            "task.kind": "adding",
            "cell.forget_bias": index,
            "cell.input_bias": 0,
        }
        for index, label in enumerate(labels)
        for seed in range(many_seeds)
    ]
    frame = pd.DataFrame(rows).astype({"solved_at": float})
    return frame.assign(setting=pd.Categorical(frame["setting"], labels, ordered=True))


@pytest.mark.parametrize(("settings", "seeds"), [(6, 3), (6, 10), (2, 20), (20, 6), (1, 1)])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_no_mark_touches_another(settings, seeds, share):
    """They differ by little, so that marks side by side in one row would merge into bars."""
    figure = retention_and_learning(runs(settings, seeds, share))
    for ax in figure.axes:
        touching, many = overlaps(ax)
        assert touching == 0
        assert many > 0


def test_unsolved_runs_are_one_open_mark_with_their_number():
    frame = runs(3, 10, 0.5)
    ax = retention_and_learning(frame).axes[2]
    missing = frame["solved_at"].isna().groupby(frame["setting"], observed=False).sum()
    open_marks = [m for m in ax.get_lines() if m.get_markerfacecolor() == "none"]
    assert [m.get_xydata().tolist() for m in open_marks] == [[[1060, row]] for row in range(3)]
    assert [text.get_text() for text in ax.texts] == [str(number) for number in missing]
    assert ax.get_title() == "open: number of unsolved runs"
    solved = retention_and_learning(runs(3, 10, 1.0)).axes[2]
    assert not solved.texts
    assert not solved.get_title()


def test_where_no_run_solved_the_task_the_axes_say_so():
    ax = retention_and_learning(runs(3, 4, 0.0)).axes[2]
    assert "none of 12 runs\nsolved it in 1,000 steps" in [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_marks_against_the_forget_bias_do_not_touch(share):
    frame = runs(9, 8, share, spread=100).assign(norm=1.0, left=-1.0)
    tied = frame.assign(**{"cell.input_bias": "tied"})
    figure = against_forget_bias(frame, pd.concat([frame, tied]), "norm", "left")
    assert overlaps(figure.axes[2])[0] == 0


def test_marks_keep_their_values_and_rows():
    rng = np.random.default_rng(1)
    values = pd.Series(rng.normal(size=30))
    names = pd.Series(["a", "b", "c"] * 10)
    _, ((ax,),) = panels(1, 1)
    marks(ax, values, names, styles_of(["a", "b", "c"]))
    for row, (name, line) in enumerate(zip("abc", ax.get_lines(), strict=True)):
        assert list(line.get_xdata()) == list(values[names == name])
        assert (np.abs(line.get_ydata() - row) <= 0.4).all()


def test_marks_beside_a_place_on_a_logarithmic_axis():
    _, ((ax,),) = panels(1, 1)
    ax.set_yscale("log")
    ax.set_ylim(1e-6, 1e3)
    ax.set_xlim(-0.5, 3.5)
    values = np.geomspace(1e-5, 1e2, 40).repeat(2)
    (places,), size = beside(ax, [values], [2.0], room=0.5, upright=True)
    ax.plot(places, values, "o", markersize=size)
    assert (np.abs(places - 2) <= 0.26).all()
    assert overlaps(ax) == (0, 80)
    assert beside(ax, [np.array([])], [1.0])[0][0].size == 0


def sizes_of_marks(ax):
    return {m.get_markersize() for m in ax.get_lines() if m.get_linestyle() == "None"}


def test_all_marks_of_a_panel_have_one_size():
    """A crowded row has small marks: those of the other rows, solved or not, are no larger."""
    crowded, sparse = runs(1, 40, 0.8, spread=0.1), runs(2, 3, 0.5)
    frame = pd.concat([crowded, sparse[sparse["setting"] == "b_f = 1"]])
    frame["setting"] = pd.Categorical(frame["setting"], ["b_f = 0", "b_f = 1"], ordered=True)
    before = frame.assign(norm=1.0, left=-1.0)
    paths = dict.fromkeys(("total", "direct", "indirect"), "norm")
    panel_of = {
        "marks": retention_and_learning(frame).axes[2],
        "against b_f": against_forget_bias(before, frame, "norm", "left").axes[2],
        "demo": paths_and_learning(before, frame, paths, "left").axes[3],
    }
    for name, ax in panel_of.items():
        (size,) = sizes_of_marks(ax)
        assert size < 4, name


def test_seeds_are_thin_lines_that_end_where_they_are_not_finite():
    wide = pd.DataFrame({0: [1.0, 2.0, 3.0], 1: [2.0, -np.inf, 5.0], 2: [3.0, np.nan, 7.0]})
    _, ax = plt.subplots()
    seed_lines(ax, wide, category(1), "a")
    (thin,) = ax.collections
    assert [len(path.vertices) for path in thin.get_paths()] == [3, 3, 3]
    assert not np.isfinite(thin.get_paths()[1].vertices[1, 1])
    (median,) = ax.get_lines()
    assert list(median.get_ydata()) == [2, 5]
    assert list(median.get_xdata()) == [0, 2]
    assert ax.get_ylim()[1] >= 7
    _, ax = plt.subplots()
    seed_lines(ax, wide[[0]], category(1), "one seed")
    assert not ax.collections
    seed_lines(ax, wide * np.nan, category(1), "none")
    assert len(ax.get_lines()) == 1
