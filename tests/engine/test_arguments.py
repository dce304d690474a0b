"""Mistakes in arguments and sweeps: what would be right, before anything else."""

import numpy as np
import pytest
import yaml
from in_process import run_command

import rnnlab
from engine.sweeps import write_config
from rnnlab.config.sweep import load_experiment
from rnnlab.support.errors import UserError

CONFIG = """
task: {kind: adding, length: 5}
cell: {kind: lstm, hidden: 3}
training: {steps: 4, batch: 4}
record: {every: 2}
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_config(tmp_path, CONFIG)
    np.save("one.npy", np.ones((1, 2, 2)))
    np.save("wide.npy", np.ones((4, 2, 7)))
    np.save("large.npy", np.full((4, 2, 2), 1e300))
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["measure", "tiny.yaml", "--params", "none.safetensors"],
            "none.safetensors: no such file",
        ),
        (
            ["measure", "tiny.yaml", "--inputs", "one.npy", "--time-first"],
            "inputs have 1 time step",
        ),
        (["measure", "tiny.yaml", "--inputs", "wide.npy", "--time-first"], ""),
        (
            ["measure", "tiny.yaml", "--inputs", "large.npy", "--time-first"],
            "some are too large for float32",
        ),
        (["run", "tiny.yaml", "--scheduler", "here"], "--scheduler here: must be an address"),
        (["run", "tiny.yaml", "--workers", "1", "--interface", "eth99"], "--interface eth99"),
        (["run", "tiny.yaml", "--slurm", "jobs=1"], "--slurm"),
    ],
    ids=str,
)
def test_nothing_is_said_before_a_mistake(home, arguments, words):
    ended = run_command(*arguments)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("rnnlab: ")
    assert words in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


# Sweeps


@pytest.mark.parametrize(
    ("sweep", "words"),
    [
        (
            {"cell": ["lstm", "gru"]},
            "a list of values belongs to a key: sweep: {cell: {kind:",
        ),
        ({"cell": [{"forget_bias": 0}]}, "sweep: {cell: {forget_bias: […]}}"),
        ({"cell": [{"kind": "lstm"}, 3]}, "sweep.cell: a list here replaces the whole section"),
        ({"training": [1]}, "its entries must be keys and values, got 1"),
        ({"cell.forget_bias": [0]}, "nested, as in cell: {forget_bias: …}"),
        ({"forget_bias": [0]}, "a key stands in its section, as in cell: {forget_bias: …}"),
        ({"zip": [{"task.a.b": 0}]}, "nested, as in task: {a: {b: …}}"),
        ([1], "sweep: [1] is not valid: must be keys and values"),
    ],
    ids=str,
)
def test_a_list_in_the_wrong_place_is_told_the_right_one(home, sweep, words):
    (home / "swept.yaml").write_text(yaml.safe_dump(yaml.safe_load(CONFIG) | {"sweep": sweep}))
    with pytest.raises(UserError) as caught:
        load_experiment("swept.yaml")
    assert words in str(caught.value)


@pytest.mark.parametrize("override", ["cell.kind=gru", "cell.forget_bias=1"])
def test_an_override_against_the_sweep_is_told_how_to_leave_it_out(home, override):
    content = yaml.safe_load(CONFIG) | {"sweep": {"cell": {"forget_bias": [0, 1]}}}
    (home / "swept.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(UserError) as caught:
        load_experiment("swept.yaml", [override])
    assert "add 'sweep={}'" in str(caught.value)
    assert len(load_experiment("swept.yaml", [override, "sweep={}"]).runs) == 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rnnlab.run("tiny.yaml", workers=-1), "workers=-1: must be a whole number"),
        (lambda: rnnlab.run("tiny.yaml", "cell.hidden=3"), "overrides='cell.hidden=3': must be a"),
        (lambda: rnnlab.run("tiny.yaml", out="tiny.yaml"), "tiny.yaml: is a file, not a results"),
        (lambda: rnnlab.load(), "load needs a results folder, such as rnnlab.load('results/"),
        (lambda: rnnlab.load("tiny.yaml"), "tiny.yaml: is a file, not a results folder"),
    ],
)
def test_in_python_a_mistake_is_named_as_it_was_written(home, call, words):
    with pytest.raises(UserError) as told:
        call()
    assert words in str(told.value)
    assert " --" not in str(told.value).replace("rnnlab run CONFIG --out", "")
