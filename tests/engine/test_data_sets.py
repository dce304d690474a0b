"""Runs on data of the user's own, from the config to the results folder."""

import shutil
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import yaml
from in_process import rnnlab as command
from safetensors.numpy import load_file
from scipy import special

import rnnlab
from engine.sweeps import numbers
from engine.sweeps import rnnlab as command_in_a_process
from rnnlab.config.preview import preview
from rnnlab.config.sweep import load_experiment, unpack
from rnnlab.engine import execution, work
from rnnlab.engine.experiment import stored_experiment
from rnnlab.engine.groups import bytes_of
from rnnlab.engine.messages import Ended
from rnnlab.engine.programs import PER_RUN, operations_of, settings_of
from rnnlab.measure.subjects import of_results
from rnnlab.recurrence.stack import unroll
from rnnlab.report import figures
from rnnlab.support.errors import UserError
from rnnlab.support.plugins import Source
from rnnlab.training.objective import Objective
from rnnlab.training.program import EVALUATION_EXAMPLES, random_streams

EXAMPLES, TIME = 30, 6
CONFIG = {
    "task": {"kind": "arrays", "path": "data/my.npz"},
    "cell": {"kind": "lstm", "hidden": 4},
    "training": {"steps": 40, "batch": 8},
    "record": {"every": 10},
    "sweep": {"cell": {"forget_bias": [0, 2]}},
    "seeds": 2,
}
RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(EXAMPLES, TIME, 2))
LENGTHS = RNG.integers(2, TIME + 1, EXAMPLES)
CLASSES = RNG.permutation(np.arange(EXAMPLES * TIME) % 3).reshape(EXAMPLES, TIME)


def write_data(folder, change=0.0, **others):
    arrays = {"inputs": INPUTS + change, "targets": CLASSES[:, 0]} | others
    (folder / "data").mkdir(exist_ok=True)
    np.savez(folder / "data" / "my.npz", **arrays)


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Beside its data, and not in the current folder."""
    folder, elsewhere = tmp_path / "mine", tmp_path / "elsewhere"
    for made in (folder, elsewhere):
        made.mkdir()
    monkeypatch.chdir(elsewhere)
    write_data(folder)
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump(CONFIG))
    return path


def ids(config, overrides=()):
    return [run.id for run in load_experiment(config, overrides).runs]


# What defines a run.


def test_the_content_of_the_file_is_part_of_the_id(config):
    before = ids(config)
    write_data(config.parent, change=1.0)
    changed = ids(config)
    write_data(config.parent)
    assert not set(before) & set(changed)
    assert ids(config) == before


def test_every_option_is_part_of_the_id(config):
    shutil.copy(config.parent / "data" / "my.npz", config.parent / "other.npz")
    write_data(config.parent, targets=CLASSES / 2)
    changes = [
        *("task.path=other.npz", "task.targets_at=each", "task.evaluation_share=0.4"),
        "task.threshold=0.5",
    ]
    at_last = "task.targets_at=last"  # must be said of floats (examples, time)
    found = [tuple(ids(config, [at_last, change])) for change in changes]
    assert len({*found, tuple(ids(config, [at_last]))}) == len(changes) + 1


def test_a_sweep_over_files_reads_each_once(config, monkeypatch):
    shutil.copy(config.parent / "data" / "my.npz", config.parent / "other.npz")
    reads, original = [], Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: reads.append(path.name) or original(path))
    experiment = load_experiment(config, {"sweep.task.path": ["data/my.npz", "other.npz"]})
    assert sorted(reads) == ["my.npz", "other.npz"]
    assert len(experiment.settings) == 2
    assert len({setting.sources.popitem()[1].sha256 for setting in experiment.settings}) == 1


def test_a_run_travels_with_its_data(config):
    run = load_experiment(config).runs[1]
    packed = run.packed()
    shutil.rmtree(config.parent)
    again = unpack(packed)
    assert again.id == run.id
    assert again.settings.task == run.settings.task
    np.testing.assert_array_equal(again.settings.task.data.examples.inputs, INPUTS)


def test_runs_of_a_sweep_hold_one_copy_of_the_file(config):
    contents = [run.packed()["sources"]["data/my.npz"][1] for run in load_experiment(config).runs]
    assert all(content is contents[0] for content in contents)


def test_memory_and_cost_count_the_data(config):
    (run, *_) = load_experiment(config).runs
    write_data(config.parent, inputs=np.repeat(INPUTS, 2, axis=1))
    (longer, *_) = load_experiment(config).runs
    of_updates = operations_of(run) - PER_RUN
    assert operations_of(longer) == pytest.approx(2 * of_updates + PER_RUN)
    targets_and_lengths = 3 * 2 * 4 * EXAMPLES
    assert bytes_of(longer) == 2 * bytes_of(run) - targets_and_lengths


@pytest.mark.parametrize(
    ("task", "part"),
    [
        ({"path": "none.npz"}, "task.path: no file 'none.npz'"),
        ({"path": "data"}, "task.path: no file 'data'"),
        ({"path": "/etc/none.npz"}, "task.path: no file '/etc/none.npz'"),
        ({"path": "../data.npz"}, "task.path: no file '../data.npz'"),
        ({"path": 3}, "task.path: 3 is not valid"),
        ({}, "task.path: missing"),
        ({"path": "data/my.npz", "targets_at": "lats"}, "did you mean 'last'"),
        ({"path": "data/my.npz", "treshold": 0.1}, "did you mean 'threshold'"),
        ({"path": "data/my.npz", "threshold": -1.0}, "task.threshold: -1.0 is not valid"),
        ({"path": "data/my.npz", "threshold": "low"}, "task.threshold: 'low' is not valid"),
        ({"path": "own.yaml"}, "own.yaml: is no .npz file"),
    ],
    ids=str,
)
def test_refuses_in_one_sentence_that_names_the_config(config, task, part):
    config.write_text(yaml.safe_dump(CONFIG | {"task": {"kind": "arrays"} | task}))
    with pytest.raises(UserError) as caught:
        load_experiment(config)
    message = str(caught.value)
    assert "own.yaml" in message
    assert len(message.splitlines()) == 1
    assert part in message


# What a run does.


def literal_loss(task, params, cell, examples):
    """Cross-entropy at the last step of each of the examples, by a loop; their mean."""
    losses = []
    for example in examples:
        length = int(task.data.examples.targets.length[example])
        inputs = jnp.asarray(task.data.examples.inputs[example, :length, None])
        h = unroll(cell, params["cell"], inputs).h[-1, 0]
        logits = np.asarray(h @ params["readout"]["V"] + params["readout"]["bias"])
        target = task.data.examples.targets.values[example]
        losses.append(-np.log(special.softmax(logits)[target]))
    return np.mean(losses)


@pytest.mark.parametrize("padded", [False, True])
def test_evaluation_is_on_what_is_held_out_and_training_on_the_rest(config, padded):
    if padded:
        write_data(config.parent, lengths=LENGTHS)
    experiment = load_experiment(config, {"training.steps": 1, "training.precision": "float64"})
    run = experiment.runs[-1]
    output = execution.execute(run, lambda *_: None)
    with settings_of(run):
        task, streams = run.settings.task, random_streams(run.seed)
        objective = Objective(run.settings.cell, task)
        params = objective.init(streams.init)
        order = np.asarray(jax.random.permutation(streams.evaluation, EXAMPLES))
        held_out = order[:6]
        expected = literal_loss(task, params, run.settings.cell, held_out)
        assert output.tables["training"]["eval_loss"][0] == pytest.approx(expected, rel=1e-9)
        pool = objective.pool(streams.evaluation)
        assert sorted(pool.rows.tolist()) == sorted(order[6:].tolist())
        key = jax.random.fold_in(streams.data, 0)
        batch = objective.sample(key, 8, pool)
        drawn = [find(task, example) for example in np.swapaxes(batch.inputs, 0, 1)]
        assert not set(drawn) & set(held_out.tolist())
        expected = literal_loss(task, params, run.settings.cell, drawn)
        assert output.tables["training"]["loss"][0] == pytest.approx(expected, rel=1e-9)


def find(task, inputs):
    (found,) = np.flatnonzero((task.data.examples.inputs == inputs).all(axis=(1, 2)))
    return int(found)


def test_the_summary_has_what_the_task_says(config):
    (run, *_) = load_experiment(config).runs
    task = run.settings.task
    shares = np.bincount(CLASSES[:, 0]) / EXAMPLES
    assert task.baseline == pytest.approx(-np.sum(shares * np.log(shares)), rel=1e-9)
    summary = execution.execute(run, lambda *_: None).summary
    assert summary["baseline"] == task.baseline
    assert summary["threshold"] == pytest.approx(task.baseline / 10)
    assert (summary["metric"], summary["read_step"]) == ("accuracy", TIME - 1)


def test_where_lengths_differ_there_are_no_distances(config):
    write_data(config.parent, lengths=LENGTHS)
    results = rnnlab.run(config, {"seeds": 1})
    assert results.runs["read_step"].isna().all()
    assert results.gradients["distance"].isna().all()
    ax = figures.gradient_decay(results.gradients, quantity="c", step=0)
    assert ax.get_xlabel() == "time step t"


def test_gradients_of_targets_at_each_step_are_those_of_the_last_loss(config):
    """The memory loss: with all losses, ‖∂L/∂h_t‖ would be flat in t."""
    write_data(config.parent, targets=CLASSES)
    overrides = {"task.targets_at": "each", "training.steps": 0, "seeds": 1}
    results = rnnlab.run(config, overrides | {"cell.recurrent_gain": 0.01})
    h = results.gradients.query("quantity == 'h' and setting == 'b_f = 0'")
    norms = h.sort_values("t")["log10_mean"].to_numpy()
    assert (np.diff(norms) > 0.1).all()


class Interrupt(Exception):
    pass


@pytest.mark.parametrize("at", ["last", "each"])
def test_a_run_goes_on_from_a_checkpoint_bit_for_bit(config, monkeypatch, at):
    write_data(config.parent, lengths=LENGTHS, targets=CLASSES[:, 0] if at == "last" else CLASSES)
    monkeypatch.setattr(execution, "OPERATIONS_PER_CALL", 1)
    run = load_experiment(config, {"task.targets_at": at, "record.means": True}).runs[1]
    whole = execution.execute(run, lambda *_: None)
    saved = []

    def interrupt(begun):
        if begun.step >= 20:
            saved.append(begun.checkpoint())
            raise Interrupt

    with pytest.raises(Interrupt):
        execution.execute(run, interrupt)
    assert execution.execute(run, lambda *_: None, saved[0]).files() == whole.files()


def test_side_by_side_each_has_the_numbers_that_it_has_alone(config, monkeypatch):
    runs = load_experiment(config).runs
    alone = {run.id: execution.execute(run, lambda *_: None).tables for run in runs}
    monkeypatch.setattr(work, "is_accelerated", lambda: True)
    messages = []
    work.work(runs, {}, 1e9, "here", messages.extend, lambda: False)
    ended = [message for message in messages if isinstance(message, Ended)]
    assert {message.run for message in ended} == alone.keys()
    assert {message.head["status"] for message in ended} == {"finished"}
    together = dict(zip(alone, execution.execute_together(runs, lambda *_: None), strict=True))
    for run, output in together.items():
        for name, frame in output.tables.items():
            pd.testing.assert_frame_equal(frame, alone[run][name], rtol=1e-3, atol=1e-5)


# The command line.


@pytest.mark.processes
@pytest.mark.default_flags
def test_in_workers_as_in_this_process(config, tmp_path):
    write_data(config.parent, lengths=LENGTHS)
    here, there = tmp_path / "here", tmp_path / "there"
    for run, out, workers in ((command, here, 0), (command_in_a_process, there, 2)):
        code, output = run("run", config, "--out", out, "--workers", workers)
        assert code == 0, output
    assert numbers(there) == numbers(here)


def test_commands(config, tmp_path):
    write_data(config.parent, lengths=LENGTHS)
    here = tmp_path / "here"
    code, output = command("run", config, "--out", here, "--workers", 0)
    assert code == 0, output
    before = numbers(here)
    for arguments in (
        ("check", here),
        ("measure", here, "--out", tmp_path / "measured"),
        ("run", config, "seeds=3", "--dry-run", "--out", here),
        ("show", config),
        ("rerun", here, "--workers", 0),
    ):
        code, output = command(*arguments, cwd=tmp_path / "elsewhere")
        assert code == 0, output
    write_data(config.parent, lengths=LENGTHS, change=1.0)
    for arguments in (("rerun", here), ("measure", here, "--out", tmp_path / "measured")):
        code, output = command(*arguments)
        assert code != 0
        assert "data/my.npz has changed since" in " ".join(output.split())
        assert "Traceback" not in output
    code, output = command("run", config, "--out", here, "--workers", 0)
    assert code == 0, output
    assert len(numbers(here)) == 2 * len(before)


def test_changed_data_is_named(config, tmp_path):
    out = tmp_path / "out"
    rnnlab.run(config, {"seeds": 1}, out=out)
    assert len(stored_experiment(out).runs) == 2
    assert len(of_results(out)) == 2
    write_data(config.parent, change=1.0)
    with pytest.raises(UserError, match=r"data/my\.npz has changed since these runs"):
        stored_experiment(out)
    with pytest.raises(UserError, match=r"data/my\.npz has changed since this run was trained"):
        of_results(out)


def printed(parts):
    from rich.console import Console

    console = Console(width=160)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    return capture.get()


def test_a_preview_lists_data_as_data(config):
    shown = printed(preview(config))
    assert "reads the data in" in shown
    assert "task.path" in shown
    assert "data/my.npz" in shown
    assert "runs the code of" not in shown
    assert "4 runs" in shown
    swept = printed(preview(config, {"sweep.task": [{"kind": "arrays", "path": "data/my.npz"}]}))
    assert "sweep.task.path" in swept


def test_a_preview_of_code_and_data_reads_neither(config):
    overrides = {"task.path": "none.npz", "cell.kind": "none.py:Cell"}
    shown = printed(preview(config, overrides))
    for part in ("reads the data in", "none.npz", "runs the code of", "none.py:Cell"):
        assert part in shown


def test_a_task_of_the_users_own_may_read_the_file_too(config, tmp_path):
    (config.parent / "own.py").write_text(
        "import rnnlab\n\n\nclass Sequences(rnnlab.Arrays):\n    '''As they are.'''\n"
    )
    results = rnnlab.run(config, {"task.kind": "own.py:Sequences", "seeds": 1})
    assert list(results.runs["status"]) == ["finished"] * 2
    settings = load_experiment(config, {"task.kind": "own.py:Sequences"}).settings[0]
    assert settings.sources.keys() == {"own.py", "data/my.npz"}
    assert all(isinstance(source, Source) for source in settings.sources.values())


def test_digits_train(tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "digits.yaml"
    path.write_text(yaml.safe_dump(CONFIG | {"task": {"kind": "digits"}, "sweep": {}}))
    results = rnnlab.run(path, {"sweep.task.permuted": [False, True], "training.steps": 3})
    assert list(results.runs["status"]) == ["finished"] * 4
    assert set(results.runs["metric"]) == {"accuracy"}
    assert set(results.runs["read_step"]) == {63}
    assert results.runs["baseline"].unique() == pytest.approx([2.2076, 2.2973], abs=1e-4)
    last = results.training.groupby("run")["eval_metric"].last()
    assert last.between(0, 1).all()
    assert EVALUATION_EXAMPLES == 256
    assert len(load_file(next(tmp_path.glob("results/digits/runs/*/params.safetensors")))) > 2
