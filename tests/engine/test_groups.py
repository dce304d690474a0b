"""Runs side by side, as on an accelerator: the numbers of each are those that it has alone."""

import io

import numpy as np
import pandas as pd
import pytest

from rnnlab.config.sweep import load_experiment
from rnnlab.engine import execution, work
from rnnlab.engine.groups import make_groups
from rnnlab.engine.messages import Ended, Reached, Saved, Started

CONFIG = """
task: {kind: adding, length: 10}
cell: {kind: lstm, hidden: 4}
training: {steps: 12, batch: 4}
record: {every: 5, means: true}
sweep: {cell: {forget_bias: [0, 2]}, training: {learning_rate: [1.0e-3, 1.0e+30]}}
"""


@pytest.fixture
def runs(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(CONFIG)
    return load_experiment(path).runs


@pytest.fixture
def accelerated(monkeypatch):
    """As if there were an accelerator that reports after every call."""
    monkeypatch.setattr(work, "is_accelerated", lambda: True)
    monkeypatch.setattr(work, "SECONDS_BETWEEN_REPORTS", 0)
    monkeypatch.setattr(execution, "OPERATIONS_PER_CALL", 1)


def do(runs, checkpoints=None, should_stop=lambda: False):
    messages = []
    work.work(runs, checkpoints or {}, 1e9, "here", messages.extend, should_stop)
    return messages


def of_kind(messages, kind):
    return [message for message in messages if isinstance(message, kind)]


def tables(messages):
    return {
        m.run: (
            m.head["status"],
            {n: pd.read_parquet(io.BytesIO(b)) for n, b in m.files.items() if "parquet" in n},
        )
        for m in of_kind(messages, Ended)
    }


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for run, (status, frames) in expected.items():
        assert found[run][0] == status
        for name, frame in frames.items():
            pd.testing.assert_frame_equal(found[run][1][name], frame, rtol=1e-3, atol=1e-5)


@pytest.fixture
def alone(runs):
    return tables(do(runs))


def test_each_has_the_numbers_that_it_has_alone(runs, alone, accelerated):
    messages = do(runs)
    assert len(of_kind(messages[:4], Started)) == 4
    assert {m.run for m in of_kind(messages, Reached)} == {run.id for run in runs}
    found = tables(messages)
    assert sorted(status for status, _ in found.values()) == ["diverged"] * 2 + ["finished"] * 2
    assert_same(found, alone)


def test_what_is_stopped_goes_on(runs, alone, accelerated):
    messages = do(runs, should_stop=iter([False, False, True, True]).__next__)
    assert of_kind(messages, Ended) == []
    saved = {m.run: m.checkpoint for m in of_kind(messages, Saved)}
    assert saved.keys() == {run.id for run in runs}
    assert_same(tables(do(runs, saved)), alone)


def test_where_all_do_not_fit_half_as_many_are_tried(runs, alone, accelerated, monkeypatch):
    tried, original = [], work.execute_together

    def small(group, reporter):
        tried.append(len(group))
        if len(group) > 2:
            raise MemoryError
        return original(group, reporter)

    monkeypatch.setattr(work, "execute_together", small)
    assert_same(tables(do(runs)), alone)
    assert tried == [4, 2, 2]


def test_one_that_fails_does_not_take_the_others_with_it(runs, alone, accelerated, monkeypatch):
    original = execution.Execution.output

    def output(self):
        if self.run is runs[2]:
            raise RuntimeError("no output")
        return original(self)

    monkeypatch.setattr(execution.Execution, "output", output)
    found = {m.run: m for m in of_kind(do(runs), Ended)}
    assert [found[run.id].head["status"] == "failed" for run in runs] == [False, False, True, False]
    assert found[runs[2].id].head["error"] == "RuntimeError: no output"


def test_groups_are_as_large_as_can_be(runs):
    many = [runs[0]] * 40
    assert [len(group.runs) for group in make_groups(many, 2, side_by_side=True)] == [20, 20]
    assert [len(group.runs) for group in make_groups(many, 2, side_by_side=False)] == [5] * 8


def test_a_program_of_many_is_compiled_by_one_worker(tmp_path):
    """Of ten that cost the same each is less than an eighth of all; of four, two eighths."""
    path = tmp_path / "tiny.yaml"
    path.write_text(CONFIG)
    norms = {"sweep": {"training": {"clip_norm": [float(norm) for norm in range(1, 11)]}}}
    ten = load_experiment(path, norms | {"seeds": 6}).runs
    assert [len(group.runs) for group in make_groups(ten, 2)] == [6] * 10
    four = [run for run in ten if run.settings.training.clip_norm <= 4]
    assert [len(group.runs) for group in make_groups(four, 2)] == [3] * 8


def test_seconds_are_those_of_all_together(runs, accelerated):
    seconds = [m.head["summary"]["seconds"] for m in of_kind(do(runs), Ended)]
    assert np.ptp(seconds) < 0.5
