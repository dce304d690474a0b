"""Settings that differ in their records and thresholds, or of which there are many."""

import math

import pytest
from drawn import curves, same_curve, traces
from random_runs import settings, store

import rnnlab
from rnnlab.report.page.report import write_report

pytestmark = pytest.mark.browser

# Of each setting: its records, and the loss below which it counts as solved.
RECORDS = {0.0: ([0, 10, 20, 30], 0.01), 1.0: ([0, 15, 30], 0.02)}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mixed") / "results"
    runs = [
        (
            settings(bias),
            0,
            "finished",
            {"steps": steps, "summary": {"solved_at": 12.0, "threshold": threshold}},
        )
        for bias, (steps, threshold) in RECORDS.items()
    ]
    tables = store(folder, runs)
    return tables, write_report([rnnlab.load(folder)], folder / "report.html", {})


def test_each_setting_is_drawn_at_its_own_nearest_record(mixed, open_page):
    tables, path = mixed
    page = open_page(path, "#step=10")
    drawn = curves(page, "decay")
    assert list(drawn) == ["b_f = 0", "b_f = 1"]
    for (index, step), (line,) in zip(((0, 10), (1, 15)), drawn.values(), strict=True):
        rows = tables[index, 0]["gradients"]
        rows = rows[(rows["step"] == step) & (rows["quantity"] == "c")]
        log10 = rows["log10_mean"].mask(rows["zero_fraction"] == 1, -math.inf)
        same_curve(line, dict(sorted(zip(6 - rows["t"], log10, strict=True))))
    note = page.locator("#plot-decay").inner_text()
    assert "after 10 updates and after 15 updates" in note


def test_eigenvalues_are_of_each_settings_own_record(tmp_path, open_page):
    lasts = (30, 60)
    runs = [
        (settings(float(i), steps=last), 0, "finished", {"steps": [0, last]})
        for i, last in enumerate(lasts)
    ]
    store(tmp_path / "two", runs)
    path = write_report([rnnlab.load(tmp_path / "two")], tmp_path / "report.html", {})
    page = open_page(path, "#step=60")
    drawn = traces(page, "eigenvalues")
    assert sum(trace["name"] == "eigenvalues" for trace in drawn) == 2
    assert "after 30 updates and after 60 updates" in page.locator("#plot-eigenvalues").inner_text()


def test_each_setting_has_its_name_in_a_saved_legend_once(mixed, open_page):
    page = open_page(mixed[1], "#settings=1")
    assert set(curves(page, "paths")) == {"b_f = 1"}
    shown = page.evaluate(
        "document.querySelector('#plot-paths .drawing').data"
        ".filter(({ showlegend }) => showlegend).map(({ name }) => name)"
    )
    assert shown == ["b<sub>f</sub> = 1"]
    page.locator('#legend [value="1"]').uncheck()
    traces(page, "paths")
    assert "No setting that is switched on has this." in page.locator("#plot-paths").inner_text()


def test_marks_stand_at_the_threshold_of_their_setting(mixed, open_page):
    page = open_page(mixed[1])
    (marks,) = [trace for trace in traces(page, "learning") if trace["name"] == "solved"]
    assert marks["y"] == [threshold for _, threshold in RECORDS.values()]


def test_a_setting_that_is_switched_off_can_be_switched_on_again(made_page, open_page):
    page = open_page(made_page(labels=[f"b_f = {bias}" for bias in range(14)]))
    box = page.locator('#legend [value="0"]')
    assert box.is_checked()
    for is_on in (False, True):
        box.click()
        assert box.is_checked() == is_on
        assert ("b_f = 0" in curves(page, "decay")) == is_on
