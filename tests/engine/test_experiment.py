"""Runs end in the store: once each, whole, whatever happens to their neighbours."""

import textwrap

import jax
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

import rnnlab
from rnnlab.config.sweep import load_experiment, unpack
from rnnlab.engine import execution, programs, work
from rnnlab.results.checkpoints import Checkpoints
from rnnlab.support.checksums import Damaged
from rnnlab.support.errors import UserError

TINY = """
task: {kind: adding, length: 7}
cell: {kind: lstm, hidden: 3}
training: {steps: 25, batch: 5}
record: {every: 10}
sweep: {cell: {forget_bias: [0, 2]}}
seeds: 2
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


def nothing(*_):
    pass


def test_what_a_run_leaves(config):
    results = rnnlab.run(config)
    assert results.name == "tiny"
    assert list(results.runs["status"]) == ["finished"] * 4
    training = results.training
    assert list(training.columns[3:]) == [
        *("step", "loss", "gradient_norm", "update_norm", "eval_loss", "eval_metric")
    ]
    one = training[training["run"] == results.runs["run"][0]]
    assert list(one["step"]) == list(range(26))
    assert list(one.loc[one["eval_loss"].notna(), "step"]) == [0, 10, 20, 25]
    assert list(one.loc[one["loss"].isna(), "step"]) == [25]
    gradients = results.gradients
    assert set(gradients["quantity"]) == {"h", "c"}
    assert len(gradients) == 4 * 4 * 7 * 2
    assert set(results.gates["gate"]) == {"i", "f", "o"}
    assert len(results.gates) == 4 * 4 * 7 * 3
    folder = config.parent / "results" / "tiny"
    params = load_file(folder / "runs" / results.runs["run"][0] / "params.safetensors")
    assert params["cell.W_f"].shape == (2, 3)
    assert set(params) >= {"cell.bias_f", "cell.U_f", "readout.V", "readout.bias"}


def test_running_again_does_only_what_is_missing(config, monkeypatch, capsys):
    rnnlab.run(config)
    executed = []
    original = work.execute
    monkeypatch.setattr(work, "execute", lambda r, *a: executed.append(r) or original(r, *a))
    rnnlab.run(config)
    assert executed == []
    assert "4 of 4 runs are stored already" in capsys.readouterr().err
    results = rnnlab.run(config, {"seeds": 3})
    assert [run.seed for run in executed] == [2, 2]
    assert len(results.runs) == 6
    assert len(rnnlab.load("results/tiny", every_config=True).runs) == 6
    assert len(rnnlab.run(config).runs) == 4


@pytest.mark.default_flags
def test_a_run_is_a_function_of_its_settings_and_seed(config, monkeypatch):
    run = load_experiment(config).runs[1]
    one = execution.execute(run, nothing)
    monkeypatch.setattr(execution, "OPERATIONS_PER_CALL", 1.0)
    other = execution.execute(run, nothing)
    for name, table in one.tables.items():
        pd.testing.assert_frame_equal(table, other.tables[name], check_exact=True)
    for name, values in one.params.items():
        assert np.array_equal(values, other.params[name])


@pytest.mark.parametrize("longest", [1, 4, 7])
def test_the_numbers_do_not_depend_on_the_length_of_a_chunk(config, monkeypatch, longest):
    run = load_experiment(config, ["training.precision=float64"]).runs[2]
    one = execution.execute(run, nothing)
    original = programs.Program
    monkeypatch.setattr(programs, "Program", lambda *args: original(*args, longest_chunk=longest))
    reached = []
    other = execution.execute(run, lambda e: reached.append(e.step))
    for name, table in one.tables.items():
        pd.testing.assert_frame_equal(
            table.reset_index(drop=True), other.tables[name].reset_index(drop=True), rtol=1e-9
        )
    assert other.summary["last_step"] == reached[-1] == 25


def test_the_stored_config_gives_the_same_runs(config):
    experiment = load_experiment(config, ["training.optimizer=rmsprop", "task.length=9"])
    rnnlab.run(config, ["training.optimizer=rmsprop", "task.length=9"])
    again = load_experiment(config.parent / "results" / "tiny" / "config.yaml")
    assert [run.id for run in again.runs] == [run.id for run in experiment.runs]


def test_the_stored_config_keeps_explicit_keys_on_which_settings_differ(config):
    zipped = {"sweep": {"zip": [{"cell": {"input_bias": 1.0}}, {"cell": {"forget_bias": 3.0}}]}}
    overrides = zipped | {"cell": {"forget_bias": 2.0}, "training.steps": 0, "seeds": 1}
    ids = [run.id for run in load_experiment(config, overrides).runs]
    rnnlab.run(config, overrides)
    again = load_experiment(config.parent / "results" / "tiny" / "config.yaml")
    assert [run.id for run in again.runs] == ids


HAIKU = """
import jax
from rnnlab import LSTM, affine

class Haiku(LSTM):
    def step(self, params, state, x, observe):
        (a_f,) = affine(params, "f", x, state.h)
        observe("f", jax.nn.sigmoid(a_f + self.forget_bias))
        return super().step(params, state, x, lambda k, v: v if k == "f" else observe(k, v))
"""


def test_a_users_step_reads_its_own_options(config):
    (config.parent / "own.py").write_text(HAIKU)
    overrides = ["cell.kind=own.py:Haiku", "training.steps=0", "seeds=1"]
    results = rnnlab.run(config, overrides)
    first, second = rnnlab.compare(results)["gate_first"]
    assert first == pytest.approx(0.5, abs=0.1)
    assert second == pytest.approx(1 / (1 + np.exp(-4)), abs=0.03)


def test_a_run_travels_as_plain_data(config):
    """A plug-in's code goes along, so that workers need not have the file."""
    own = config.parent / "own.py"
    own.write_text("import rnnlab\n\nclass Mine(rnnlab.VanillaRNN):\n    slope: float = 1.0\n")
    (run, *_) = load_experiment(config, ["cell.kind=own.py:Mine", "sweep={}"]).runs
    packed = run.packed()
    own.unlink()
    again = unpack(packed)
    assert again.id == run.id
    assert again.settings.cell == run.settings.cell
    output = execution.execute(again, nothing)
    assert np.isfinite(output.summary["final_loss"])


def test_a_run_whose_last_evaluation_is_not_finite_has_diverged(config):
    results = rnnlab.run(
        config,
        [
            *("cell.kind=rnn", "cell.activation=relu", "sweep=null", "seeds=1"),
            *("training.optimizer=sgd", "training.learning_rate=1.0e+25", "training.steps=1"),
        ],
    )
    assert list(results.runs["status"]) == ["diverged"]


def test_float64(config):
    results = rnnlab.run(config, ["training.precision=float64", "seeds=1"])
    assert results.gradients["log10_mean"].dtype == np.float64
    assert jax.numpy.zeros(1).dtype == np.float32


def test_a_diverging_run_is_kept_and_the_others_finish(config):
    results = rnnlab.run(
        config,
        [
            "training.optimizer=sgd",
            "sweep.training.learning_rate=[1.0e+30,0.01]",
            "seeds=1",
        ],
    )
    assert list(results.runs["status"]) == ["diverged", "finished"]
    diverged = results.training[results.training["run"] == results.runs["run"][0]]
    last = diverged.iloc[-1]
    assert last["step"] == results.runs["last_step"][0] < 25
    assert np.isnan(last["update_norm"])
    assert np.isfinite(diverged["update_norm"].iloc[:-1]).all()
    assert np.isfinite(diverged["loss"].iloc[:-1]).all()
    folder = config.parent / "results" / "tiny" / "runs" / results.runs["run"][0]
    assert all(np.isfinite(v).all() for v in load_file(folder / "params.safetensors").values())
    assert list(rnnlab.compare(results)["diverged"]) == [1, 0]


FAILING = textwrap.dedent("""
    import rnnlab

    class Failing(rnnlab.VanillaRNN):
        fails: bool = True

        def step(self, params, state, x, observe):
            if self.fails:
                raise RuntimeError("no such luck")
            return super().step(params, state, x, observe)
""")


def test_a_failing_run_is_reported_and_the_others_finish(config):
    (config.parent / "own.py").write_text(FAILING)
    overrides = ["cell.kind=own.py:Failing", "sweep.cell.fails=[true,false]", "seeds=1"]
    results = rnnlab.run(config, overrides)
    assert list(results.runs["status"]) == ["failed", "finished"]
    line = f'{config.parent}/own.py, line 9: raise RuntimeError("no such luck")'
    assert results.runs["error"][0] == f"RuntimeError: no such luck ({line})"
    folder = config.parent / "results" / "tiny" / "runs" / results.runs["run"][0]
    assert "own.py" in (folder / "error.txt").read_text()


def test_an_interrupted_sweep_keeps_what_is_finished(config, monkeypatch):
    original = work.execute
    done = []

    def interrupted(run, *rest):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(run)
        return original(run, *rest)

    monkeypatch.setattr(work, "execute", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rnnlab.run(config)
    assert list(rnnlab.load("results/tiny").runs["status"]) == ["finished"] * 2 + ["missing"] * 2


def test_a_folder_of_something_else_is_left_alone(config):
    other = config.parent / "thesis"
    other.mkdir()
    (other / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="not a results folder"):
        rnnlab.run(config, out=other)
    assert [path.name for path in other.iterdir()] == ["thesis.tex"]


def test_no_steps_records_the_initial_parameters(config):
    results = rnnlab.run(config, ["training.steps=0", "seeds=1"])
    assert set(results.gradients["step"]) == {0}
    assert list(results.runs["status"]) == ["finished"] * 2


def saving_at_once(monkeypatch):
    monkeypatch.setattr(work, "SECONDS_BETWEEN_REPORTS", 0.0)
    monkeypatch.setattr(execution, "OPERATIONS_PER_CALL", 1.0)


def test_a_checkpoint_that_cannot_be_stored_is_no_fault_of_the_run(config, monkeypatch):
    saving_at_once(monkeypatch)

    def full(*_):
        raise UserError("no space left on the device")

    monkeypatch.setattr(Checkpoints, "write", full)
    with pytest.raises(UserError, match="no space left"):
        rnnlab.run(config, {"checkpoint_every": 0.0})
    assert set(rnnlab.load("results/tiny").runs["status"]) == {"missing"}


def test_resuming_from_any_call(config, monkeypatch):
    """Bit for bit; a checkpoint that is damaged, or not of this run, is not used."""
    monkeypatch.setattr(execution, "OPERATIONS_PER_CALL", 1.0)
    run, other = load_experiment(config, {"training.steps": 35}).runs[:2]
    states = []
    whole = execution.execute(run, lambda e: states.append(e.checkpoint()))
    assert len(states) == 5
    for state in (*states, states[1][:-1], states[1][:40] + b"!" + states[1][41:]):
        again = execution.execute(run, nothing, state)
        assert again.files() == whole.files()
    fresh = execution.execute(other, nothing)
    assert execution.execute(other, nothing, states[2]).files() == fresh.files()


def test_a_checkpoint_tells_what_it_is_of(config, monkeypatch):
    monkeypatch.setattr(execution, "OPERATIONS_PER_CALL", 1.0)
    run = load_experiment(config).runs[0]
    states = []
    execution.execute(run, lambda e: states.append(e.checkpoint()))
    for changed in ({"cell.hidden": 4}, {"record.every": 5}, {"training.optimizer": "rmsprop"}):
        other = execution.Execution(load_experiment(config, changed).runs[0])
        other.run = run
        with pytest.raises(Damaged, match="not of this run"):
            other.restore(states[0])


def test_what_a_resumed_run_promises():
    here = {"device": "cpu (cpu) × 1", "threads": 1}
    assert work.promise([here]) == "bit for bit"
    assert work.promise([here, here | {"cpu": "another"}]) == "rounding"
    assert work.promise([here | {"threads": 2}]) == "rounding"
    assert work.promise([here | {"device": "gpu (H100) × 1"}]) == "rounding"
