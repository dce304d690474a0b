"""Results as data frames."""

import numpy as np
import pytest
from made_up import STEPS, TIME, settings, summary, write

from rnnlab.results.read import load
from rnnlab.support.errors import UserError


def finished(bias, seed):
    return (settings(forget_bias=bias), seed, "finished", summary())


def test_frames_carry_run_setting_and_seed(tmp_path):
    write(tmp_path / "a", [finished(0.0, 3), finished(0.0, 5), finished(1.0, 3)])
    results = load(tmp_path / "a")
    assert results.settings == ["b_f = 0", "b_f = 1"]
    for frame in (results.training, results.gradients, results.gates):
        assert list(frame.columns[:3]) == ["run", "setting", "seed"]
        counts = frame.groupby(["setting", "seed"], observed=True).size()
        assert set(counts.index) == {("b_f = 0", 3), ("b_f = 0", 5), ("b_f = 1", 3)}
    assert results.training["step"].max() == STEPS


def test_distance_counts_back_from_the_read_step(tmp_path):
    write(tmp_path / "a", [finished(0.0, 0)])
    gradients = load(tmp_path / "a").gradients
    assert np.array_equal(gradients["distance"], TIME - 1 - gradients["t"])


def test_no_distance_without_a_read_step(tmp_path):
    runs = [(settings(forget_bias=0.0), 0, "finished", summary(read_step=None))]
    write(tmp_path / "a", runs)
    assert load(tmp_path / "a").gradients["distance"].isna().all()


def test_nothing_finished(tmp_path):
    write(tmp_path / "a", [(settings(forget_bias=0.0), 0, "failed", {})])
    results = load(tmp_path / "a")
    assert list(results.runs["error"]) == ["ValueError: no"]
    with pytest.raises(UserError, match="no run has finished"):
        _ = results.training


def test_the_present_config_or_every_one(tmp_path):
    write(tmp_path / "a", [finished(0.0, 0), finished(1.0, 0)])
    write(tmp_path / "a", [finished(0.0, 0)])
    assert len(load(tmp_path / "a").runs) == 1
    assert load(tmp_path / "a", every_config=True).settings == ["b_f = 0", "b_f = 1"]


def test_mixed_environments_are_reported(tmp_path):
    store = write(tmp_path / "a", [finished(0.0, 0), finished(0.0, 1)])
    assert load(tmp_path / "a").mixtures() == []
    for run_id, version in (("0" * 16, "0.10.2"), (f"{1:016x}", "0.11.2")):
        run = store.read_run(run_id)
        assert run is not None
        run["environment"] = {"device": "cpu", "libraries": {"jax": version}}
        store.write_run(run_id, run, {})
    assert load(tmp_path / "a").mixtures() == ["mixed results: jax is 0.10.2, 0.11.2"]
