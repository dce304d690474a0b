"""What a page draws against a number: which number, which settings are joined, what is left out."""

import pytest
from random_runs import settings, store

from rnnlab.report.page.against import NORM, against_data
from rnnlab.report.page.drawn import drawn_of
from rnnlab.report.page.one_number import by_setting_data
from rnnlab.report.page.settings import settings_of
from rnnlab.results.read import load


def against(folder, *chosen):
    store(folder, [(own, 0, "finished", {}) for own in chosen])
    every = settings_of([load(folder)])
    drawn = drawn_of(every)
    return against_data(drawn, every, by_setting_data(drawn))


def test_families_agree_in_all_but_the_forget_bias(tmp_path):
    tied = {"input_bias": "tied"}
    found = against(
        tmp_path / "one",
        *(
            settings(3.0),
            settings(0.0),
            settings(2.0, **tied),
            settings(1.0),
            settings(1.0, **tied),
        ),
    )
    assert found["symbol"] == "b_f"
    assert found["places"] == {"0": 3.0, "1": 0.0, "2": 2.0, "3": 1.0, "4": 1.0}
    assert found["families"] == [[1, 3, 0], [4, 2]]
    assert found["note"] == ""
    norms = found["measures"][0]
    assert (norms["name"], norms["label"]) == ("norm", NORM)
    assert {"direct", "indirect", "total"} <= {entry["name"] for entry in norms["entries"]}
    others = [own["name"] for own in found["measures"][1:]]
    assert others == ["share", "radius", "left", "gate", "decay"]
    assert all(len({e["name"] for e in own["entries"]}) == 1 for own in found["measures"][1:])


def test_a_setting_without_a_number_is_named(tmp_path):
    found = against(tmp_path / "one", settings(0.0), settings(1.0), settings("chrono"))
    assert found["families"] == [[0, 1]]
    assert found["note"].startswith("Not drawn, since b_f is no number: b_f chrono")


def test_another_number_where_the_forget_bias_is_one(tmp_path):
    found = against(tmp_path / "one", *(settings(1.0, length=n) for n in (9, 7)))
    assert found["symbol"] == "length"
    assert found["families"] == [[1, 0]]


@pytest.mark.parametrize("kinds", [("adam", "sgd"), ("adam", "adam")])
def test_nothing_where_no_number_differs(tmp_path, kinds):
    chosen = [settings(1.0, activation=kind) for kind in dict.fromkeys(kinds)]
    assert against(tmp_path / "one", *chosen) is None
