"""The panel of the instrument in a browser: what its dials set, and what is drawn of it."""

import statistics

import numpy as np
import pytest
from instrument_reference import DEFAULTS, reference
from playwright.sync_api import expect

from rnnlab.report.page.instrument import write_instrument

pytestmark = pytest.mark.browser
PLOTS = ("reach", "zero", "step", "shares", "gates", "states")
# Of a machine of its own: 50 and 150. A machine that is busy with other tests takes longer.
NUMBERS_MS, DRAWN_MS = 500, 1500
DRAGS = 30
DRAG = """async (drags) => {
  const slider = document.getElementById("x.b_f"), said = document.querySelector("[role=status]");
  const drawing = document.querySelector("#plot-explore-reach .drawing");
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const times = [];
  for (let k = 0; k < drags; k++) {
    const drawn = new Promise((done) => drawing.once("plotly_afterplot", done));
    const [start, before] = [performance.now(), said.textContent];
    slider.value = 0.1 * (k % 25) + 1.5;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    if (said.textContent === before) throw new Error("the numbers are not there");
    const numbers = performance.now() - start;
    await drawn;
    await frame();
    times.push([numbers, performance.now() - start]);
    await frame();
  }
  return times;
}"""


@pytest.fixture(scope="module")
def explore_page(tmp_path_factory):
    return write_instrument(tmp_path_factory.mktemp("explore") / "explore.html")


def drawn(page, name):
    """The traces of a plot, once drawn: {name: (x, y)}; names without Plotly's markup."""
    page.locator(f"#plot-explore-{name}").scroll_into_view_if_needed()
    settle(page)
    page.wait_for_function(
        f"document.querySelector('#plot-explore-{name} .drawing').data?.[0]?.x.length > 0"
    )
    traces = page.evaluate(
        f"document.querySelector('#plot-explore-{name} .drawing').data"
        ".map(({name, x, y}) => [name ?? '', x, y])"
    )
    plain = {"<sub>": "_", "</sub>": ""}
    for old, new in plain.items():
        traces = [[name.replace(old, new), x, y] for name, x, y in traces]
    return {name: (np.array(x, float), np.array(y, float)) for name, x, y in traces}


def settle(page):
    """Until the plots show what the dials say."""
    page.wait_for_timeout(150)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def said(page):
    return page.locator("[role=status]").inner_text()


def slide(page, name, value):
    page.locator(f"[id='x.{name}']").fill(str(value))


def press(page, label):
    page.get_by_role("button", name=label, exact=True).click()


def choose(page, group, option):
    page.get_by_role("group", name=group).get_by_role("radio", name=option, exact=True).check()


def test_what_is_drawn_is_what_rnnlab_computes(explore_page, open_page):
    page = open_page(explore_page, "#x.b_f=2&x.T=40&x.seed=1&x.sequence=copy")
    wanted = reference({"b_f": 2.0, "T": 40, "seed": 1, "sequence": "copy"})
    reach = drawn(page, "reach")
    back, exact = reach["exact, by every path"]
    assert np.array_equal(back, np.arange(40))
    assert np.allclose(exact, wanted["norms"]["total"][::-1], atol=1e-6)
    assert np.allclose(
        reach["Π f_t, the gate alone"][1], wanted["norms"]["direct"][::-1], atol=1e-6
    )
    product = reach["product of ∂c_t/∂c_t−1"][1]
    assert np.allclose(product, wanted["norms"]["product"][::-1], atol=1e-6)
    assert np.allclose(drawn(page, "step")["total"][1], wanted["oneStep"]["total"], rtol=1e-6)
    shares = drawn(page, "shares")
    for label, path in {
        "direct: f_t": "direct",
        "through g_t": "g",
        "all indirect": "indirect",
    }.items():
        assert np.allclose(shares[label][1], wanted["shares"][path], rtol=1e-6)
    assert np.allclose(drawn(page, "gates")["o_t"][1], wanted["gates"]["o"], rtol=1e-6)
    assert np.allclose(drawn(page, "states")["c_t"][1], wanted["states"]["c"], rtol=1e-6)
    real, imag = drawn(page, "zero")["eigenvalues"]
    assert np.allclose(np.sort(real), np.sort(wanted["eigenvalues"].real), atol=1e-9)
    assert np.allclose(np.sort(imag), np.sort(wanted["eigenvalues"].imag), atol=1e-9)


def test_dials_set_what_is_drawn_and_the_address_keeps_it(explore_page, open_page):
    page = open_page(explore_page)
    slide(page, "T", 30)
    slide(page, "b_f", 3)
    choose(page, "Tie b_i = −b_f".replace("_", ""), "on")
    slide(page, "gain", 0.5)
    choose(page, "Kernels", "uniform")
    choose(page, "Seed", "2")
    settle(page)
    chosen = {"T": 30, "b_f": 3.0, "tie": True, "gain": 0.5, "kernel": "uniform", "seed": 2}
    wanted = reference(chosen)["norms"]["total"][::-1]
    assert np.allclose(drawn(page, "reach")["exact, by every path"][1], wanted, atol=1e-6)
    page.wait_for_function("location.hash.includes('x.gain=0.5')")
    page.reload()
    settle(page)
    assert np.allclose(drawn(page, "reach")["exact, by every path"][1], wanted, atol=1e-6)
    press(page, "Reset")
    settle(page)
    wanted = reference({})["norms"]["total"][::-1]
    assert np.allclose(drawn(page, "reach")["exact, by every path"][1], wanted, atol=1e-6)
    page.wait_for_function("!location.hash.includes('x.')")


@pytest.mark.parametrize(
    ("fragment", "sliders"),
    [
        ("", {"b_f", "b_i", "b_o", "gain", "T"}),
        ("#x.tie=true", {"b_f", "b_o", "gain", "T"}),
        ("#x.chrono=true", {"b_o", "gain", "T"}),
        ("#x.cell=GRU", {"b_z", "gain", "T"}),
        ("#x.cell=GRU&x.chrono=true", {"gain", "T"}),
        ("#x.cell=RNN", {"gain", "T"}),
        ("#x.cell=RNN&x.chrono=true&x.tie=true", {"gain", "T"}),
        ("#x.cell=nonsense&x.T=1e9&x.gain=&x.b_f=NaN", {"b_f", "b_i", "b_o", "gain", "T"}),
    ],
)
def test_only_dials_that_apply_are_shown(explore_page, open_page, fragment, sliders):
    page = open_page(explore_page, fragment)
    shown = page.locator("input[type=range]:visible").evaluate_all("all => all.map(({id}) => id)")
    assert set(shown) == {f"x.{name}" for name in sliders}
    assert page.locator("#plot-explore-gates").is_visible() == ("RNN" not in fragment)
    assert "steps back" in said(page)


def test_keyboard_alone_moves_a_slider_and_a_screen_reader_is_told(explore_page, open_page):
    page = open_page(explore_page)
    page.get_by_label("forget bias").focus()
    before = said(page)
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert page.get_by_label("forget bias").get_attribute("aria-valuetext") == "1.5"
    assert said(page) != before
    slide(page, "T", 77)
    assert page.get_by_label("sequence length").get_attribute("aria-valuetext") == "77 steps"
    settle(page)
    expected = reference({"b_f": 1.5, "T": 77})["norms"]["total"][0]
    drawn(page, "reach")
    words = page.locator("#plot-explore-reach .drawing").get_attribute("aria-label")
    assert f"last {expected:.3f}".replace("-", "−") in words


def test_numbers_of_a_plot_stand_in_its_table(explore_page, open_page):
    page = open_page(explore_page, "#x.T=25")
    drawn(page, "reach")
    page.locator("#plot-explore-reach summary").click()
    page.locator("#plot-explore-reach tbody tr").nth(24).wait_for()
    rows = page.locator("#plot-explore-reach tbody tr").all_inner_texts()
    wanted = reference({"T": 25})["norms"]["total"][::-1]
    found = [float(row.split("\t")[1].replace("−", "-")) for row in rows]
    assert np.allclose(found, wanted, rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize(("gain", "least"), [(1, -290), (0.5, -400)])
def test_nothing_reads_a_false_zero_at_the_greatest_length(explore_page, open_page, gain, least):
    page = open_page(explore_page, f"#x.T=500&x.b_f=-6&x.gain={gain}")
    expect(page.locator("[role=status]")).to_contain_text("499")
    reach = drawn(page, "reach")
    assert all(np.isfinite(y).all() and len(y) == 500 for _, y in reach.values())
    wanted = reference({"b_f": -6.0, "T": 500, "gain": gain})["norms"]
    assert wanted["total"][0] < least
    assert abs(reach["exact, by every path"][1][-1] - wanted["total"][0]) < 1e-6
    power = int(np.floor(wanted["total"][0]))
    raised = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    assert f"·10{raised}" in said(page)


def test_a_drag_at_100_steps_is_followed_at_once(explore_page, open_page):
    page = open_page(explore_page)
    drawn(page, "reach")
    times = page.evaluate(DRAG, DRAGS)
    numbers, whole = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"numbers {numbers:.0f} ms, drawn {whole:.0f} ms")
    assert numbers < NUMBERS_MS
    assert whole < DRAWN_MS


def test_many_moves_at_500_steps_are_computed_once(explore_page, open_page):
    page = open_page(explore_page, "#x.T=500&x.cell=RNN")
    expect(page.locator("[role=status]")).to_contain_text("499")
    before = said(page)
    during = page.evaluate(
        """() => {
          const slider = document.getElementById("x.gain");
          for (let gain = 0.5; gain < 1.45; gain += 0.05) {
            slider.value = gain;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
          }
          return document.querySelector("[role=status]").innerText;
        }"""
    )
    assert during == before
    page.wait_for_function(
        "(was) => document.querySelector('[role=status]').innerText !== was", arg=before
    )
    wanted = reference({"cell": "RNN", "gain": 0.5, "T": 500})["norms"]["total"][0]
    slide(page, "gain", 0.5)
    settle(page)
    found = drawn(page, "reach")["exact, by every path"][1][-1]
    assert abs(found - wanted) < 1e-6


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1000, 2000])
def test_it_fits_its_window_and_has_no_fault_of_accessibility(
    explore_page, open_page, width, scheme
):
    from axe_playwright_python.sync_playwright import Axe

    viewport = {"width": width, "height": 900}
    page = open_page(explore_page, viewport=viewport, color_scheme=scheme)
    for name in PLOTS:
        drawn(page, name)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_settings_of_results_and_what_was_measured_of_them(small_run, open_page):
    results, path = small_run
    page = open_page(path, "#x.of=1&x.b_f=1")
    page.locator("#explore").scroll_into_view_if_needed()
    label = results.settings[1]
    first = results.jacobians.query("step == 0 and setting == @label")
    by_back = first.groupby(11 - first["t"])
    points = drawn(page, "reach")[f"measured before training: {label}"]
    assert np.array_equal(points[0], np.arange(12))
    assert np.allclose(points[1], by_back["log10_sensitivity"].median(), atol=1e-5)
    points = drawn(page, "step")[f"measured before training: {label}"]
    assert np.allclose(points[1], first.groupby("t")["total_spectral"].median(), atol=1e-5)
    own = page.get_by_role("group", name="These results, with measured points:")
    own.get_by_role("button", name=results.settings[2].replace("_", ""), exact=True).click()
    settle(page)
    exact = drawn(page, "reach")["exact, by every path"][1]
    wanted = reference({"b_f": 1.0, "tie": True, "T": 25})["norms"]["total"][::-1]
    assert np.allclose(exact, wanted, atol=1e-6)
    assert "4 units" in page.locator("#explore .dials").inner_text()
    assert DEFAULTS["sequence"] == "adding"
