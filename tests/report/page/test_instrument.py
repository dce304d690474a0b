"""What the page of the instrument is given: kernels and sequences as rnnlab draws them."""

import base64
import json

import jax
import numpy as np
import pytest
from in_process import run_command

from rnnlab import GRU, LSTM, Adding, Copying, VanillaRNN
from rnnlab.report.page.html import LIBRARIES, OWN_MODULES
from rnnlab.report.page.instrument import instrument_data, write_instrument
from rnnlab.report.page.instrument_texts import PRESETS, SEEDS, SLIDERS, START
from rnnlab.report.page.measured import choice_of, differs, measured_data

MOST_BYTES = 300_000
INPUTS = {"adding": 2, "copy": 10}
FAMILIES = {"orthogonal": "glorot", "uniform": "uniform"}


@pytest.fixture(scope="module")
def data():
    return instrument_data()


def unpacked(packed):
    return np.frombuffer(base64.b64decode(packed["f4"]), "<f4").reshape(packed["shape"])


def test_kernels_are_those_of_every_cell(data):
    recurrent = unpacked(data["recurrent"])
    cells = {LSTM: {k: k for k in "ifgo"}, VanillaRNN: {"h": "i"}}
    cells[GRU] = {"r": "i", "z": "f", "n": "g"}
    for sequence, inputs in INPUTS.items():
        kernels = unpacked(data["input"][sequence])
        assert kernels.shape == (2, 3, 4, 32, inputs)
        for f, family in enumerate(data["families"]):
            names = {"recurrent_kernel": family, "input_kernel": FAMILIES[family]}
            for s, seed in enumerate(SEEDS):
                for kind, gates in cells.items():
                    params = kind(hidden=32, **names).init(jax.random.key(seed), inputs)
                    for gate, same in gates.items():
                        own = "hn" if (kind, gate) == (GRU, "n") else gate
                        U, W = params[f"U_{own}"], params[f"W_{gate}"]
                        assert np.array_equal(recurrent[f, s, "ifgo".index(same)].T, U)
                        assert np.array_equal(kernels[f, s, "ifgo".index(same)].T, W)


@pytest.mark.parametrize("t_max", [7.5, 100, 750])
def test_chrono_is_as_the_cells_draw_it(data, t_max):
    for v, seed in zip(unpacked(data["chrono"]), SEEDS, strict=True):
        bias = np.log(1 + v * (np.float32(t_max) - 2))
        key = jax.random.key(seed)
        lstm = LSTM(hidden=32, forget_bias="chrono", t_max=t_max).init(key, 2)
        gru = GRU(hidden=32, update_bias="chrono", t_max=t_max).init(key, 2)
        assert np.allclose(lstm["bias_f"], bias, atol=1e-6)
        assert np.allclose(gru["bias_z"], bias, atol=1e-6)


def test_sequences_are_those_of_the_tasks(data):
    for s, seed in enumerate(SEEDS):
        key = jax.random.key(seed)
        values = unpacked(data["adding"]["values"])[s]
        for length in (25, 100, 500):
            assert np.array_equal(values[:length], Adding(length=length).sample(key)[0][:, 0])
        shown = Copying(length=80, symbols=10).sample(key)[0].argmax(axis=1)
        assert np.array_equal(unpacked(data["copy"])[s], shown[:10])
    assert (
        (unpacked(data["adding"]["places"]) >= 0) & (unpacked(data["adding"]["places"]) < 1)
    ).all()


def test_it_is_small(data, tmp_path):
    assert len(json.dumps(data)) < MOST_BYTES
    path = write_instrument(tmp_path / "new" / "explore.html")
    assert path.stat().st_size < 2_000_000
    assert path.stat().st_size > sum(p.stat().st_size for p in [*LIBRARIES, *OWN_MODULES])


def test_presets_lie_within_the_sliders():
    for _, changes, _ in PRESETS:
        for slider in SLIDERS:
            value = (START | changes)[slider.name]
            assert slider.low <= value <= slider.high
            steps = (value - slider.low) / slider.step
            assert steps == pytest.approx(round(steps))


LSTM_VALUES = {
    "task.kind": "adding",
    "task.length": 100,
    "cell.kind": "lstm",
    "cell.hidden": 32,
    "cell.layers": 1,
    "cell.activation": "tanh",
    "cell.recurrent_kernel": "orthogonal",
    "cell.recurrent_gain": 1.0,
    "cell.forget_bias": 3.0,
    "cell.input_bias": "tied",
    "cell.output_bias": float("nan"),
}


def test_a_setting_of_results_as_a_setting_of_the_instrument():
    choice = choice_of(LSTM_VALUES)
    assert choice == {
        "cell": "LSTM",
        "kernel": "orthogonal",
        "sequence": "adding",
        "T": 100,
        "gain": 1.0,
        "chrono": False,
        "tie": True,
        "b_f": 3.0,
    }
    assert differs(LSTM_VALUES) == ""
    assert choice.keys() <= START.keys()


def test_what_the_instrument_cannot_follow_is_said():
    gru = {"cell.kind": "gru", "cell.update_bias": "chrono", "cell.reset": "before"}
    other = {"task.kind": "digits", "task.length": 784, "cell.hidden": 64, "cell.layers": 2}
    values = LSTM_VALUES | gru | other | {"cell.recurrent_kernel": "identity"}
    choice = choice_of(values)
    assert (choice["cell"], choice["chrono"], choice["T"]) == ("GRU", True, 500)
    assert differs(values) == (
        "64 units, 2 layers, reset before the product, identity kernels, 784 time steps, "
        "the task digits"
    )
    missing = dict.fromkeys(("cell.reset", "cell.activation"), float("nan")) | {"cell.layers": None}
    assert differs(LSTM_VALUES | missing | {"task.kind": "copy"}) == ""
    assert choice_of(LSTM_VALUES | {"task.kind": "copy"})["T"] == 120
    assert choice_of(LSTM_VALUES | {"cell.forget_bias": 99.0})["b_f"] == 8.0
    assert choice_of(LSTM_VALUES | {"cell.kind": "mine.py:Mine"}) is None
    assert measured_data([]) == []


def test_the_command(tmp_path):
    assert "explore.html" in run_command("explore", cwd=tmp_path).stdout
    assert (tmp_path / "explore.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    other = tmp_path / "some where" / "x.html"
    run_command("explore", "--out", other, cwd=tmp_path)
    assert other.stat().st_size == (tmp_path / "explore.html").stat().st_size
    refused = run_command("explore", "--out", "x.txt", cwd=tmp_path)
    assert refused.returncode == 2
    assert "must be a file whose name ends in .html" in refused.stderr
