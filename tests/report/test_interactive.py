"""Interactive figures: what plotly draws, against the data frames and Matplotlib's axes."""

import html
import subprocess
import sys

import made_up
import matplotlib.pyplot as plt
import numpy as np
import pytest

import rnnlab
from rnnlab.report import figures
from rnnlab.report.figures.palette import DASHES
from rnnlab.report.interactive import Interactive
from rnnlab.report.mathtext import as_html
from rnnlab.support.errors import UserError

pytest.importorskip("plotly")

from rnnlab.report.plotly_figure import figure_of

CONFIG = """
name: tiny
task: {kind: adding, length: 8}
cell: {kind: lstm, hidden: 3}
training: {steps: 20, batch: 4}
record: {every: 5, jacobians: {every: 10, examples: 2}}
sweep: {cell: {forget_bias: [0, 2]}}
seeds: 2
"""
METHODS = [name for name in dir(Interactive) if not name.startswith("_")]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    config = tmp_path_factory.mktemp("interactive") / "tiny.yaml"
    config.write_text(CONFIG)
    return rnnlab.run(config, out=config.parent / "out")


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def of_group(figure, trace):
    return [t for t in figure.data if t.legendgroup == trace.legendgroup and t is not trace]


def medians(frame, x, y):
    return frame.pivot_table(index=x, columns="seed", values=y).median(axis=1)


def top(frame, setting):
    return frame[(frame["setting"] == setting) & (frame["step"] == 0)]


def test_every_function_of_figures_has_its_interactive_one(results):
    functions = {name for name in figures.__all__ if not name.endswith("_figure")} - {"has_biases"}
    assert len(METHODS) == len(functions)
    for name in METHODS:
        drawn = getattr(results.plotly, name)()
        assert any(np.isfinite(np.asarray(t.y, float)).any() for t in drawn.data), name
        assert "$" not in drawn.layout.xaxis.title.text + drawn.layout.yaxis.title.text
        assert name in repr(results.plotly)
    assert plt.get_fignums() == []


def test_decay_is_the_median_over_seeds_with_each_seed_in_its_group(results):
    drawn = results.plotly.decay(quantity="h")
    gradients = results.gradients[results.gradients["quantity"] == "h"]
    for bias in (0, 2):
        own = top(gradients, f"b_f = {bias}")
        expected = medians(own, "distance", "log10_mean")
        trace = named(drawn, f"b<sub>f</sub> = {bias}")
        np.testing.assert_allclose(trace.x, expected.index)
        np.testing.assert_allclose(trace.y, expected)
        (seeds,) = of_group(drawn, trace)
        ends = np.flatnonzero(np.isnan(seeds.y))
        for seed, values in zip((0, 1), np.split(seeds.y, ends + 1), strict=False):
            of_seed = own[own["seed"] == seed].sort_values("distance")["log10_mean"]
            np.testing.assert_allclose(values[~np.isnan(values)], of_seed)
    assert drawn.layout.yaxis.title.text == ("log<sub>10</sub> ‖∂L/∂h<sub>t</sub>‖<sub>2</sub>")


def test_learning_curves_on_a_logarithmic_axis_with_their_levels(results):
    drawn = results.plotly.learning_curves()
    training = results.training[results.training["setting"] == "b_f = 2"]
    losses = training.pivot_table(index="step", columns="seed", values="loss")
    recent = losses.rolling(50, min_periods=1).mean().median(axis=1)
    np.testing.assert_allclose(named(drawn, "b<sub>f</sub> = 2").y, recent)
    assert drawn.layout.yaxis.type == "log"
    levels = {shape.name: shape.y0 for shape in drawn.layout.shapes}
    assert levels["baseline: remembers nothing"] == pytest.approx(results.runs["baseline"][0])
    assert 0.01 in levels.values()


def test_heat_map_has_the_medians_between_the_same_edges(results):
    drawn = results.plotly.heatmap(setting="b_f = 2", normalise=False)
    (trace,) = drawn.data
    own = results.gradients.query("setting == 'b_f = 2' and quantity == 'c'")
    expected = own.pivot_table(index="step", columns="t", values="log10_mean", aggfunc="median")
    np.testing.assert_allclose(trace.z, expected)
    assert list(trace.x) == [t - 0.5 for t in range(9)]
    assert list(trace.y) == [-2.5, 2.5, 7.5, 12.5, 17.5, 22.5]
    assert results.plotly.heatmap().data[0].zmin < 0 < results.plotly.heatmap().data[0].zmax


def test_paths_sensitivity_gates_exponents_and_eigenvalues(results):
    own = top(results.jacobians, "b_f = 0")
    paths = results.plotly.jacobian_paths()
    for part in ("direct", "indirect", "total"):
        np.testing.assert_allclose(named(paths, part).y, medians(own, "t", f"{part}_spectral"))
    sensitivity = named(results.plotly.sensitivity(), "b<sub>f</sub> = 0")
    np.testing.assert_allclose(sensitivity.y[::-1], medians(own, "t", "log10_sensitivity"))
    gates = top(results.gates, "b_f = 2").query("gate == 'o'")
    over_time = named(results.plotly.gate_over_time(gate="o"), "b<sub>f</sub> = 2")
    np.testing.assert_allclose(over_time.y, medians(gates, "t", "mean"))
    exponents = top(results.lyapunov, "b_f = 0")
    spectrum = named(results.plotly.lyapunov(), "b<sub>f</sub> = 0")
    np.testing.assert_allclose(spectrum.y, medians(exponents, "index", "exponent"))
    values = top(results.eigenvalues, "b_f = 2")
    plane = results.plotly.eigenvalues(setting="b_f = 2")
    np.testing.assert_allclose(named(plane, "eigenvalues").x, values["real"])
    np.testing.assert_allclose(named(plane, "eigenvalues").y, values["imag"])
    assert plane.layout.yaxis.scaleanchor == "x"


def test_what_was_not_recorded_is_said(results):
    with pytest.raises(UserError, match="step 3 is not recorded"):
        results.plotly.decay(step=3)
    with pytest.raises(UserError, match="no setting has 'cc'"):
        results.plotly.heatmap(quantity="cc")


def test_without_plotly_the_command_that_installs_it_is_told(results):
    code = f"""
import sys
sys.modules["plotly"] = None
import rnnlab
results = rnnlab.load({str(results.stores[0].folder)!r})
print(results.plotly)
try:
    results.plotly.decay()
except rnnlab.UserError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "interactive figures need plotly: pip install 'rnnlab[plotly]'" in done.stdout


@pytest.mark.parametrize("name", ["<b>x</b>", "a<br>b", "<a href='javascript:x'>y", "&amp;", "$x"])
def test_names_are_text(name, tmp_path):
    runs = [
        (made_up.settings(forget_bias=0.0, label=label), 0, "finished", made_up.summary())
        for label in (name, "other")
    ]
    made_up.write(tmp_path / "results", runs)
    results = rnnlab.load(tmp_path / "results")
    shown = {html.unescape(trace.name) for trace in results.plotly.decay().data if trace.name}
    assert shown == set(results.settings)
    assert not any("<" in str(trace.name) for trace in results.plotly.decay().data)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (
            r"$\log_{10}\,\|\partial L/\partial c_t\|_2$",
            "log<sub>10</sub> ‖∂L/∂c<sub>t</sub>‖<sub>2</sub>",
        ),
        (r"mean $\mathrm{my\_gate}_t$", "mean my_gate<sub>t</sub>"),
        (r"costs \$5 & <b>", "costs $5 &amp; &lt;b&gt;"),
        (r"$\sigma(b)^{T-t}$, initial $b$", "σ(b)<sup>T−t</sup>, initial b"),
        ("one\ntwo", "one<br>two"),
    ],
)
def test_mathematics_of_labels(label, expected):
    assert as_html(label) == expected


def test_dashes_and_levels_are_those_that_were_drawn():
    fig, ax = plt.subplots()
    for width, (name, pattern) in enumerate(DASHES.items(), 1):
        ax.plot([0, 1], [0, width], linestyle=pattern, linewidth=width, marker="o", label=name)
    for name, pattern in {"dash.": "--", "dot.": ":", "dashdot.": "-.", "solid.": "-"}.items():
        ax.plot([0, 1], [1, 0], linestyle=pattern, label=name)
    ax.plot([0, 1], [2, 2], "o", linestyle="None", label="marks")
    ax.axhline(3, label="level")
    ax.axvline(0.5)
    drawn = figure_of(ax)
    plt.close(fig)
    found = {trace.name: trace.line.dash for trace in drawn.data if trace.name}
    assert {name: dash for name, dash in found.items() if name in DASHES} == {n: n for n in DASHES}
    assert {found[f"{name}."] for name in ("dash", "dot", "dashdot")} == {"dash", "dot", "dashdot"}
    assert (found["solid."], found["marks"]) == ("solid", None)
    assert [(shape.name, shape.y0) for shape in drawn.layout.shapes] == [("level", 3)]
