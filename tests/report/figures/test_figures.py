"""The data that the figures draw, read back from their axes."""

import inspect
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from made_up import STEPS, TIME, settings, summary, write
from matplotlib.collections import PolyCollection

from rnnlab.report import figures
from rnnlab.report.figures.gates import gates_figures
from rnnlab.report.figures.heatmap import heatmap_figures
from rnnlab.report.figures.records import quantities_of
from rnnlab.report.findings import standard_findings
from rnnlab.results.read import load
from rnnlab.support.errors import UserError


@pytest.fixture
def results(tmp_path):
    runs = [
        (settings(forget_bias=bias), seed, "finished", summary(solved_at=40 + seed))
        for bias in (0.0, 2.0)
        for seed in range(3)
    ]
    write(tmp_path / "made_up", runs)
    yield load(tmp_path / "made_up")
    plt.close("all")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def line(ax, label):
    return next(line for line in ax.get_lines() if line.get_label() == label)


def test_gradient_decay_draws_log10_norms_against_distance(results):
    ax = figures.gradient_decay(results.gradients, quantity="c", step=0)
    drawn = line(ax, "$b_f$ = 2")
    assert list(drawn.get_xdata()) == list(range(TIME))
    assert drawn.get_ydata() == pytest.approx(np.log10(sigmoid(2.0)) * np.arange(TIME))


def test_gradient_decay_is_the_median_over_seeds_with_each_as_a_thin_line(results):
    shift = results.gradients["seed"].map({0: 0.0, 1: 0.5, 2: 10.0})
    gradients = results.gradients.assign(log10_mean=results.gradients["log10_mean"] + shift)
    ax = figures.gradient_decay(gradients, quantity="h", step=STEPS)
    assert line(ax, "$b_f$ = 0").get_ydata()[0] == pytest.approx(0.5 - 5)
    seeds = ax.collections[0]
    firsts = [path.vertices[0, 1] for path in seeds.get_paths()]
    assert firsts == pytest.approx([0.0 - 5, 0.5 - 5, 10.0 - 5])
    assert seeds.get_linewidth()[0] < line(ax, "$b_f$ = 0").get_linewidth() / 2
    assert ax.get_ylim()[1] > 10.0 - 5
    assert not any(isinstance(drawn, PolyCollection) for drawn in ax.collections)


def test_gradient_decay_without_distance_is_against_t(results):
    gradients = results.gradients.assign(distance=np.nan)
    assert figures.gradient_decay(gradients).get_xlabel() == "time step t"


def test_gradient_decay_draws_on_the_axes_given(results):
    _, ax = plt.subplots()
    assert figures.gradient_decay(results.gradients, ax) is ax


def test_heatmap_is_training_step_by_t_and_masks_what_reads_zero(results):
    gradients = results.gradients
    gone = (gradients["t"] == 0) & (gradients["step"] == STEPS)
    gradients = gradients.assign(
        log10_mean=gradients["log10_mean"].mask(gone), zero_fraction=gone.astype(float)
    )
    ax = figures.gradient_heatmap(gradients, setting="b_f = 0", quantity="c")
    drawn = ax.collections[0].get_array()
    assert drawn.shape == (STEPS // 10 + 1, TIME)
    assert drawn.mask[-1, 0]
    assert drawn.mask.sum() == 1
    assert drawn[0, 0] == pytest.approx(np.log10(0.5) * (TIME - 1))
    (hatched,) = [c for c in ax.collections if c.get_hatch() == "xxxx"]
    corners = hatched.get_paths()[0].vertices
    assert (corners[:, 0].min(), corners[:, 0].max()) == (-0.5, 0.5)
    assert (corners[:, 1].min(), corners[:, 1].max()) == (STEPS - 5, STEPS + 5)
    figure = figures.heatmap_figure(gradients, "c")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["reads zero"]


def test_a_seed_that_reads_zero_counts_as_small_and_is_not_left_out(results):
    gradients = results.gradients
    early = gradients["t"] < 2
    gone = early & ((gradients["seed"] == 0) | (gradients["t"] == 0) & (gradients["seed"] == 1))
    shifted = gradients["log10_mean"] + gradients["seed"]
    gradients = gradients.assign(log10_mean=shifted.mask(gone), zero_fraction=gone.astype(float))
    drawn = line(figures.gradient_decay(gradients, step=0), "$b_f$ = 0").get_ydata()
    expected = np.log10(0.5) * np.arange(TIME) + 1
    assert drawn == pytest.approx(expected[:-1])
    size = figures.gradient_heatmap(gradients, setting="b_f = 0", normalise=False)
    heat = size.collections[0].get_array()
    assert list(heat.mask[0]) == [True] + [False] * (TIME - 1)
    assert heat[0, 1] == pytest.approx(expected[TIME - 2])


def test_learning_curves_end_where_a_run_ends(results):
    training = results.training[(results.training["step"] < 60) | (results.training["seed"] > 0)]
    ax = figures.learning_curves(training[training["seed"] == 0], results.runs)
    assert line(ax, "$b_f$ = 0").get_xdata()[-1] == 59
    longest = line(figures.learning_curves(training, results.runs), "$b_f$ = 0")
    assert longest.get_xdata()[-1] == STEPS


def test_heatmaps_of_a_grid_share_one_colour_scale(results):
    figure = figures.heatmap_figure(results.gradients, "c")
    c = results.gradients.query("quantity == 'c' and layer == 1")["log10_mean"]
    for ax in figure.axes[:2]:
        assert ax.collections[0].get_clim() == pytest.approx((np.quantile(c, 0.01), 1.0))
    figure = figures.heatmap_figure(results.gradients, "c", normalise=False)
    for ax in figure.axes[:2]:
        assert ax.collections[0].get_clim() == pytest.approx((np.quantile(c, 0.01), 0.0))


def test_learning_curves_are_the_mean_of_50_losses(results):
    ax = figures.learning_curves(results.training, results.runs)
    losses = pd.Series(np.linspace(1, 0.001, STEPS + 1))
    drawn = line(ax, "$b_f$ = 0").get_ydata()
    assert drawn[-1] == pytest.approx(losses[-50:].mean())
    assert drawn[10] == pytest.approx(losses[:11].mean())


def test_learning_curves_mark_baseline_threshold_and_when_solved(results):
    ax = figures.learning_curves(results.training, results.runs)
    (baseline,) = results.runs["baseline"].unique()
    assert line(ax, "baseline: remembers nothing").get_ydata()[0] == pytest.approx(baseline)
    assert line(ax, "threshold; ticks: solved").get_ydata()[0] == pytest.approx(0.01)
    marks = [m for m in ax.get_lines() if m.get_linestyle() == "None"]
    assert [list(m.get_xdata()) for m in marks] == [[40, 41, 42], [41]] * 2
    assert [m.get_marker() == "|" for m in marks] == [True, False] * 2
    late = results.runs.assign(solved_at=results.runs["solved_at"].replace([40, 41], None))
    marks = figures.learning_curves(results.training, late).get_lines()
    assert [list(m.get_xdata()) for m in marks if m.get_linestyle() == "None"] == [[42]] * 2
    assert "none" not in {m.get_markerfacecolor() for m in ax.get_lines()}  # open: unsolved
    unsolved = figures.learning_curves(results.training, results.runs.assign(solved_at=None))
    assert line(unsolved, "threshold").get_ydata()[0] == pytest.approx(0.01)


def test_learning_curves_of_losses_below_zero(results):
    """As a density's may be; on a logarithmic axis they would be left out."""
    training = results.training.assign(loss=results.training["loss"] - 0.5)
    ax = figures.learning_curves(training, results.runs)
    assert ax.get_yscale() == "linear"
    assert figures.learning_curves(results.training, results.runs).get_yscale() == "log"


def entries(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_legends_have_no_entry_for_what_is_not_drawn(results):
    gradients = results.gradients.copy()
    is_zero = gradients["setting"] == "b_f = 2"
    gradients.loc[is_zero, "log10_mean"] = np.nan
    gradients.loc[is_zero, "zero_fraction"] = 1.0
    figure = figures.gradient_decay_figure(gradients, [0])
    assert entries(figure) == ["$b_f$ = 0"]
    assert entries(figures.gradient_decay_figure(results.gradients, [0])) == [
        "$b_f$ = 0",
        "$b_f$ = 2",
    ]
    chrono = results.runs.assign(**{"cell.t_max": 50.0})
    biases = chrono["cell.forget_bias"].astype(object)
    chrono["cell.forget_bias"] = biases.mask(chrono["setting"] == "b_f = 2", "chrono")
    both = figures.gates_figure(results.gates, chrono, "f")
    assert r"$\sigma(b_f)$, for chrono its mean" in entries(both)
    other = results.gates[results.gates["setting"] == "b_f = 0"]
    alone = figures.gates_figure(other, chrono, "f")
    assert entries(alone) == ["$b_f$ = 0", r"$\sigma(b_f)$"]
    levels = {m.get_ydata()[0] for m in alone.axes[0].get_lines() if len(set(m.get_xdata())) == 2}
    assert levels == {0.5}


def test_a_heat_map_explains_hatches_only_where_there_are_some(results):
    """One of three seeds reads zero, so that the median does not."""
    gradients = results.gradients.copy()
    is_zero = (gradients["t"] == 0) & (gradients["quantity"] == "c") & (gradients["layer"] == 1)
    gradients.loc[is_zero & (gradients["seed"] == 0), "zero_fraction"] = 1.0
    assert not figures.heatmap_figure(gradients, "c").legends
    gradients.loc[is_zero, "zero_fraction"] = 1.0
    assert entries(figures.heatmap_figure(gradients, "c")) == ["reads zero"]


def test_gate_over_time_and_training_beside_the_value_of_the_bias(results):
    ax = figures.gate_over_time(results.gates, gate="f", step=0, runs=results.runs)
    assert line(ax, "$b_f$ = 2").get_ydata() == pytest.approx([sigmoid(2.0)] * TIME)
    levels = [m.get_ydata()[0] for m in ax.get_lines() if len(set(m.get_xdata())) == 2]
    assert sorted(levels) == pytest.approx([0.5, sigmoid(2.0)])
    assert line(ax, r"$\sigma(b_f)$").get_linewidth() < 1
    ax = figures.gate_over_training(results.gates, gate="f")
    assert list(line(ax, "$b_f$ = 2").get_xdata()) == list(range(0, STEPS + 1, 10))


def test_standard_findings(results):
    findings = standard_findings(results)
    assert set(findings.figures) == {
        *("gradient_decay", "learning_curves", "forget_gate"),
        *("heatmap_c", "heatmap_h", "heatmap_c_size", "heatmap_h_size"),
    }
    assert list(findings.table["setting"]) == results.settings
    legend = findings.figures["gradient_decay"].legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["$b_f$ = 0", "$b_f$ = 2"]


def test_every_line_has_its_own_look(results):
    ax = figures.gradient_decay(results.gradients)
    looks = {(m.get_color(), m.get_linestyle(), m.get_marker()) for m in ax.get_lines()}
    assert len(looks) == 2
    assert len({m.get_marker() for m in ax.get_lines()}) == 2


def test_layers_are_those_of_each_setting(results):
    shallow = (results.gradients["setting"] == "b_f = 2") & (results.gradients["layer"] == 1)
    gradients = results.gradients[~shallow]
    ax = figures.gradient_decay(gradients)
    assert line(ax, "$b_f$ = 0").get_ydata()[0] == pytest.approx(0)
    assert line(ax, "$b_f$ = 2").get_ydata()[0] == pytest.approx(-20)


def test_a_heat_map_of_decay_takes_off_the_value_at_the_last_step(results):
    """Each record's own, of each seed, and where the loss is read; a slow loop says the same."""
    noise = np.random.default_rng(0).normal(0, 3, len(results.gradients))
    gradients = results.gradients.assign(log10_mean=results.gradients["log10_mean"] + noise)
    gradients["distance"] -= 1  # Read one step before the end.
    own = gradients[(gradients["setting"] == "b_f = 2") & (gradients["layer"] == 1)]
    own = own[own["quantity"] == "h"].set_index(["seed", "step", "t"])["log10_mean"]
    for steps in (0, 30):
        expected = [
            np.median([own[seed, steps, t] - own[seed, steps, TIME - 2] for seed in range(3)])
            for t in range(TIME)
        ]
        ax = figures.gradient_heatmap(gradients, setting="b_f = 2", quantity="h")
        assert np.asarray(ax.collections[0].get_array()[steps // 10]) == pytest.approx(expected)
    undated = gradients.assign(distance=np.nan)
    ax = figures.gradient_heatmap(undated, setting="b_f = 2", quantity="h")
    assert np.asarray(ax.collections[0].get_array()[:, TIME - 1]) == pytest.approx(0)
    assert r"\partial h_T" in ax.figure.axes[1].get_ylabel()


def test_what_grew_has_another_hue_than_what_decayed(results):
    """0 is grey in every heat map of decay, however far the gradient goes to either side."""
    for factor in (-9.0, 0.01, 1.0, 50.0):
        gradients = results.gradients.assign(log10_mean=results.gradients["log10_mean"] * factor)
        mesh = figures.gradient_heatmap(gradients, setting="b_f = 0").collections[0]
        red, green, blue, _ = mesh.cmap(mesh.norm(0.0))
        assert max(red, green, blue) - min(red, green, blue) < 0.05
        greys = [np.dot(mesh.cmap(x)[:3], (0.2126, 0.7152, 0.0722)) for x in np.linspace(0, 1, 9)]
        assert (np.diff(greys) > 0).all()
        below, above = (mesh.cmap(mesh.norm(end / 2)) for end in mesh.get_clim())
        assert below[2] > below[0]
        assert above[2] < above[0]


def test_a_heat_map_is_blank_where_there_is_no_number_and_full_where_it_overflows(results):
    gradients = results.gradients
    values = gradients["log10_mean"].mask(gradients["t"] == 0, np.nan)
    values = values.mask(gradients["t"] == 1, np.inf)
    ax = figures.gradient_heatmap(gradients.assign(log10_mean=values), setting="b_f = 0")
    drawn = ax.collections[0].get_array()
    assert drawn.mask[:, 0].all()
    assert not drawn.mask[:, 1:].any()
    assert (drawn[:, 1] == ax.collections[0].get_clim()[1]).all()
    assert len(ax.collections) == 1


def test_what_was_not_recorded_is_refused(results):
    with pytest.raises(UserError, match="quantity 'z' is not recorded"):
        figures.gradient_decay(results.gradients, quantity="z")
    with pytest.raises(UserError, match="step 3 is not recorded"):
        figures.gate_over_time(results.gates, step=3)


def renamed(frame, column, names):
    return frame.assign(**{column: frame[column].map(names)})


def test_gates_of_a_cell_that_has_no_known_gate(results):
    """Of the two settings, one has gates of other names."""
    gates, is_own = results.gates, results.gates["setting"] == "b_f = 2"
    names = {"i": "w/$x", "f": "keep_gate", "o": "o"}
    gates = pd.concat([gates[~is_own], renamed(gates[is_own], "gate", names)])
    drawn = gates_figures(gates, results.runs)
    assert set(drawn) == {"forget_gate", "gate_w__x", "gate_keep_gate", "gate_o"}
    (_, ax, _) = drawn["gate_keep_gate"].axes
    assert line(ax, "$b_f$ = 2").get_ydata() == pytest.approx([sigmoid(2.0)] * TIME)
    assert [m.get_label() for m in ax.get_lines()] == ["$b_f$ = 2"]
    for figure in drawn.values():
        figure.canvas.draw()


def test_a_cell_without_gates_has_no_figure_of_them(results):
    assert gates_figures(results.gates.iloc[:0], results.runs) == {}
    assert gates_figures(pd.DataFrame(columns=["setting", "gate"]), results.runs) == {}


def test_other_parts_of_the_state_follow_c_and_h(results):
    names = {"h": "h", "c": "mem_cell"}
    gradients = renamed(results.gradients, "quantity", names)
    both = pd.concat([gradients, results.gradients])
    assert list(both["quantity"].unique()) == ["h", "mem_cell", "c"]
    assert quantities_of(both) == ["c", "h", "mem_cell"]
    figure = figures.gradient_decay_figure(gradients, [0, STEPS])
    assert "mem" in figure.axes[2].get_ylabel()
    assert line(figure.axes[2], "$b_f$ = 2").get_ydata()[-1] == pytest.approx(
        np.log10(sigmoid(2.0)) * (TIME - 1)
    )
    drawn = heatmap_figures(gradients)
    names = ("heatmap_h", "heatmap_mem_cell")
    assert list(drawn) == [f"{name}{suffix}" for name in names for suffix in ("", "_size")]
    for one in (figure, *drawn.values()):
        one.canvas.draw()


def test_a_new_axes_gets_what_tells_its_colours_apart(results):
    """A legend, or a heat map's colour bar, and neither on an axes that was given."""
    _, ax = plt.subplots()
    for draw in (
        lambda ax=None: figures.gradient_decay(results.gradients, ax),
        lambda ax=None: figures.learning_curves(results.training, results.runs, ax=ax),
        lambda ax=None: figures.gate_over_training(results.gates, ax),
    ):
        assert draw().get_legend() is not None
        assert draw(ax).get_legend() is None
    draw = partial(figures.gradient_heatmap, results.gradients, setting="b_f = 0", quantity="h")
    _, bar = draw().figure.axes
    assert r"\partial h_t" in bar.get_ylabel()
    assert draw(ax=ax).figure.axes == [ax]


def test_a_decorated_function_shows_its_own_signature():
    signature = inspect.signature(figures.indirect_share)
    assert list(signature.parameters) == ["jacobians", "runs", "ax", "step"]
    assert signature.parameters["ax"].default is None
    assert figures.indirect_share.__annotations__["runs"] is pd.DataFrame
    assert figures.indirect_share.__doc__.startswith("Draw the share")
    assert figures.indirect_share.__name__ == "indirect_share"
