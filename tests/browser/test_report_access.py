"""Who reads the page: with keys, a screen reader, a phone, on paper; and results of every kind."""

import pytest
from drawn import settle, traces
from stored_runs import setting, store_runs

from rnnlab.report.page.report import write_report
from rnnlab.results.read import load

pytestmark = pytest.mark.browser


def whole(page):
    """Scroll through the page, so that all is drawn."""
    for figure in page.locator("figure").all():
        figure.scroll_into_view_if_needed()
        settle(page)
    page.evaluate("scrollTo(0, 0)")
    settle(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1600])
def test_no_rule_of_accessibility_is_broken(width, scheme, small_run, open_page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    size = {"width": width, "height": 900}
    page = open_page(small_run[1], viewport=size, color_scheme=scheme)
    whole(page)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.wait_for_timeout(100)
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [400, 1000, 2000])
def test_nothing_is_wider_than_the_window(width, small_run, open_page):
    page = open_page(small_run[1], viewport={"width": width, "height": 800})
    whole(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for box in [figure.bounding_box() for figure in page.locator(".plot .drawing").all()]:
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    inside = """(drawing) => drawing.querySelector(".main-svg").getBoundingClientRect().right
      - drawing.getBoundingClientRect().right"""
    for drawing in page.locator(".plot .drawing").all():
        assert drawing.evaluate(inside) <= 1


FOCUSED = """() => {
  const now = document.activeElement;
  if (now === document.body) return null;
  return now.id || now.getAttribute("aria-label") || now.name || now.tagName;
}"""


def test_keys_reach_every_control_in_order(small_run, open_page):
    page = open_page(small_run[1])
    whole(page)
    page.keyboard.press("Tab")
    reached = []
    while (now := page.evaluate(FOCUSED)) is not None:
        reached.append(now)
        page.keyboard.press("Tab")
    places = [reached.index(name) for name in ("play", "step", "band", "quantity", "scale", "heat")]
    assert places == sorted(places)
    saves = [name for name in reached if name and name.startswith(("SVG: ", "PNG: ", "CSV: "))]
    assert len(saves) == 3 * page.locator("figure").count()
    assert "command" in reached


def test_every_plot_has_its_numbers_in_words(small_run, open_page):
    page = open_page(small_run[1])
    whole(page)
    for drawing in page.locator("#recorded .drawing").all():
        words = drawing.get_attribute("aria-label")
        assert drawing.get_attribute("role") == "img"
        assert any(character.isdigit() for character in words), words
        assert "b_f = 0" in words
    assert page.locator("h1").count() == 1
    assert page.locator("main").count() == 1


def test_the_first_plot_is_drawn_at_once_even_below_the_window(small_run, open_page):
    page = open_page(small_run[1], viewport={"width": 400, "height": 300})
    page.wait_for_selector("#plot-paths .main-svg", state="attached")
    assert page.evaluate("scrollY") == 0


def test_print_draws_every_plot_on_white(small_run, open_page):
    page = open_page(small_run[1], color_scheme="dark")
    traces(page, "paths")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    papers = page.evaluate(
        "[...document.querySelectorAll('.drawing')].map((drawing) => drawing.layout.paper_bgcolor)"
    )
    assert papers == ["#ffffff"] * page.locator(".drawing").count()
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("#play").is_hidden()
    page.emulate_media(media="screen", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    settle(page)
    assert (
        page.evaluate("document.querySelector('#plot-paths .drawing').layout.paper_bgcolor")
        == "#1b1f25"
    )


def test_what_was_not_recorded_has_no_axes(open_page, made_page):
    page = open_page(made_page(curves=[], steps=[], eigenvalues=[], learning=None))
    assert page.locator("figure").count() == 0
    assert page.locator("#bar").count() == 0
    assert page.locator("h2").all_inner_texts() == ["Comparison", "How it was made"]


def test_results_without_tables_draw_their_summaries(tmp_path, open_page):
    store_runs(tmp_path / "runs", [(setting(n), s) for n in range(14) for s in (0, 1)])
    page = open_page(write_report([load(tmp_path / "runs")], tmp_path / "report.html", {}))
    (line,) = traces(page, "against")
    assert len(line["x"]) == 12  # of 14 settings as many are drawn at first
    page.locator("#search").fill("0.375")
    page.locator(".chip:visible input").check()
    settle(page)
    (line,) = traces(page, "against")
    assert len(line["x"]) == 13


def test_one_record_has_no_slider(open_page, made_page):
    page = open_page(made_page(steps=[0]))
    assert page.locator("#step").count() == 0
    assert page.locator("#plot-decay").count() == 1
    assert page.locator("#plot-heat_map").count() == 0
    assert page.locator("#paths").count() == 0


def test_a_thousand_settings_are_found_by_words(open_page, made_page):
    page = open_page(made_page(labels=[f"length {i}" for i in range(1000)]))
    assert page.locator("#count").inner_text() == "12 of 1000 drawn"
    page.locator("#search").fill("length 77")
    assert page.locator("#count").inner_text() == "12 of 1000 drawn, 11 listed"
    found = [f"length {i}" for i in (77, *range(770, 780))]
    assert page.locator(".chip:visible").all_inner_texts() == found
    page.locator(".chip", has_text="length 777").locator("input").check()
    page.locator("#search").fill("")
    assert page.locator("#count").inner_text() == "13 of 1000 drawn"
    assert page.locator(".chip:visible").count() == 1000
    names = {trace["name"] for trace in traces(page, "decay")}
    assert names == {*(f"length {i}" for i in range(12)), "length 777"}
