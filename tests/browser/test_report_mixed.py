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


def test_marks_stand_at_the_threshold_of_their_setting(mixed, open_page):
    page = open_page(mixed[1])
    (marks,) = [trace for trace in traces(page, "learning") if trace["name"] == "solved"]
    assert marks["y"] == [threshold for _, threshold in RECORDS.values()]


def test_a_setting_that_is_switched_off_can_be_switched_on_again(made_page, open_page):
    page = open_page(made_page(labels=[f"b_f = {bias}" for bias in range(14)]))
    chip = page.locator('#legend [data-setting="0"]')
    assert chip.get_attribute("aria-pressed") == "true"
    for pressed in ("false", "true"):
        chip.click()
        assert chip.get_attribute("aria-pressed") == pressed
