"""The numbers that the page draws are those of the Parquet tables, computed here with pandas."""

import math

import numpy as np
import pytest
from drawn import approx_points, curves, same_curve, set_step, traces

pytestmark = pytest.mark.browser


def top(table):
    return table[table["layer"] == table["layer"].max()]


def median(values):
    """Of numbers of which NaN are missing, by hand; −∞ counts as small."""
    own = sorted(value for value in values if not math.isnan(value))
    low, high = (own[(len(own) - 1) // 2], own[len(own) // 2]) if own else (math.nan, math.nan)
    return low if low == high else (low + high) / 2


def medians(table, step, x, y, setting):
    """{x: median over seeds}."""
    rows = table[(table["step"] == step) & (table["setting"] == setting)]
    return {at: median(own[y]) for at, own in rows.groupby(x)}


def decay_of(results, quantity):
    """Where all examples read zero, the logarithm is −∞."""
    table = top(results.gradients)
    table = table[(table["quantity"] == quantity) & (table["distance"] >= 0)]
    return table.assign(log10=table["log10_mean"].mask(table["zero_fraction"] == 1, -np.inf))


def sensitivity_of(results):
    table = top(results.jacobians)
    log10 = table["log10_sensitivity"].mask(table["zero_fraction"] == 1, -np.inf)
    return table.assign(log10=log10, distance=table["t"].max() - table["t"])


def labels(results):
    return list(results.gradients["setting"].cat.categories)


def assert_medians(drawn, table, step, x, y):
    """There is the median of each setting, in the order of the sweep, and nothing else."""
    names = list(table["setting"].cat.categories)
    assert list(drawn) == names
    for name in names:
        (points,) = drawn[name]
        same_curve(points, medians(table, step, x, y, name))


@pytest.mark.parametrize("which", ["small", "random"])
def test_decay_at_each_step_of_the_slider(which, request, open_page):
    results, path = request.getfixturevalue(f"{which}_run")
    page = open_page(path)
    table = decay_of(results, "c")
    for index, step in enumerate(sorted(table["step"].unique())):
        set_step(page, index)
        assert_medians(curves(page, "decay"), table, step, "distance", "log10")
        words = "before training" if step == 0 else f"after {step} updates"
        assert page.locator("#step-words").inner_text() == words


@pytest.mark.parametrize("quantity", ["h", "sensitivity"])
def test_decay_of_another_quantity_at_the_nearest_record(quantity, random_run, open_page):
    results, path = random_run
    page = open_page(path, f"#quantity={quantity}&step=10")
    if quantity == "h":
        table, step, note = decay_of(results, "h"), 10, ""
    else:  # recorded at 0 and 30
        table, step = sensitivity_of(results), 0
        note = "Shown before training, the nearest record."
    assert_medians(curves(page, "decay"), table, step, "distance", "log10")
    assert page.locator("#plot-decay .note").inner_text() == note


def test_linear_scale_and_single_seeds(random_run, open_page):
    results, path = random_run
    page = open_page(path, "#scale=linear&band=seeds")
    table = decay_of(results, "c")
    drawn = curves(page, "decay")
    for label in labels(results):
        rows = table[(table["step"] == 0) & (table["setting"] == label)]
        expected = [own.set_index("distance")["log10"] for _, own in rows.groupby("seed")]
        assert len(drawn[label]) == 3
        for points, log10 in zip(drawn[label], expected, strict=True):
            same_curve(points, (10.0**log10).sort_index().to_dict())


def test_band_reaches_from_least_to_greatest_and_ends_at_a_zero(random_run, open_page):
    results, path = random_run
    page = open_page(path)
    rows = decay_of(results, "c")
    rows = rows[(rows["step"] == 0) & (rows["setting"] == labels(results)[1])]
    ends = rows.groupby("distance")["log10"].agg(["min", "max"])
    finite = ends[np.isfinite(ends).all(axis=1)]
    assert 0 < len(finite) < len(ends)
    bands = [trace for trace in traces(page, "decay") if trace["fill"] == "toself"]
    band = bands[1]
    drawn = [(x, y) for x, y in zip(band["x"], band["y"], strict=True) if x is not None]
    approx_points(drawn, [(x, y) for x, row in finite.iterrows() for y in row])
    # One stretch for each run of neighbours, with a gap after it.
    stretches = 1 + (np.diff(finite.index) > 1).sum()
    assert band["x"].count(None) == stretches


def test_paths_by_panel(random_run, open_page):
    results, path = random_run
    page = open_page(path, "#step=30")
    table = top(results.jacobians)
    panels = ["direct", "f", "i", "indirect", "total"]
    for index, name in enumerate(panels):
        axis = f"x{index + 1 if index else ''}"
        assert_medians(curves(page, "paths", axis), table, 30, "t", f"{name}_spectral")
    assert_medians(curves(page, "share"), table, 30, "t", "share")
    titles = page.evaluate(
        "document.querySelector('#plot-paths .drawing').layout.annotations.map((a) => a.text)"
    )
    assert titles == [f"<b>{name}</b>" for name in panels]


def test_norm_against_the_forget_bias(random_run, open_page):
    results, path = random_run
    page = open_page(path)
    table = top(results.jacobians)
    table = table[(table["step"] == 0) & (table["t"] >= 1)]
    one = table.groupby(["setting", "seed"], observed=True)["total_spectral"].mean()
    lines = [trace for trace in traces(page, "against") if trace["name"] == "total"]
    untied, tied = lines
    biases = {0: "b_f = 0", 1: "b_f = 1", 3: "b_f = 3"}
    assert untied["x"] == list(biases)
    for y, label in zip(untied["y"], biases.values(), strict=True):
        own = next(
            name for name in labels(results) if name.startswith(label) and "b_i = −" not in name
        )
        assert y == pytest.approx(median(one[own]), rel=1e-5)
    (last,) = [name for name in labels(results) if "b_i = −" in name]
    assert tied["x"] == [3]
    assert tied["y"] == [pytest.approx(median(one[last]), rel=1e-5)]
    assert tied["error_y"]["array"] == [pytest.approx(max(one[last]) - median(one[last]), rel=1e-4)]
    assert tied["marker"]["symbol"].endswith("-open")


@pytest.mark.parametrize("is_relative", [True, False])
def test_heat_map(is_relative, random_run, open_page):
    results, path = random_run
    page = open_page(path, f"#heat=2&colour={'relative' if is_relative else 'size'}")
    (heat,) = traces(page, "heat_map")
    table = decay_of(results, "c")
    table = table[table["setting"] == labels(results)[2]]
    heat["x"] = list(map(int, heat["x"]))  # so few records are categories
    assert heat["x"] == sorted(table["step"].unique())
    for x, row in zip(heat["y"], heat["z"], strict=True):
        for step, value, text in zip(heat["x"], row, heat["text"][heat["y"].index(x)], strict=True):
            runs = table[table["step"] == step].pivot(
                index="distance", columns="seed", values="log10"
            )
            base = runs.loc[0] if is_relative else 0
            with np.errstate(invalid="ignore"):
                wanted = median(runs.loc[x] - base)
            if math.isfinite(wanted):
                assert value == pytest.approx(wanted, rel=1e-4, abs=1e-5)
            elif wanted == -math.inf:
                assert text == "−∞"
            else:
                assert value is None


def test_learning_curves_and_marks(random_run, open_page):
    results, path = random_run
    page = open_page(path)
    drawn = curves(page, "learning")
    for label in labels(results):
        own = results.training[results.training["setting"] == label]
        recent = (
            own.pivot(index="step", columns="seed", values="loss").rolling(31 // 4).mean().dropna()
        )
        (points,) = drawn[label]
        same_curve(points, {step: median(row) for step, row in recent.iterrows() if step in points})
        assert len(points) > 20
    marks = traces(page, "learning")[-1]
    assert marks["x"] == [12] * 8  # two seeds of each setting
    assert set(marks["y"]) == {0.01}
    shapes = page.evaluate("document.querySelector('#plot-learning .drawing').layout.shapes")
    assert {shape["y0"] for shape in shapes} >= {0.2, 0.01}


def test_gates_exponents_and_eigenvalues(random_run, open_page):
    results, path = random_run
    page = open_page(path, "#step=30")
    for index, gate in enumerate(["f", "i", "o"]):
        table = top(results.gates)
        axis = f"x{index + 1 if index else ''}"
        own = table[table["gate"] == gate]
        assert_medians(curves(page, "gates", axis), own, 30, "t", "mean")
    exponents = results.lyapunov.groupby(["setting", "seed", "step", "index"], observed=True)
    means = exponents["exponent"].mean().reset_index().assign(place=lambda t: t["index"] + 1)
    assert_medians(curves(page, "lyapunov"), means, 30, "place", "exponent")
    table = top(results.eigenvalues)
    dots = [trace for trace in traces(page, "eigenvalues") if trace["mode"] == "markers"]
    for label, trace in zip(labels(results), dots, strict=True):
        own = table[(table["step"] == 30) & (table["setting"] == label)]
        approx_points(
            zip(trace["x"], trace["y"], strict=True), zip(own["real"], own["imag"], strict=True)
        )
    rings = [trace for trace in traces(page, "eigenvalues") if "predicted" in trace["name"]]
    assert len(rings) == 4
    assert max(rings[0]["x"]) == pytest.approx(0.75)
    assert min(rings[0]["x"]) == pytest.approx(0.25)


def test_numbers_below_a_plot_and_in_words(small_run, open_page):
    results, path = small_run
    page = open_page(path)
    table = decay_of(results, "c")
    label = labels(results)[0]
    (points,) = curves(page, "decay")[label]
    plot = page.locator("#plot-decay")
    words = plot.locator("[role=img]").get_attribute("aria-label")
    first, last = (f"{points[x]:.4g}".replace("-", "−") for x in (0, max(points)))
    assert f"{label}: {first} at steps back in time 0, {last} at steps back in time 11" in words
    plot.locator("summary").click()
    rows = plot.locator("tbody tr")
    rows.first.wait_for()
    assert rows.count() == 12 * len(labels(results))
    cells = rows.nth(3).locator("td").all_inner_texts()
    values = table[(table["step"] == 0) & (table["setting"] == label) & (table["distance"] == 3)][
        "log10"
    ]
    expected = [median(values), min(values), max(values)]
    assert cells[0].replace("\n", "") == label.replace("_", "")
    assert [float(cell.replace("−", "-")) for cell in cells[1:]] == [
        3,
        *(pytest.approx(value, abs=2e-3) for value in expected),
    ]
