"""The whole page's data: any results give one, whatever is missing, and texts do no harm."""

import json
import math
import unicodedata
from html import escape

import numpy as np
import pytest
from random_runs import settings, store
from stored_runs import setting as bare_setting
from stored_runs import store_runs

from rnnlab.report.page.analyses import analyses
from rnnlab.report.page.curves import curves_data
from rnnlab.report.page.drawn import drawn_of
from rnnlab.report.page.html import json_text
from rnnlab.report.page.one_number import NOTHING_LEFT
from rnnlab.report.page.report import LATEST, report_data, told_apart, write_report
from rnnlab.report.page.settings import settings_of
from rnnlab.results.comparison import compare
from rnnlab.results.intervals import share_interval
from rnnlab.results.read import load

KEYS = [
    *("title", "question", "answer", "numbers", "notes", "settings", "steps", "curves", "against"),
    *("learning", "eigenvalues", "table", "captions", "made", "explore"),
]


def data_of(*folders):
    results = [load(folder) for folder in folders]
    found, notes = analyses(results)
    return report_data(results, found, notes)


def texts_in(value):
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts_in(part)]
    if isinstance(value, list):
        return [text for part in value for text in texts_in(part)]
    return [value] if isinstance(value, str) else []


def ended(bias, seed, status="finished", **options):
    return (settings(bias), seed, status, options)


def solved(bias, seed, at, loss):
    return ended(bias, seed, summary={"solved_at": at, "final_loss": loss})


def test_the_data_have_all_keys_and_are_json(tmp_path):
    store(tmp_path / "one", [ended(bias, seed) for bias in (0.0, 1.0) for seed in (0, 1)])
    data = data_of(tmp_path / "one")
    assert list(data) == KEYS
    assert json.loads(json_text(data)) == json.loads(json.dumps(data))
    assert data["steps"] == [0, 10, 20, 30]
    assert [own["label"] for own in data["settings"]] == ["b_f = 0", "b_f = 1"]
    assert data["against"]["symbol"] == "b_f"
    assert data["against"]["places"] == {"0": 0.0, "1": 1.0}
    assert data["against"]["families"] == [[0, 1]]
    assert data["notes"] == [NOTHING_LEFT.format("b_f = 1")]


def test_the_same_results_give_the_same_bytes(tmp_path):
    store(tmp_path / "one", [ended(bias, seed) for bias in (0.0, 1.0) for seed in (0, 1)])
    pages = []
    for name in ("a.html", "b.html"):
        write_report([load(tmp_path / "one")], tmp_path / name, {})
        pages.append((tmp_path / name).read_bytes())
    assert pages[0] == pages[1]


def test_the_answer_is_of_the_comparison_where_there_is_no_analysis(tmp_path):
    runs = [solved(0.0, s, at, 0.2) for s, at in enumerate((20, None, None))]
    runs += [solved(1.0, s, at, 0.01) for s, at in enumerate((25, 30, 28))]
    store(tmp_path / "one", runs)
    data = data_of(tmp_path / "one")
    assert data["question"] == "Is it so?"
    assert data["answer"]["text"] == (
        "b_f = 1 solved the task in 3 of 3 runs, at step 28 (median); b_f = 0 in 1 of 3 runs."
    )
    assert data["answer"]["verdict"] is None
    share, loss, decay = data["numbers"]
    exact = share_interval(3, 3)
    assert (share["value"], share["interval"]) == ("100%", f"[{exact.low:.0%}, 100%]")
    assert (loss["value"], loss["interval"]) == ("0.0100", "[0.0100, 0.0100]")
    assert (decay["value"], decay["interval"]) == ("-0.10", "[-0.10, -0.10]")
    assert "b_f = 0" in decay["label"]


def test_the_answer_where_no_run_solves_the_task(tmp_path):
    store(tmp_path / "one", [ended(0.0, 0), ended(1.0, 0, summary={"final_loss": 0.05})])
    text = data_of(tmp_path / "one")["answer"]["text"]
    assert text == "No run solved the task; the least final loss is 0.05, with b_f = 1."


def test_settings_are_ranked_within_a_task(tmp_path):
    """Losses of different tasks cannot be ranked: of each task its own best is told, of three."""
    losses = {(7, 0.0): 0.3, (7, 1.0): 0.2, (9, 0.0): 0.05, (9, 1.0): 0.06}
    runs = [
        (settings(bias, length=length), 0, "finished", {"summary": {"final_loss": loss}})
        for (length, bias), loss in losses.items()
    ]
    store(tmp_path / "one", runs)
    data = data_of(tmp_path / "one")
    assert data["answer"]["text"] == (
        "No run solved the task; the least final loss is 0.2, with b_f = 1, length = 7. "
        "No run solved the task; the least final loss is 0.05, with b_f = 0, length = 9."
    )
    assert data["numbers"][1]["label"] == "final loss, b_f = 1, length = 7"
    assert data["numbers"][1]["value"] == "0.2"
    for name, length in (("two", 9), ("three", 11), ("four", 13)):
        ends = {0.0: {"solved_at": 20}, 1.0: {"solved_at": 10}}
        runs = [
            (settings(bias, length=length), 0, "finished", {"summary": own})
            for bias, own in ends.items()
        ]
        store(tmp_path / name, runs, name=name)
    folders = [tmp_path / name for name in ("one", "two", "three", "four")]
    text = data_of(*folders)["answer"]["text"]
    assert text.count("solved the task") == 3
    assert "b_f = 1, length = 9 (two) solved the task in 1 of 1 runs, at step 10" in text
    assert text.endswith(" The table has 1 more task.")


def test_the_answer_where_every_run_diverged(tmp_path):
    diverged = {"final_loss": math.nan, "solved_at": None}
    store(tmp_path / "one", [ended(0.0, s, "diverged", summary=diverged) for s in (0, 1)])
    text = data_of(tmp_path / "one")["answer"]["text"]
    assert text == "No run solved the task, and none finished."


def test_curves_of_cells_that_carry_c_and_h_have_names_of_their_own():
    def curve(name, of):
        return {"group": "paths", "name": name, "short": name, "of": of}

    curves = told_apart([curve("total", "c"), curve("f", "c"), curve("total", "h")])
    assert [own["name"] for own in curves] == ["total", "f", "total *"]
    assert [own["short"] for own in curves] == ["total of c", "f", "total of h"]


def test_the_table_is_the_comparison(tmp_path):
    runs = [
        solved(bias, s, at, 0.1 + s / 100) for bias in (0.0, 1.0) for s, at in ((0, 20), (1, 9))
    ]
    runs.append(ended(2.0, 0, "missing"))
    store(tmp_path / "one", runs)
    table = data_of(tmp_path / "one")["table"]
    numbers = compare(load(tmp_path / "one"))
    columns = [column["label"] for column in table["columns"]]
    assert len(columns) == len(set(columns))
    assert all(column["meaning"] for column in table["columns"])
    assert all(len(row) == len(columns) for row in table["rows"])
    cells = [dict(zip(columns, row, strict=True)) for row in table["rows"]]
    assert [own["setting"]["text"] for own in cells] == list(numbers["setting"])
    assert [own["setting"]["sort"] for own in cells] == [0, 1, 2]
    loss = cells[0]["final loss"]
    assert (loss["text"], loss["sort"]) == ("0.105 [0.100, 0.110]", pytest.approx(0.105))
    assert (cells[0]["solved"]["text"], cells[0]["solved"]["sort"]) == ("2 of 2", 1.0)
    assert cells[0]["at step"]["sort"] == 14.5
    assert cells[2]["final loss"] == {"text": "–", "sort": None}
    assert cells[2]["solved"] == {"text": "0 of 0, 1 missing", "sort": None}


def test_a_number_without_end_sorts_last_and_one_that_is_missing_has_none(tmp_path):
    store(tmp_path / "one", [ended(0.0, 0, summary={"decay_last": 0.1}), ended(1.0, 0)])
    table = data_of(tmp_path / "one")["table"]
    (at,) = [i for i, own in enumerate(table["columns"]) if own["label"] == "half-life, steps"]
    assert table["rows"][0][at]["sort"] == LATEST
    assert table["rows"][1][at]["sort"] == pytest.approx(math.log10(2) / 0.05)


HOSTILE = (
    "</script><script>alert(1)</script>",
    "=HYPERLINK('x')",
    "\u202egnp.exe\u2066 \u200f",
    "'\"&<!-- \u2028 \x00\x1b[31m",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_data(tmp_path, text):
    record = {"environment": {"rnnlab": text}}
    runs = [
        ended(0.0, 0, record=record),
        ended(0.0, 1),
        (settings(1.0, activation=text), 0, "finished", {"tables": {"gates": ("f", text)}}),
        ended(0.0, 2, "failed", error=f"ValueError: {text}"),
    ]
    store(tmp_path / "one", runs, name=text, question=text, config=f"name: x # {text}\n")
    data = data_of(tmp_path / "one")
    page = write_report([load(tmp_path / "one")], tmp_path / "r.html", {}).read_text("utf-8")
    start = '<script type="application/json" id="data">'
    inside = page.split(start)[1].split("</script>")[0]
    assert "<" not in inside
    assert json.loads(inside)["curves"] == data["curves"]
    assert escape(data["title"]) in page.split(start)[0]
    for found in texts_in(data):
        assert not [c for c in found if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"]
    seen = "alert(1)" if "alert" in text else None
    assert seen is None or seen in data["question"]


def test_runs_that_are_missing_failed_or_diverged_are_told(tmp_path):
    runs = [
        ended(0.0, 0),
        ended(0.0, 1, "diverged", steps=[0, 10, 12]),
        ended(0.0, 2, "failed", error="ValueError: too large\nmore"),
        ended(0.0, 3, "missing"),
        ended(1.0, 0, "missing"),
    ]
    store(tmp_path / "one", runs)
    data = data_of(tmp_path / "one")
    assert data["notes"][:4] == [
        "2 of 5 runs: missing.",
        "1 of 5 runs: failed, and left out.",
        "b_f = 0, seed 2, failed: ValueError: too large",
        "1 of 5 runs: diverged: it counts as unsolved, and its curves end early.",
    ]
    ends = [(run["seed"], run["diverged"]) for run in data["learning"]["runs"]]
    assert ends == [(0, False), (1, True)]
    assert {item["setting"] for curve in data["curves"] for item in curve["items"]} == {0}


def test_nothing_has_finished(tmp_path):
    store(tmp_path / "one", [ended(0.0, 0, "missing"), ended(1.0, 0, "failed")])
    data = data_of(tmp_path / "one")
    assert data["answer"]["text"] == "No run has finished yet."
    assert data["numbers"] == []
    assert (data["curves"], data["learning"], data["steps"]) == ([], None, [])
    assert len(data["table"]["rows"]) == 2
    assert write_report([load(tmp_path / "one")], tmp_path / "r.html", {}).exists()


def test_damaged_files_are_left_out_and_told(tmp_path):
    store(tmp_path / "one", [ended(bias, 0) for bias in (0.0, 1.0)])
    for table in ("gradients", "jacobians", "training", "eigenvalues", "lyapunov", "gates"):
        path = next((tmp_path / "one/runs").glob(f"*/{table}.parquet"))
        path.write_bytes(b"no")
    data = data_of(tmp_path / "one")
    assert sum("is not as it was written" in note for note in data["notes"]) == 6
    assert all(len(curve["items"]) == 1 for curve in data["curves"])
    assert len(data["learning"]["items"]) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"steps": [0]},
        {"tables": {"jacobians": False}},
        {"tables": {"parts": ("h", "odd state"), "gates": ("weird gate",)}},
        {"tables": {"gates": ()}},
        {"summary": {"baseline": None, "threshold": None, "gate_of": None, "decay_of": None}},
    ],
)
def test_any_results_give_a_page(tmp_path, options):
    store(tmp_path / "one", [(settings(0.0, kind="mine.py:Cell"), 0, "finished", options)])
    data = data_of(tmp_path / "one")
    assert list(data) == KEYS
    assert data["settings"][0]["label"] == "Cell"
    assert data["curves"]
    assert write_report([load(tmp_path / "one")], tmp_path / "r.html", {}).exists()


def test_an_analysis_that_fails_is_told_and_the_stored_verdict_is_shown(tmp_path):
    folder = tmp_path / "one"
    store(folder, [ended(0.0, 0)], analysis="gone.py:analyse")
    data = data_of(folder)
    (note,) = data["notes"]
    assert note.startswith("random: the analysis was not run (")
    assert "gone.py" in note
    assert data["answer"]["verdict"] is None
    verdict = {"answer": "refuted", "evidence": "too small: 3", "called": ""}
    (folder / "verdict.json").write_text(json.dumps(verdict))
    (folder / "findings.txt").write_text("A line.\n\nrefuted: too small: 3\n\nThe end.\n")
    data = data_of(folder)
    assert data["notes"][0].endswith("; the verdict is the one that the last run stored.")
    assert data["answer"]["verdict"] == "refuted"
    assert data["answer"]["evidence"] == "too small: 3"
    assert data["answer"]["sentences"] == ["The end."]


def test_an_analysis_is_run(tmp_path):
    folder = tmp_path / "one"
    store(folder, [ended(0.0, 0)], analysis="own.py:analyse")
    (folder / "own.py").write_text(
        "import rnnlab\n"
        "from rnnlab.results.intervals import Estimate\n"
        "def analyse(results):\n"
        "    number = rnnlab.KeyNumber('size', Estimate(2.0, 1.0, 3.0), '.3g', 'It is two.')\n"
        "    verdict = rnnlab.Verdict(rnnlab.Answer.SUPPORTED, 'it is 2')\n"
        "    return rnnlab.Findings(rnnlab.compare(results), verdict=verdict, answer='Yes.',\n"
        "        sentences=['One.', 'Two.'], key_numbers=[number])\n"
    )
    data = data_of(folder)
    assert data["answer"] == {
        "text": "Yes.",
        "verdict": "supported",
        "sentences": ["One.", "Two."],
        "evidence": "it is 2",
    }
    number = {"label": "size", "value": "2.00", "interval": "[1.00, 3.00]", "meaning": "It is two."}
    assert data["numbers"] == [number]
    store(tmp_path / "two", [ended(1.0, 0)], name="two")
    assert data_of(folder, tmp_path / "two")["answer"]["text"] == "one: Yes."


def test_several_results_are_compared(tmp_path):
    store(tmp_path / "a/one", [ended(b, 0) for b in (0.0, 1.0)], name="one", question="First?")
    store(tmp_path / "b/one", [ended(b, 0) for b in (1.0, 2.0)], name="two", question="Second?")
    data = data_of(tmp_path / "a/one", tmp_path / "b/one")
    assert data["title"] == "one + two"
    assert data["question"] == "one: First? two: Second?"
    labels = ["b_f = 0", "b_f = 1 (a/one)", "b_f = 1 (b/one)", "b_f = 2"]
    assert [own["label"] for own in data["settings"]] == labels
    assert [row[0]["text"] for row in data["table"]["rows"]] == labels
    (curve,) = [c for c in data["curves"] if (c["group"], c["name"]) == ("decay", "c")]
    assert [item["setting"] for item in curve["items"]] == [0, 1, 2, 3]
    assert "rnnlab run a/one/config.yaml" in data["made"]["command"]


def test_settings_that_differ_between_folders_say_in_what(tmp_path):
    for name, length in (("short", 7), ("long", 9)):
        runs = [(settings(b, length=length), 0, "finished", {}) for b in (0.0, 1.0)]
        store(tmp_path / name, runs, name=name)
    data = data_of(tmp_path / "short", tmp_path / "long")
    labels = [own["label"] for own in data["settings"]]
    assert labels[0] == "b_f = 0, length = 7"
    assert labels[3] == "b_f = 1, length = 9"


def test_measured_before_training(tmp_path):
    folder = tmp_path / "one"
    store(folder, [ended(b, seed) for b in (0.0, 1.0) for seed in (0, 1)])
    before = [
        (settings(b, steps=0), seed, "finished", {"steps": [0]})
        for b in (0.0, 1.0, 2.0)
        for seed in range(5)
    ]
    tables = store(folder / "before_training", before, name="one_before_training")
    data = data_of(folder)
    assert [own["label"] for own in data["settings"]] == ["b_f = 0", "b_f = 1", "b_f = 2"]
    assert [own["beforeTraining"] for own in data["settings"]] == [False, False, True]
    assert [own["shown"] for own in data["settings"]] == [True, True, False]
    (norms,) = [own for own in data["against"]["measures"] if own["name"] == "norm"]
    entries = {(own["name"], own["step"]): own["items"] for own in norms["entries"]}
    seeds = {step: [item["seeds"] for item in entries["total", step]] for step in (0, 30)}
    assert seeds == {0: [[0, 1, 2, 3, 4]] * 3, 30: [[0, 1]] * 2}
    for item in entries["total", 0]:
        for seed, value in zip(item["seeds"], item["values"], strict=True):
            rows = tables[item["setting"], seed]["jacobians"]
            later = [r["total_spectral"] for r in rows.to_dict("records") if r["t"] >= 1]
            assert value == pytest.approx(sum(later) / len(later), rel=1e-5)
    for part in (*(own["items"] for own in data["curves"]), data["eigenvalues"]):
        assert {item["setting"] for item in part} == {0, 1}
    assert len(data["table"]["rows"]) == 2
    assert any("before training, with 5 seeds" in note for note in data["notes"])


def test_what_was_measured_before_training_takes_no_room_from_single_seeds(tmp_path):
    folder = tmp_path / "one"
    trained = [ended(b, seed) for b in (0.0, 1.0) for seed in range(6)]
    store(folder, trained)
    before = [
        (settings(float(b), steps=0), seed, "finished", {"steps": [0]})
        for b in range(8)
        for seed in range(20)
    ]
    store(folder / "before_training", before, name="one_before_training")
    drawn = drawn_of(settings_of([load(folder)]))
    # As many numbers as the trained runs have in these curves, and a few.
    store(tmp_path / "alone", trained)
    alone = drawn_of(settings_of([load(tmp_path / "alone")]))
    room = 8_000
    assert curves_data(drawn, room) == curves_data(alone, room)
    for curve in curves_data(drawn, room):
        assert [item["seeds"] for item in curve["items"]] == [list(range(6))] * 2


def test_versions_that_differ_between_folders_are_told(tmp_path):
    for name in ("old", "new"):
        record = {"environment": {"rnnlab": name}}
        store(tmp_path / name, [ended(0.0, 0, record=record)], name=name)
    notes = data_of(tmp_path / "old", tmp_path / "new")["notes"]
    assert notes == ["mixed results: rnnlab is new, old."]


def test_a_thousand_settings(tmp_path):
    store_runs(tmp_path / "many", [(bare_setting(n), s) for n in range(1000) for s in (0, 1)])
    data = data_of(tmp_path / "many")
    assert len(data["settings"]) == len(data["table"]["rows"]) == 1000
    assert sum(own["shown"] for own in data["settings"]) == 12
    assert [len(family) for family in data["against"]["families"]] == [100]
    assert len(json_text(data)) < 2e6


def test_many_settings_keep_to_the_room(tmp_path):
    runs = [(settings(float(b)), s, "finished", {}) for b in range(170) for s in (0, 1)]
    store(tmp_path / "many", runs)
    data = data_of(tmp_path / "many")
    (curve,) = [c for c in data["curves"] if (c["group"], c["name"]) == ("decay", "c")]
    shown = [item["setting"] for item in curve["items"]]
    assert (len(shown), shown[0], shown[-1]) == (100, 0, 169)
    assert shown == sorted(map(int, data["against"]["places"]))
    assert {item["setting"] for item in data["learning"]["items"]} == set(shown)
    assert sum(own["shown"] for own in data["settings"]) == 12
    told = "Plots show 100 of 170 settings, evenly over the sweep; the table has all of them."
    assert told in data["notes"]
    offered = [own["label"] for own in data["explore"]["settings"]]
    assert (len(offered), offered[0], offered[-1]) == (24, "b_f = 0", "b_f = 169")
    told = "Explore offers 24 of 170 settings that it can show, evenly over the sweep."
    assert told in data["notes"]


def test_how_it_was_made(tmp_path):
    own = settings(0.0) | {"plugins": {"my_cell.py": "ab"}, "data": {"prices.csv": "cd"}}
    store(tmp_path / "one", [(own, 0, "finished", {}), ended(1.0, 0)], config="name: one\n")
    made = data_of(tmp_path / "one")["made"]
    assert made["command"] == "rnnlab run config.yaml  # needs my_cell.py, prices.csv"
    assert made["config"] == "name: one\n"
    assert "one/runs/*/gradients.parquet (2)" in made["files"]
    assert "one/config.yaml" in made["files"]
    assert made["cite"].startswith("cff-version")
    assert np.array(made["environment"]).size == 0
