"""Each number of the page's data is looked up again in the tables, row by row."""

import base64
import math

import numpy as np
import pytest
from random_runs import settings, store

from rnnlab.report.page.curves import curves_data
from rnnlab.report.page.drawn import drawn_of
from rnnlab.report.page.learning import learning_data
from rnnlab.report.page.one_number import by_setting_data
from rnnlab.report.page.settings import settings_of
from rnnlab.report.page.spectra import eigenvalues_data
from rnnlab.report.page.tables import BACK, TIME
from rnnlab.results.read import load

ROOM = 10**6
RUNS = [
    (settings(bias), seed, "finished", {"tables": {"layers": 2}})
    for bias in (0.0, 1.0, 3.0)
    for seed in (0, 1, 4)
]


def opened(folder):
    return drawn_of(settings_of([load(folder)]))


def unpack(packed):
    """As the page does it."""
    values = np.frombuffer(base64.b64decode(packed["f4"]), "<f4")
    return values.reshape(packed["shape"])


def same(one, other):
    both_missing = one is None or math.isnan(one)
    return math.isnan(other) if both_missing else np.float32(one) == np.float32(other)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results") / "one"
    return store(folder, RUNS), opened(folder)


def top(table):
    return [row for row in table.to_dict("records") if row["layer"] == table["layer"].max()]


def expected(tables, curve, step, x, length=7):
    """The value of a curve at a step and a place, by a search through the rows."""
    last = length - 1
    t = last - x if curve["xLabel"] == BACK else x
    name = curve["name"]
    if curve["group"] == "decay" and name in ("c", "h"):
        rows = [r for r in top(tables["gradients"]) if r["quantity"] == name]
        column = "log10_mean"
    elif curve["group"] == "gates":
        rows = [r for r in top(tables["gates"]) if r["gate"] == name]
        column = "mean"
    else:
        rows = top(tables["jacobians"])
        column = {
            "sensitivity": "log10_sensitivity",
            "stack sensitivity": "log10_stack_sensitivity",
            "share": "share",
        }.get(name, f"{name}_spectral")
    (row,) = [r for r in rows if r["step"] == step and r["t"] == t]
    is_zero = column in ("log10_mean", "log10_sensitivity") and row["zero_fraction"] == 1
    return -math.inf if is_zero else row[column]


def test_every_number_of_every_curve(stored):
    tables, own = stored
    curves = curves_data(own, ROOM)
    found = [(c["group"], c["name"], len(c["steps"])) for c in curves]
    assert found == [
        *(("decay", name, 4) for name in ("c", "h")),
        *(("decay", name, 2) for name in ("sensitivity", "stack sensitivity")),
        *(("paths", name, 2) for name in ("direct", "f", "i", "indirect", "total")),
        ("share", "share", 2),
        *(("gates", name, 4) for name in ("f", "i", "o")),
        ("lyapunov", "exponents", 2),
    ]
    assert own.notes == []
    checked = 0
    for curve in curves[:-1]:
        assert curve["xLabel"] == (BACK if curve["group"] == "decay" else TIME)
        x = unpack(curve["x"])
        assert list(x) == list(range(7))
        for item in curve["items"]:
            values = unpack(item["values"])
            assert item["seeds"] == [0, 1, 4]
            for i, step in enumerate(curve["steps"]):
                for j, seed in enumerate(item["seeds"]):
                    for k, place in enumerate(x):
                        wanted = expected(tables[item["setting"], seed], curve, step, int(place))
                        assert same(wanted, values[i, j, k])
                        checked += 1
    assert checked == 3 * 3 * 7 * (4 * 5 + 2 * 8)


def test_seeds_become_their_range_where_room_is_short(stored, tmp_path):
    many = [(settings(bias), seed, "finished", {}) for bias in (0.0, 1.0) for seed in range(6)]
    tables = store(tmp_path / "many", many)
    drawn = opened(tmp_path / "many")
    curves = curves_data(drawn, 1700)
    (curve,) = [c for c in curves if (c["group"], c["name"]) == ("gates", "f")]
    item = curve["items"][1]
    assert item["seeds"] == ["least", "median", "greatest"]
    values = unpack(item["values"])
    for i, step in enumerate(curve["steps"]):
        for k, place in enumerate(unpack(curve["x"])):
            of_seeds = sorted(expected(tables[1, s], curve, step, int(place)) for s in range(6))
            middle = (of_seeds[2] + of_seeds[3]) / 2
            wanted = [of_seeds[0], middle, of_seeds[5]]
            assert values[i, :, k] == pytest.approx(wanted, rel=1e-6)
    assert any("the least, the median and the greatest" in note for note in drawn.notes)


def test_a_part_of_the_steps_is_said_and_has_the_first_and_the_last(tmp_path):
    steps = [*range(0, 1001, 10)]
    runs = [(settings(0.0, steps=1000), 0, "finished", {"steps": steps})]
    tables = store(tmp_path / "long", runs)
    drawn = opened(tmp_path / "long")
    curves = curves_data(drawn, 1000)
    (curve,) = [c for c in curves if c["name"] == "c"]
    stride = curve["steps"][1] // 10
    assert curve["steps"] == sorted({*range(0, 1000, 10 * stride), 1000})
    assert stride == 3
    assert f"curves of gradients show 1 of {stride} recorded training steps" in " ".join(
        drawn.notes
    )
    values = unpack(curve["items"][0]["values"])
    for i, step in enumerate(curve["steps"]):
        assert same(expected(tables[0, 0], curve, step, 2), values[i, 0, 2])
    total = sum(unpack(i["values"]).size for c in curves for i in c["items"])
    assert total <= 1000


def test_lengths_and_ends_that_differ_keep_their_places(tmp_path):
    runs = [
        (settings(0.0, length=5), 0, "finished", {}),
        (settings(0.0, length=300), 0, "finished", {}),
        (settings(0.0, length=300), 1, "diverged", {"steps": [0, 10, 13]}),
    ]
    tables = store(tmp_path / "mixed", runs)
    curves = curves_data(opened(tmp_path / "mixed"), ROOM)
    (curve,) = [c for c in curves if (c["group"], c["name"]) == ("decay", "h")]
    x = unpack(curve["x"])
    assert {0, 1, 2, 3, 4, 299} <= set(x)
    assert curve["steps"] == [0, 10, 20, 30]
    short, long = (unpack(item["values"]) for item in curve["items"])
    for k, place in enumerate(x.astype(int)):
        wanted = expected(tables[0, 0], curve, 20, place, 5) if place < 5 else math.nan
        assert same(wanted, short[2, 0, k])
        assert same(expected(tables[1, 0], curve, 20, place, 300), long[2, 0, k])
        assert same(expected(tables[1, 1], curve, 10, place, 300), long[1, 1, k])
        assert math.isnan(long[2, 1, k])


def test_settings_without_a_distance_have_a_curve_against_time(tmp_path):
    read = {"summary": {"read_step": None}}
    runs = [(settings(0.0), 0, "finished", {}), (settings(1.0), 0, "finished", read)]
    store(tmp_path / "both", runs)
    curves = curves_data(opened(tmp_path / "both"), ROOM)
    of_c = {c["xLabel"]: [i["setting"] for i in c["items"]] for c in curves if c["name"] == "c"}
    assert of_c == {BACK: [0], TIME: [1]}


def test_one_number_a_run(stored):
    tables, own = stored
    found = {(e["name"], e["step"]): e["items"] for e in by_setting_data(own)}
    for step in (0, 30):
        for index in range(3):
            rows = {seed: top(tables[index, seed]["jacobians"]) for seed in (0, 1, 4)}
            for name, column in {
                "total": "total_spectral",
                "f": "f_spectral",
                "share": "share",
                "radius": "spectral_radius",
            }.items():
                item = found[name, step][index]
                assert item["seeds"] == [0, 1, 4]
                for seed, value in zip(item["seeds"], item["values"], strict=True):
                    later = [r[column] for r in rows[seed] if r["step"] == step and r["t"] >= 1]
                    assert value == pytest.approx(sum(later) / 6, rel=1e-5)
            firsts = {
                seed: row["log10_sensitivity"]
                for seed in (0, 1, 4)
                for row in rows[seed]
                if row["step"] == step and row["t"] == 0 and not row["zero_fraction"]
            }
            item = next((i for i in found["left", step] if i["setting"] == index), {"seeds": []})
            assert item["seeds"] == list(firsts)
            assert not firsts or item["values"] == pytest.approx(list(firsts.values()), rel=1e-6)
    assert found["gate", 0][2]["values"] == [0.5] * 3
    assert found["decay", 30][0]["values"] == [-0.05] * 3


def test_what_is_left_without_jacobians_is_of_the_gradient(tmp_path):
    runs = [(settings(0.0), 0, "finished", {"tables": {"jacobians": False}})]
    tables = store(tmp_path / "plain", runs)
    found = by_setting_data(opened(tmp_path / "plain"))
    rows = [r for r in tables[0, 0]["gradients"].to_dict("records") if r["quantity"] == "c"]
    for step in (0, 30):
        ends = [r for r in rows if r["step"] == step and r["t"] in (0, 6)]
        known = [e for e in found if (e["name"], e["step"]) == ("left", step)]
        if any(r["zero_fraction"] for r in ends):
            assert not known
        else:
            wanted = ends[0]["log10_mean"] - ends[1]["log10_mean"]
            assert known[0]["items"][0]["values"] == pytest.approx([wanted], rel=1e-6)


@pytest.mark.parametrize(("steps", "window"), [(220, 50), (120, 30)])
def test_learning_curves_are_means_of_whole_windows(tmp_path, steps, window):
    runs = [
        (settings(0.0, steps=steps), 3, "finished", {"summary": {"solved_at": 77}}),
        (settings(0.0, steps=steps), 5, "diverged", {"steps": [0, 10, 60]}),
    ]
    tables = store(tmp_path / "learning", runs)
    found = learning_data(opened(tmp_path / "learning"), ROOM)
    x = unpack(found["x"]).astype(int)
    assert found["yLabel"] == f"training loss, mean of {window} steps"
    assert list(x) == list(range(window - 1, steps + 1))
    (item,) = found["items"]
    losses = unpack(item["loss"])
    for seed, values in zip((3, 5), losses, strict=True):
        own = list(tables[0, seed]["training"]["loss"])
        for step, value in zip(x, values, strict=True):
            last = own[step - window + 1 : step + 1]
            if step < len(own):
                assert len(last) == window
                assert value == pytest.approx(float(sum(map(float, last))) / window, rel=1e-5)
            else:
                assert math.isnan(value)
    first, second = found["runs"]
    assert first["solvedAt"] == 77
    assert math.isnan(second["solvedAt"])
    assert [run["diverged"] for run in found["runs"]] == [False, True]
    assert [run["threshold"] for run in found["runs"]] == [0.01, 0.01]
    assert found["levels"] == [(0.2, "remembers nothing"), (0.01, "solved below")]
    assert found["isLog"]


def test_spectra(stored):
    tables, own = stored
    eigenvalues = eigenvalues_data(own, ROOM)
    assert len(eigenvalues) == 2 * 9
    for entry in eigenvalues:
        rows = top(tables[entry["setting"], entry["seed"]]["eigenvalues"])
        rows = [r for r in rows if r["step"] == entry["step"]]
        assert list(unpack(entry["real"])) == [r["real"] for r in rows]
        assert list(unpack(entry["imag"])) == [r["imag"] for r in rows]
        assert entry["ring"] == {"centre": 0.5, "radius": 0.25}


def test_lyapunov_exponents_are_means_over_examples(stored):
    tables, own = stored
    (curve,) = [c for c in curves_data(own, ROOM) if c["group"] == "lyapunov"]
    assert [item["setting"] for item in curve["items"]] == [0, 1, 2]
    for item in curve["items"]:
        values = unpack(item["values"])
        for s, seed in enumerate(item["seeds"]):
            rows = tables[item["setting"], seed]["lyapunov"].to_dict("records")
            for k, step in enumerate(curve["steps"]):
                for i, place in enumerate(unpack(curve["x"])):
                    two = [r for r in rows if (r["step"], r["index"]) == (step, place - 1)]
                    mean = sum(r["exponent"] for r in two) / 2
                    assert values[k, s, i] == pytest.approx(mean, rel=1e-5)


def test_fewer_eigenvalues_where_room_is_short_are_of_every_setting(stored):
    found = eigenvalues_data(stored[1], 6 * 2 * 2 * 3)
    assert {(e["setting"], e["seed"]) for e in found} == {(0, 0), (1, 0), (2, 0)}
    assert "To keep the page small, eigenvalues of some runs are left out." in stored[1].notes
