"""Which axis of a user's inputs is time is known or asked, and never guessed."""

import numpy as np
import pandas as pd
import pytest
from in_process import run_command

from rnnlab.measure.inputs import load_inputs
from rnnlab.support.errors import UserError
from rnnlab.tasks import Arrays

EXAMPLES, TIME, FEATURES = 6, 9, 2
INPUTS = np.random.default_rng(0).normal(size=(EXAMPLES, TIME, FEATURES))
LENGTHS = np.array([3, 8, 5, 2, 8, 7])
TARGETS = np.arange(EXAMPLES) % 2
CONFIG = """
task: {kind: adding, length: 8}
cell: {kind: rnn, hidden: 3}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.yaml").write_text(CONFIG)
    np.save("time.npy", np.swapaxes(INPUTS, 0, 1))
    np.save("batch.npy", INPUTS)
    np.savez("one.npz", inputs=INPUTS)
    np.savez("data.npz", inputs=INPUTS, targets=TARGETS)
    padded = np.where(np.arange(TIME)[:, None] < LENGTHS[:, None, None], INPUTS, np.nan)
    np.savez("padded.npz", inputs=padded, lengths=LENGTHS, targets=TARGETS)
    return tmp_path


def measured(*arguments):
    ended = run_command("measure", "own.yaml", *arguments, "--out", "out")
    assert ended.returncode == 0, ended.stderr
    return pd.read_parquet("out/jacobians.parquet"), ended.stderr


def test_a_file_of_a_task_is_read_as_the_task_reads_it(folder):
    for name in ("data.npz", "padded.npz"):
        expected = Arrays(path=name).data.examples.inputs
        found = load_inputs(folder / name)
        np.testing.assert_array_equal(found, np.swapaxes(expected, 0, 1))
        np.testing.assert_array_equal(load_inputs(folder / name, batch_first=True), found)
        with pytest.raises(UserError, match=r"--time-first: .* has inputs, targets, with example"):
            load_inputs(folder / name, batch_first=False)
    assert found.shape == (8, EXAMPLES, FEATURES)
    assert not found[3:, 0].any()


def test_either_order_gives_the_same_numbers(folder, without_figures):
    by_task, said = measured("--inputs", "data.npz")
    assert f"data.npz: {TIME} time steps, {EXAMPLES} examples, {FEATURES} features" in said
    assert by_task["t"].max() == TIME - 1
    for given in (("time.npy", "--time-first"), ("batch.npy", "--batch-first")):
        table, _ = measured("--inputs", *given)
        pd.testing.assert_frame_equal(table, by_task)


@pytest.mark.parametrize("name", ["time.npy", "batch.npy", "one.npz"])
def test_a_single_array_is_not_guessed_at(folder, name):
    one, other = (TIME, EXAMPLES) if name == "time.npy" else (EXAMPLES, TIME)
    ended = run_command("measure", "own.yaml", "--inputs", name, "--out", "out")
    assert ended.returncode == 2
    assert f"add --time-first if these are {one} time steps of {other} examples" in ended.stderr
    assert not (folder / "out").exists()


def test_a_length_beyond_the_array(folder):
    arguments = ("--inputs", "data.npz", "--out", "out", "--length")
    ended = run_command("measure", "own.yaml", *arguments, TIME)
    assert ended.returncode == 2
    message = "--length 9: data.npz has 9 time steps, which reach 8 back"
    assert message in " ".join(ended.stderr.split())
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"inputs": INPUTS * 1j, "targets": TARGETS}, "inputs: has type complex128"),
        ({"inputs": INPUTS * 1j}, "holds values of type complex128; expected are real numbers"),
        ({"a": INPUTS, "b": TARGETS}, "it has a, b; expected is one array, or one called 'inputs'"),
        ({"inputs": INPUTS[:, :, 0], "targets": TARGETS}, "expected is .examples, time, features."),
    ],
)
def test_what_is_refused(folder, arrays, message):
    np.savez("other.npz", **arrays)
    with pytest.raises(UserError, match=f"other.npz: .*{message}"):
        load_inputs(folder / "other.npz", batch_first=True)
