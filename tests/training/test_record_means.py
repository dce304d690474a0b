"""Means of every training step: those that a record of every step gives."""

import functools

import numpy as np
import pandas as pd
import pytest

import rnnlab
from rnnlab.config.sweep import load_experiment
from rnnlab.engine import execution
from rnnlab.results.export.tables import to_csv
from rnnlab.support.errors import UserError

STEPS, LENGTH = 23, 12
CONFIG = f"""
task: {{kind: adding, length: {LENGTH}}}
cell: {{kind: lstm, hidden: 4}}
training: {{steps: {STEPS}, batch: 4}}
record: {{examples: 3}}
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("means") / "tiny.yaml"
    path.write_text(CONFIG)
    return path


def tables_of(config, *overrides):
    run = load_experiment(config, overrides).runs[0]
    return execution.execute(run, lambda _: None).tables


@functools.cache
def tables_of_every_step(config, *overrides):
    return tables_of(config, *overrides, "record.every=1")


@pytest.mark.parametrize(
    "overrides",
    [["cell.layers=2"], ["cell.kind=gru"], ["task={kind: copy, symbols: 2, length: 6}"]],
    ids=["2-layer lstm", "gru", "a loss that is not the memory loss"],
)
@pytest.mark.parametrize("longest_chunk", [100, 3])
def test_means_are_those_of_records_of_every_step(config, overrides, longest_chunk, monkeypatch):
    every = tables_of_every_step(config, *overrides)
    original = execution.Program
    some_chunks = functools.partial(original, longest_chunk=longest_chunk)
    with monkeypatch.context() as patch:
        patch.setattr(execution, "Program", some_chunks)
        some = tables_of(config, "record.every=5", "record.means=true", *overrides)
    assert "means" not in every
    means = some["means"].set_index(["step", "t", "layer"]).sort_index()
    assert sorted(set(means.index.get_level_values("step"))) == list(range(STEPS + 1))
    assert means.index.is_unique
    columns = []
    for table, variable, statistics in (
        ("gradients", "quantity", ["log10_mean", "zero_fraction"]),
        ("gates", "gate", ["mean"]),
    ):
        index = ["step", "t", "layer"]
        expected = every[table].pivot_table(statistics, index, variable)
        expected.columns = [f"{statistic}_{name}" for statistic, name in expected.columns]
        found = means[expected.columns].loc[expected.index]
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)
        columns += list(expected.columns)
    assert sorted(columns) == sorted(means.columns)


def test_means_do_not_change_what_else_is_recorded(config):
    with_means = tables_of(config, "record.every=5", "record.means=true")
    without = tables_of(config, "record.every=5")
    assert set(with_means) - set(without) == {"means"}
    for name, table in without.items():
        pd.testing.assert_frame_equal(with_means[name], table, rtol=1e-4, atol=1e-6)


def test_a_run_that_was_resumed_has_the_same_means(config, monkeypatch):
    monkeypatch.setattr(execution, "OPERATIONS_PER_CALL", 1)
    run = load_experiment(config, ["record.every=5", "record.means=true"]).runs[0]
    states = []
    whole = execution.execute(run, lambda e: states.append(e.checkpoint()))
    again = execution.execute(run, lambda _: None, states[1])
    assert len(states) > 3
    assert again.files() == whole.files()


def test_a_run_that_diverges_keeps_the_means_up_to_there(config):
    found = tables_of(config, "training.learning_rate=1e30", "record.means=true", "record.every=4")
    last = found["training"]["step"].max()
    assert found["means"]["step"].max() == last < STEPS
    assert found["means"].loc[found["means"]["step"] == 0].notna().all(axis=None)


def test_results_and_csv_have_them(config, tmp_path):
    results = rnnlab.run(
        config, {"record.means": True, "seeds": 2, "training.steps": 3}, out=tmp_path / "r"
    )
    assert len(results.means) == 2 * LENGTH * 4
    assert list(results.means.columns[:6]) == ["run", "setting", "seed", "step", "layer", "t"]
    written = {path.name: path for path in to_csv(results, tmp_path)}
    assert len(pd.read_csv(written["means.csv"])) == len(results.means)


def test_without_them_the_error_names_the_option(config, tmp_path):
    results = rnnlab.run(config, {"training.steps": 2}, out=tmp_path / "r")
    with pytest.raises(UserError, match=r"no run recorded means; set record\.means=true"):
        _ = results.means
    assert "means.csv" not in {path.name for path in to_csv(results, tmp_path)}
