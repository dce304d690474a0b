"""Names of settings."""

import pytest

from rnnlab.config.labels import flatten, labels, varying_keys


def lstm(**cell):
    return {
        "cell.kind": "lstm",
        "cell.hidden": 8,
        "cell.input_bias": 0.0,
        "cell.t_max": None,
        "training.clip_norm": None,
        **{f"cell.{key}": value for key, value in cell.items()},
    }


def test_forget_biases_and_ties():
    settings = [
        lstm(forget_bias=-1.5),
        lstm(forget_bias=3.0, input_bias="tied"),
        lstm(forget_bias="chrono", input_bias="tied", t_max=150.0),
        lstm(forget_bias=3.0, input_bias=0.5),
    ]
    assert labels(settings) == [
        "b_f = -1.5",
        "b_f = 3, b_i = −b_f",
        "b_f chrono to 150, b_i = −b_f",
        "b_f = 3, b_i = 0.5",
    ]


def test_cells():
    settings = [
        lstm(forget_bias=1.0),
        {"cell.kind": "gru", "cell.hidden": 8, "cell.update_bias": 2.0},
        {"cell.kind": "rnn", "cell.hidden": 8},
        {"cell.kind": "my_cells.py:Peephole", "cell.hidden": 8},
    ]
    assert labels(settings) == ["LSTM, b_f = 1", "GRU, b_z = 2", "RNN", "Peephole"]


def test_a_single_setting_is_called_by_its_cell():
    assert labels([lstm(forget_bias=1.0)]) == ["LSTM"]


def test_other_keys_and_none():
    settings = [lstm(forget_bias=1.0), lstm(forget_bias=1.0) | {"training.clip_norm": 1.0}]
    assert varying_keys(settings) == ["training.clip_norm"]
    assert labels(settings) == ["clip_norm = none", "clip_norm = 1"]


def test_flatten():
    nested = {
        "cell": {"kind": "lstm"},
        "training": {"optimizer": {"kind": "rmsprop", "decay": 0.9}, "steps": 3},
    }
    assert flatten(nested) == {
        "cell.kind": "lstm",
        "training.optimizer": "rmsprop",
        "training.optimizer.decay": 0.9,
        "training.steps": 3,
    }


@pytest.mark.parametrize("hidden", [4, 8])
def test_labels_tell_every_setting_apart(hidden):
    settings = [lstm(forget_bias=b, hidden=h) for b in (0.0, 1.0) for h in (hidden, 16)]
    assert len(set(labels(settings))) == 4


def test_labels_that_would_be_the_same_are_written_out():
    settings = [lstm(forget_bias=1.0), lstm(forget_bias=1.0000001)]
    assert labels(settings) == ["cell.forget_bias=1.0", "cell.forget_bias=1.0000001"]


def test_what_a_task_settles_is_left_out():
    adding = {"task.kind": "adding", "task.length": 100, "training.batch": 32}
    copy = {"task.kind": "copy", "task.length": 40, "task.symbols": 3, "training.batch": 64}
    cells = [{"cell.kind": "rnn"}, {"cell.kind": "gru", "cell.update_bias": 1.0}]
    settings = [task | cell for task in (adding, copy) for cell in cells]
    assert labels(settings) == [
        "adding, RNN",
        "adding, GRU, b_z = 1",
        "copy, RNN",
        "copy, GRU, b_z = 1",
    ]
    longer = [*settings, copy | cells[0] | {"task.length": 80}]
    assert labels(longer)[2:] == [
        "copy, RNN, length = 40",
        "copy, GRU, b_z = 1, length = 40",
        "copy, RNN, length = 80",
    ]
