"""Whose Jacobians are measured, and `rnnlab measure` from its arguments to its files."""

import errno
import shutil
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

import rnnlab
from rnnlab.cli import main
from rnnlab.config.sweep import load_experiment
from rnnlab.engine import work
from rnnlab.engine.progress import PlainLines
from rnnlab.measure import subjects
from rnnlab.measure.survey import survey
from rnnlab.support.errors import UserError
from rnnlab.training.objective import Objective
from rnnlab.training.program import EVALUATION_EXAMPLES, random_streams

LENGTH, HIDDEN = 9, 6
CONFIG = """
task: {kind: adding, length: 9}
cell: {kind: rnn, hidden: 6, activation: relu, recurrent_kernel: identity, recurrent_gain: 0.8}
training: {steps: 3, batch: 4}
record: {every: 3}
"""
OWN = """
import rnnlab

class Own(rnnlab.VanillaRNN):
    '''An RNN that may fail.'''
    fails: bool = False

    def step(self, params, state, x, observe=lambda name, value: value):
        if self.fails:
            raise RuntimeError("no such luck")
        return super().step(params, state, x, observe)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A config, and results of it: relu RNNs of two seeds, and a cell of one's own in float64."""
    home = tmp_path_factory.mktemp("survey")
    (home / "tiny.yaml").write_text(CONFIG)
    (home / "own.py").write_text(OWN)
    rnnlab.run(home / "tiny.yaml", {"seeds": 2}, out=home / "results" / "tiny")
    own = {"cell.kind": "own.py:Own", "cell.hidden": 2, "cell.activation": "tanh"}
    double = own | {"training.precision": "float64"}
    results = rnnlab.run(home / "tiny.yaml", double, out=home / "results" / "own")
    assert list(results.runs["status"]) == ["finished"]
    return home


@pytest.fixture
def at_home(home, monkeypatch):
    monkeypatch.chdir(home)
    yield home
    for made in (home / "out", home / "other", *home.glob("results/*_measured*")):
        shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def command(at_home, monkeypatch, capsys):
    """`rnnlab measure …` in this process: exit status, and what it printed."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["rnnlab", "measure", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, *capsys.readouterr()

    return run


def sensitivities(run, params=None, inputs=None):
    """log10‖∂h_T/∂h_t‖ of a run's cell, by rnnlab.sensitivity; default at initialisation."""
    settings, streams = run.settings, random_streams(run.seed)
    objective = Objective(settings.cell, settings.task)
    if params is None:
        params = objective.init(streams.init)["cell"]
    if inputs is None:
        inputs = objective.sample(streams.evaluation, EVALUATION_EXAMPLES).inputs[:, :4]
    return np.asarray(rnnlab.sensitivity(settings.cell, params, inputs).log10_total).mean(-1)


def measured(survey, run):
    own = survey.tables["jacobians"].query("run == @run").sort_values("t")
    return own["log10_sensitivity"].to_numpy()


def files(folder):
    return [path for path in Path(folder).rglob("*") if path.is_file()]


def quiet():
    return PlainLines()


# Whom


def test_every_setting_and_seed_of_a_config_at_initialisation(home):
    overrides = {"cell.activation": "tanh", "sweep.cell.recurrent_gain": [0.5, 2.0], "seeds": 2}
    experiment = load_experiment(home / "tiny.yaml", overrides)
    found = survey(subjects.of_config(experiment), None, None, quiet())
    ids = [run.id for run in experiment.runs]
    assert list(found.runs["run"]) == list(found.summary["run"]) == ids
    assert list(found.runs["seed"]) == [0, 1, 0, 1]
    assert list(found.runs["cell.recurrent_gain"]) == [0.5, 0.5, 2.0, 2.0]
    labels = ["recurrent_gain = 0.5", "recurrent_gain = 2"]
    assert list(found.summary["setting"].cat.categories) == labels
    for table in found.tables.values():
        assert list(table.columns[:4]) == ["run", "setting", "seed", "step"]
        assert list(table["run"].unique()) == ids
        assert set(table["step"]) == {0}
    for run in experiment.runs:
        np.testing.assert_allclose(measured(found, run.id), sensitivities(run), atol=1e-4)
    assert [part.splitlines()[0] for part in found.text.split("\n\n")] == [
        f"{label} (9 time steps, the middle one of 2 seeds)" for label in labels
    ]


def test_results_are_measured_as_they_ended(at_home):
    found = survey(subjects.of_results(Path("results/tiny")), None, None, quiet())
    runs = load_experiment("tiny.yaml", {"seeds": 2}).runs
    assert list(found.summary["run"]) == [run.id for run in runs]
    assert set(found.tables["jacobians"]["step"]) == {3}
    for run in runs:
        stored = load_file(at_home / "results/tiny/runs" / run.id / "params.safetensors")
        params = {k.removeprefix("cell."): jnp.asarray(v) for k, v in stored.items() if k[0] == "c"}
        trained = sensitivities(run, params)
        np.testing.assert_allclose(measured(found, run.id), trained, atol=1e-4)
        assert abs(trained - sensitivities(run))[0] > 1e-3


def test_a_run_in_float64_of_ones_own_cell_from_another_folder(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = survey(subjects.of_results(home / "results/own"), None, None, quiet())
    assert found.tables["jacobians"]["log10_sensitivity"].dtype == np.float64
    (run,) = found.summary["run"]
    stored = load_file(home / "results/own/runs" / run / "params.safetensors")
    with jax.enable_x64(True):
        params = {k.removeprefix("cell."): jnp.asarray(v) for k, v in stored.items() if k[0] == "c"}
        own = load_experiment(home / "tiny.yaml", {"cell.hidden": 2, "cell.activation": "tanh"})
        expected = sensitivities(own.runs[0], params)
    np.testing.assert_allclose(measured(found, run), expected, rtol=1e-10, atol=1e-12)
    assert "no formula is known" in found.text or "nothing needs to change" in found.text


def test_a_changed_file_is_refused(home, tmp_path):
    for name in ("tiny.yaml", "own.py"):
        shutil.copy(home / name, tmp_path)
    shutil.copytree(home / "results/own", tmp_path / "results/own")
    (tmp_path / "own.py").write_text(OWN + "\n# changed\n")
    with pytest.raises(UserError, match=r"own\.py has changed since this run was trained"):
        subjects.of_results(tmp_path / "results/own")


def overflowing(home, tmp_path, seeds):
    """A copy of the results, the kernels of these seeds so large that states overflow."""
    folder = tmp_path / "tiny"
    shutil.copytree(home / "results/tiny", folder)
    for run in load_experiment(home / "tiny.yaml", {"seeds": 2}).runs:
        if run.seed in seeds:
            path = folder / "runs" / run.id / "params.safetensors"
            stored = load_file(path)
            save_file(stored | {"cell.U_h": np.full((HIDDEN, HIDDEN), 1e30, np.float32)}, path)
    return folder


def test_a_run_whose_states_overflow_is_left_out_and_named(home, tmp_path, capsys):
    folder = overflowing(home, tmp_path, {0})
    first, second = load_experiment(home / "tiny.yaml", {"seeds": 2}).runs
    found = survey(subjects.of_results(folder), None, None, quiet())
    assert list(found.runs["run"]) == list(found.summary["run"]) == [second.id]
    assert set(found.tables["eigenvalues"]["run"]) == {second.id}
    *_, left_out = found.text.split("\n\n")
    assert left_out.startswith("left out: ")
    assert first.id in left_out
    assert "states" in left_out
    assert str(folder) in left_out
    assert "seed 0: not measured" in capsys.readouterr().err


def test_nothing_is_left(home, tmp_path):
    with pytest.raises(UserError) as raised:
        survey(subjects.of_results(overflowing(home, tmp_path, {0, 1})), None, None, quiet())
    assert len(str(raised.value).splitlines()) == 2


class Interrupted(PlainLines):
    """Ctrl-C as the second begins."""

    def run_started(self, *run):
        if self.done:
            raise KeyboardInterrupt
        super().run_started(*run)


def test_ctrl_c_keeps_what_is_measured(at_home):
    found = survey(subjects.of_results(Path("results/tiny")), None, None, Interrupted())
    assert list(found.summary["seed"]) == [0]
    assert not found.is_whole
    assert set(found.tables["lyapunov"]["seed"]) == {0}


# Weights and inputs of one's own


def torch_rnn():
    """A state dict by hand, its two biases apart, and the same as rnnlab's parameters."""
    rng = np.random.default_rng(0)
    shapes = {
        "weight_ih_l0": (HIDDEN, 2),
        "weight_hh_l0": (HIDDEN, HIDDEN),
        "bias_ih_l0": (HIDDEN,),
        "bias_hh_l0": (HIDDEN,),
    }
    state = {k: rng.normal(size=shape).astype(np.float32) for k, shape in shapes.items()}
    bias = state["bias_ih_l0"] + state["bias_hh_l0"]
    own = {"W_h": state["weight_ih_l0"].T, "U_h": state["weight_hh_l0"].T, "bias_h": bias}
    return state, {name: np.ascontiguousarray(value) for name, value in own.items()}


def test_weights_of_torch_and_of_ones_own(command, at_home, tmp_path, without_figures):
    state, own = torch_rnn()
    save_file(
        {f"encoder.rnn.{name}": value for name, value in state.items()},
        tmp_path / "torch.safetensors",
    )
    save_file({f"cell.{name}": value for name, value in own.items()}, tmp_path / "own.safetensors")
    inputs = np.random.default_rng(1).normal(size=(7, 5, 2))
    np.save(tmp_path / "inputs.npy", inputs)
    tables = []
    for name, origin in (("torch", ["--from", "torch"]), ("own", [])):
        code, out, err = command(
            *("tiny.yaml", "cell.activation=tanh", "--params", tmp_path / f"{name}.safetensors"),
            *(*origin, "--inputs", tmp_path / "inputs.npy", "--time-first"),
            *("--out", f"out/{name}", "--length", 5),
        )
        assert code == 0, err
        assert "to reach 5:" in out
        table = pd.read_parquet(f"out/{name}/jacobians.parquet")
        assert set(table["run"]) == {name}
        tables.append(table.drop(columns="run"))
    pd.testing.assert_frame_equal(*tables)
    params = {name: jnp.asarray(value) for name, value in own.items()}
    (run,) = load_experiment("tiny.yaml", ["cell.activation=tanh"]).runs
    expected = sensitivities(run, params, jnp.asarray(inputs, dtype=float))
    np.testing.assert_allclose(tables[0].sort_values("t")["log10_sensitivity"], expected, atol=1e-4)
    assert pd.read_csv("out/own/measure.csv")["wanted"].item() == 5


def test_inputs_of_another_number_of_features(command, at_home, tmp_path, without_figures):
    np.savez(tmp_path / "five.npz", np.ones((6, 2, 5), np.float32))
    five = ("--inputs", tmp_path / "five.npz", "--time-first")
    code, _, err = command("tiny.yaml", *five, "--out", "out")
    assert (code, "features" in err) == (2, True)
    assert not files("out")
    save_file(torch_rnn()[1], tmp_path / "two.safetensors")
    with_params = ["--params", tmp_path / "two.safetensors", "--out", "out"]
    code, _, err = command("tiny.yaml", *five, *with_params)
    assert code == 2
    assert "'W_h' has shape (2, 6); expected is (5, 6): it reads 2 features, not 5" in err
    wide = torch_rnn()[1] | {"W_h": np.ones((5, HIDDEN), np.float32)}
    save_file(wide, tmp_path / "two.safetensors")
    tanh = "cell.activation=tanh"
    code, _, err = command("tiny.yaml", tanh, *five, *with_params)
    assert code == 0, err


# The command


def test_all_that_is_written_next_to_the_results(command, at_home):
    code, out, err = command("results/tiny")
    assert code == 0, err
    folder = at_home / "results" / "tiny_measured"
    names = ["diagnosis.txt", "measured.json"]
    names += [*(f"{t}.parquet" for t in ("jacobians", "lyapunov", "eigenvalues"))]
    names += ["measure.csv"] + [
        f"figures/{name}.png"
        for name in ("sensitivity", "lyapunov", "jacobian_paths", "eigenvalues")
    ]
    names.append("figures/CAPTIONS.md")
    told = [Path(line.strip()) for line in out.split("written:\n")[1].splitlines()]
    told = [path.resolve() for path in told]
    assert [str(path.relative_to(folder)) for path in told] == names
    assert sorted(told) == sorted(path for path in folder.rglob("*") if path.is_file())
    assert (folder / "diagnosis.txt").read_text().strip() == out.split("\n\nwritten:")[0]
    table = pd.read_csv(folder / "measure.csv")
    assert list(table["seed"]) == [0, 1]
    assert list(table["wanted"]) == [LENGTH - 1] * 2
    assert "[2/2]" in err
    again = rnnlab.run("tiny.yaml", {"seeds": 2})
    assert list(again.runs["status"]) == ["finished"] * 2
    assert str(again.stores[0].folder) == "results/tiny"


# Nothing that was measured is lost


@pytest.fixture
def measured_before(command, without_figures):
    """Two seeds of a config, in their folder; and the text there."""
    code, _, err = command("tiny.yaml", "seeds=2")
    assert code == 0, err
    assert "holds" not in err
    return diagnosis("tiny_measured")


def diagnosis(name):
    return Path("results", name, "diagnosis.txt").read_text()


def test_the_same_and_more_replace_what_was_measured(command, measured_before):
    for seeds in (2, 3):
        code, _, err = command("tiny.yaml", f"seeds={seeds}")
        assert code == 0, err
        assert list(pd.read_csv("results/tiny_measured/measure.csv")["seed"]) == [*range(seeds)]
    assert not Path("results/tiny_measured_2").exists()


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["seeds=1"], "of other settings, seeds or weights"),
        (["seeds=2", "cell.activation=tanh"], "of other settings, seeds or weights"),
        (["seeds=2", "--length", 3], "with another number of steps to reach back"),
        (["seeds=2", "--inputs", "inputs.npy", "--time-first"], "with other inputs"),
    ],
)
def test_another_measurement_goes_to_a_folder_of_its_own(
    command, at_home, measured_before, arguments, what
):
    np.save(at_home / "inputs.npy", np.random.default_rng(1).normal(size=(7, 5, 2)))
    for _ in range(2):
        code, out, err = command("tiny.yaml", *arguments)
        assert code == 0, err
        told = f"results/tiny_measured: holds a measurement {what}; this one goes to"
        assert err.count(f"{told} results/tiny_measured_2\n") == 1
        assert "  results/tiny_measured_2/diagnosis.txt" in out
    assert not Path("results/tiny_measured_3").exists()
    assert diagnosis("tiny_measured") == measured_before
    code, _, err = command("tiny.yaml", *arguments, "--out", "results/tiny_measured")
    assert (code, f"holds a measurement {what}, which would be lost" in err) == (2, True)
    assert diagnosis("tiny_measured") == measured_before


def test_weights_that_were_trained_on_are_another_measurement(command, at_home, without_figures):
    own = torch_rnn()[1]
    for scale, folder in ((1, "tiny_measured"), (2, "tiny_measured_2")):
        grown = {name: scale * value for name, value in own.items()}
        save_file(grown, at_home / "w.safetensors")
        code, out, err = command("tiny.yaml", "cell.activation=tanh", "--params", "w.safetensors")
        assert code == 0, err
        assert f"results/{folder}/diagnosis.txt" in out
    assert diagnosis("tiny_measured") != diagnosis("tiny_measured_2")


def test_what_is_stopped_early_replaces_nothing_that_is_whole(
    command, at_home, measured_before, monkeypatch
):
    monkeypatch.setattr("rnnlab.engine.progress.make_progress", Interrupted)
    code, out, _ = command("tiny.yaml", "seeds=2")
    assert code == 130
    assert diagnosis("tiny_measured") == measured_before
    assert diagnosis("tiny_measured_2").strip() == out.split("\n\nwritten:")[0]


def test_a_measurement_that_does_not_tell_what_it_is_of_is_kept(command, measured_before):
    Path("results/tiny_measured/measured.json").unlink()
    code, _, err = command("tiny.yaml", "seeds=2")
    assert code == 0
    assert "measured.json does not tell what was measured; this one goes to" in err
    assert diagnosis("tiny_measured") == measured_before


def test_a_disk_that_is_full_leaves_no_folder_that_tells_of_more_than_it_holds(
    command, at_home, without_figures, monkeypatch
):
    def full(table, path):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr("rnnlab.report.survey_files.write_parquet", full)
        code, _, err = command("tiny.yaml", "--out", "out")
    assert (code, "no space left" in err) == (2, True)
    assert not Path("out/measured.json").exists()
    code, _, err = command("tiny.yaml", "--out", "out")
    assert (code, Path("out/measured.json").exists()) == (0, True)


def test_one_run_of_results(command, at_home, without_figures):
    _, run = load_experiment("tiny.yaml", {"seeds": 2}).runs
    code, _, err = command("results/tiny", "--run", run.id, "--out", "out")
    assert code == 0, err
    assert set(pd.read_parquet("out/lyapunov.parquet")["run"]) == {run.id}
    code, _, err = command("results/tiny", "--run", run.id[:-1] + "x", "--out", "other")
    assert code == 2
    assert f"did you mean '{run.id}'" in err
    assert not files("other")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tiny.yaml", "--run", "0123"], "--run 0123: tiny.yaml is no results folder"),
        (["tiny.yaml", "--from", "torch"], "--from torch needs --params"),
        (["tiny.yaml", "--params", "x", "--from", "keras"], "--from keras: must be 'torch'"),
        (["results/tiny", "--params", "x"], "a results folder takes no --params"),
        (["results/tiny", "cell.hidden=2"], "a results folder takes no --params and no KEY=VALUE"),
        (["results"], "not a results folder"),
        (["tinny.yaml"], "no such file"),
        (["tiny.yaml", "--params", "none.safetensors"], "none.safetensors: no such file"),
        (["tiny.yaml", "--inputs", "none.npy"], "none.npy: no such file"),
        (["tiny.yaml", "--params", "own.py"], "own.py: cannot be read as a safetensors file"),
        (
            ["tiny.yaml", "sweep.cell.hidden=[2,3]", "--params", "own.py"],
            "has 2 settings, and the weights are those of one: choose it by overrides, such as",
        ),
        (["tiny.yaml", "--length", "0"], "--length"),
        (["tiny.yaml", "--batch-first"], "--batch-first and --time-first need --inputs"),
    ],
)
def test_mistakes_end_with_one_message(command, at_home, arguments, message):
    code, out, err = command(*arguments, "--out", "out")
    assert code == 2
    assert message in " ".join(err.split())
    assert "Traceback" not in err
    assert out == ""
    assert not files("out")


def test_a_cell_that_fails_ends_with_a_message(command):
    code, _, err = command("tiny.yaml", "cell.kind=own.py:Own", "cell.fails=true", "--out", "out")
    assert code == 2
    assert "no such luck" in err


def test_a_single_time_step_is_refused(command, tmp_path):
    np.save(tmp_path / "one.npy", np.ones((1, 2, 2)))
    one = ("--inputs", tmp_path / "one.npy", "--time-first")
    code, out, err = command("tiny.yaml", *one, "--out", "out")
    assert (code, out) == (2, "")
    assert "a derivative through time needs 2" in err


def test_results_in_which_no_run_has_ended(at_home, tmp_path, monkeypatch):
    def fail(run, report, resume_from):
        raise RuntimeError("no")

    monkeypatch.setattr(work, "execute", fail)
    rnnlab.run("tiny.yaml", out=tmp_path / "failed")
    with pytest.raises(UserError, match="no run has ended yet"):
        subjects.of_results(tmp_path / "failed")
