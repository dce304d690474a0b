"""What a reader does with the page, by pointer and by keys alone, and what is drawn then."""

import re

import pytest
from drawn import curves, set_step, settle, shapes, traces
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PLOTS = ("paths", "decay", "learning", "gates", "eigenvalues", "lyapunov")


def lines_across(page, name, axis):
    """Where lines cross a plot: {x or y: dash}."""
    return {
        shape[f"{axis}0"]: shape["line"].get("dash", "solid")
        for shape in shapes(page, name)
        if shape[f"{axis}0"] == shape[f"{axis}1"]
    }


def point_at(page, name, across, down):
    """Move the pointer to a place in a plot, in shares of its axes."""
    traces(page, name)
    plot = page.locator(f"#plot-{name} .nsewdrag").first
    plot.evaluate("drawing => drawing.scrollIntoView({ block: 'center' })")
    area = plot.bounding_box()
    page.mouse.move(area["x"] + 3, area["y"] + 3)
    page.mouse.move(area["x"] + across * area["width"], area["y"] + down * area["height"], steps=4)
    page.wait_for_selector(f"#plot-{name} .hoverlayer .hovertext", state="attached")
    settle(page)


def test_slider_by_keys_moves_every_plot(random_run, open_page):
    page = open_page(random_run[1])
    before = {name: traces(page, name) for name in PLOTS}
    slider = page.locator("#step")
    slider.focus()
    page.keyboard.press("End")
    assert slider.get_attribute("aria-valuetext") == "after 30 updates"
    for name in PLOTS:
        now = traces(page, name)
        assert (now != before[name]) == (name != "learning"), name
    assert lines_across(page, "learning", "x") == {30: "solid"}
    traces(page, "heat_map")
    assert lines_across(page, "heat_map", "x") == {"30": "solid"}
    page.keyboard.press("Home")
    assert all(traces(page, name) == before[name] for name in PLOTS)


def test_play_runs_to_the_end_and_stops(random_run, open_page):
    page = open_page(random_run[1], reduced_motion="reduce")
    button = page.locator("#play")
    words = page.locator("#step-words")
    button.focus()
    page.keyboard.press("Enter")
    assert button.inner_text().endswith("Pause")
    assert words.get_attribute("aria-live") == "off"
    expect(words).to_have_text("after 10 updates", timeout=3000)
    button.click()
    assert button.inner_text().endswith("Play")
    assert words.get_attribute("aria-live") == "polite"
    set_step(page, 2)
    button.click()
    expect(words).to_have_text("after 30 updates", timeout=3000)
    expect(button).to_have_text(re.compile("Play"))
    button.click()  # again from the start
    assert words.inner_text() == "before training"


def test_legend_switches_a_setting_in_every_plot(random_run, open_page):
    results, path = random_run
    page = open_page(path)
    chip = page.locator(".chip").nth(1)
    assert chip.inner_text().replace("\n", "") == "bf = 1"
    box = chip.locator("input")
    assert box.is_checked()
    assert "b_f = 1" in curves(page, "decay")
    box.focus()
    page.keyboard.press("Space")
    assert page.evaluate("document.activeElement.value") == "1"
    assert not box.is_checked()
    for name in ("paths", "share", "decay", "learning", "gates", "lyapunov"):
        assert "b_f = 1" not in curves(page, name), name
        assert "b_f = 3" in curves(page, name), name
    (line, _) = [trace for trace in traces(page, "against") if trace["name"] == "total"]
    assert line["x"] == [0, 3]
    settings = results.gradients["setting"].nunique()
    dots = [trace for trace in traces(page, "eigenvalues") if trace["mode"] == "markers"]
    assert len(dots) == settings - 1
    page.keyboard.press("Space")
    assert "b_f = 1" in curves(page, "decay")


def test_pointing_is_shown_in_the_other_plot(random_run, open_page):
    page = open_page(random_run[1])
    traces(page, "heat_map")
    point_at(page, "decay", 0.51, 0.5)
    assert lines_across(page, "heat_map", "y") == {3: "dot"}
    assert lines_across(page, "decay", "x") == {}
    point_at(page, "heat_map", 0.5, 0.07)
    assert lines_across(page, "decay", "x") == {6: "dot"}
    assert lines_across(page, "heat_map", "y") == {}
    page.mouse.move(1, 1)
    settle(page)
    assert lines_across(page, "decay", "x") == {}


def test_pointing_by_keys(random_run, open_page):
    page = open_page(random_run[1])
    traces(page, "heat_map")
    page.locator(".pointer input").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert lines_across(page, "heat_map", "y") == {4: "dot"}
    assert lines_across(page, "decay", "x") == {4: "dot"}
    assert page.locator(".pointer .value").inner_text() == "4"
    page.keyboard.press("Tab")
    assert lines_across(page, "decay", "x") == {}


def test_click_on_a_learning_curve_sets_the_step(random_run, open_page):
    page = open_page(random_run[1])
    point_at(page, "learning", 0.68, 0.5)  # of 0 to 30: records at 10, 20, 30
    page.mouse.down()
    page.mouse.up()
    settle(page)
    assert page.locator("#step-words").inner_text() == "after 20 updates"
    assert page.locator("#step").input_value() == "2"
    assert lines_across(page, "learning", "x") == {20: "solid"}


def test_table_sorts_and_explains(random_run, open_page):
    page = open_page(random_run[1])
    texts = lambda: page.locator("#rows tr th").all_inner_texts()  # noqa: E731
    first = texts()
    head = page.locator("#columns button").first
    head.focus()
    described = page.locator(f"#{head.get_attribute('aria-describedby')}")
    meaning = page.locator("#meaning").inner_text()
    assert meaning == f"{head.inner_text()}: {described.text_content()}"
    page.keyboard.press("Enter")
    assert texts() == first
    assert page.locator("#columns th").first.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Enter")
    assert texts() == first[::-1]
    assert page.locator("#columns th").first.get_attribute("aria-sort") == "descending"
    other = page.locator("#columns button").nth(2)
    other.hover()
    assert page.locator("#meaning").inner_text().startswith(f"{other.inner_text()}: ")


def test_sorting_by_number_leaves_what_is_missing_last(open_page, made_page):
    numbers = [3, None, 20, 100]
    page = open_page(made_page(numbers=numbers))
    head = page.locator("#columns button").nth(1)
    values = page.locator("#rows td")
    head.click()
    assert values.all_inner_texts() == ["3", "20", "100", "–"]
    head.click()
    assert values.all_inner_texts() == ["100", "20", "3", "–"]


def test_link_shows_what_its_sender_saw(random_run, open_page):
    path = random_run[1]
    page = open_page(path)
    set_step(page, 2)
    for name in ("linear", "each", "size"):
        page.get_by_role("radio", name=name).check()
    page.get_by_label("Quantity").select_option("‖∂L/∂h_t‖")
    page.locator(".chip").first.click()
    page.locator("label", has_text="Setting").locator("select").select_option(index=2)
    page.wait_for_timeout(300)
    fragment = page.evaluate("location.hash")
    asked = dict(pair.split("=") for pair in fragment[1:].split("&"))
    assert asked == {
        "step": "20",
        "scale": "linear",
        "band": "seeds",
        "quantity": "h",
        "settings": "1%2C2%2C3",
        "heat": "2",
        "colour": "size",
    }
    other = open_page(path, fragment)
    for name in ("decay", "heat_map", "paths", "learning"):
        assert traces(other, name) == traces(page, name), name
    assert other.locator("#step-words").inner_text() == "after 20 updates"
    chosen = other.locator("label", has_text="Setting").locator("select")
    assert chosen.evaluate("(select) => select.selectedIndex") == 2
    # Another link, opened in the same window.
    other.evaluate("location.hash = '#step=30&band=band'")
    settle(other)
    assert other.locator("#step-words").inner_text() == "after 30 updates"
    assert len(curves(other, "decay")["b_f = 0"]) == 1


def test_wrong_values_in_a_link_fall_back(random_run, open_page):
    path = random_run[1]
    wrong = "#step=soon&quantity=<b>&settings=0,99&scale=up&heat=-1&colour=&unknown=1&band"
    page, plain = open_page(path, wrong), open_page(path)
    for name in ("decay", "heat_map", "paths"):
        assert traces(page, name) == traces(plain, name)


def test_a_step_that_the_page_has_not_is_the_nearest(random_run, open_page):
    page, exact = (open_page(random_run[1], f"#step={step}") for step in (17, 20))
    assert page.locator("#step-words").inner_text() == "after 20 updates"
    assert traces(page, "decay") == traces(exact, "decay")


def test_measure_against_the_forget_bias(small_run, open_page):
    results, path = small_run
    page = open_page(path)
    page.get_by_label("Show").select_option("mean of the gate on the direct path")
    line = traces(page, "against")[0]
    gates = results.gates[(results.gates["step"] == 0) & (results.gates["gate"] == "f")]
    means = gates.groupby(["setting", "seed"], observed=True)["mean"].mean()
    assert line["x"] == [0, 1]
    for y, label in zip(line["y"], ("b_f = 0", "b_f = 1"), strict=True):
        assert y == pytest.approx(sum(means[label]) / 2, rel=1e-4)
