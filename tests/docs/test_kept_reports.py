"""The data of kept reports: against the tables beside them, and as a page of them is made."""

import gzip
import json

import pandas as pd
import pytest
from extensions import reports
from extensions.kept import REFERENCE, verdict
from extensions.reports import BYTES, DATA, keep_report, page, reported
from random_runs import settings, store

from rnnlab.report.page import report
from rnnlab.report.page.html import json_text
from rnnlab.report.page.report import report_data, report_html
from rnnlab.results.read import load

# Columns of the page's table, by those of compare.csv.
SHOWN = {"final loss": "final_loss", "decay of c, decades a step": "decay_last"}


def data_of(folder):
    return json.loads(gzip.decompress((folder / DATA).read_bytes()))


@pytest.mark.parametrize("name", reported())
def test_a_kept_report_has_the_numbers_of_the_tables_beside_it(name):
    data = data_of(REFERENCE / name)
    compared = pd.read_csv(REFERENCE / name / "compare.csv").set_index("setting")
    places = {own["label"]: place for place, own in enumerate(data["table"]["columns"])}
    assert set(SHOWN) & set(places)
    for row in data["table"]["rows"]:
        for label in set(SHOWN) & set(places):
            expected = compared[SHOWN[label]][row[0]["text"]]
            assert row[places[label]]["sort"] == pytest.approx(expected, rel=1e-12)
    assert len(data["table"]["rows"]) == len(compared)
    assert data["answer"]["verdict"] == verdict(name).answer
    assert data["answer"]["evidence"] == verdict(name).evidence


@pytest.mark.parametrize("name", reported())
def test_a_kept_report_has_what_pages_have_now(name, tmp_path):
    store(tmp_path, [(settings(bias), 0, "finished", {}) for bias in (0.0, 1.0)])
    assert list(data_of(REFERENCE / name)) == list(report_data([load(tmp_path)], {}))
    assert page(name) == report_html(data_of(REFERENCE / name))


def test_what_is_kept_is_the_page_of_the_results(tmp_path, monkeypatch):
    monkeypatch.setattr(reports, "REFERENCE", tmp_path)
    store(tmp_path / "runs", [(settings(bias), 0, "finished", {}) for bias in (0.0, 1.0)])
    (tmp_path / "papers" / "mine").mkdir(parents=True)
    keep_report("papers/mine", tmp_path / "runs")
    kept = (tmp_path / "papers" / "mine" / DATA).read_bytes()
    assert data_of(tmp_path / "papers" / "mine") == report_data([load(tmp_path / "runs")], {})
    keep_report("papers/mine", tmp_path / "runs")
    assert (tmp_path / "papers" / "mine" / DATA).read_bytes() == kept
    assert reported() == ["papers/mine"]
    assert 'href="../../reports/papers/mine.html"' in reports.markdown("papers/mine")
    assert reports.markdown("papers/other") == ""


def test_a_size_thins_curves_and_the_page_says_so(tmp_path, monkeypatch):
    store(tmp_path, [(settings(bias), 0, "finished", {}) for bias in (0.0, 1.0)])
    monkeypatch.setattr(report, "LEAST_ROOM", 10)
    whole, small = (report_data([load(tmp_path)], {}, size=size) for size in (BYTES, 0))
    assert len(json_text(small["curves"])) < len(json_text(whole["curves"]))
    new = set(small["notes"]) - set(whole["notes"])
    assert new
    assert all(note.startswith("To keep the page small") for note in new)
