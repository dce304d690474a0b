"""Cells of other states train, are stored, go on from checkpoints and are measured."""

import shutil

import general_states
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest

import rnnlab
from rnnlab import UserError
from rnnlab.config.sweep import load_experiment
from rnnlab.engine.execution import Execution
from rnnlab.engine.progress import PlainLines
from rnnlab.measure.subjects import of_results
from rnnlab.measure.survey import survey
from rnnlab.report.findings import find
from rnnlab.results.params import read_params
from rnnlab.tasks import TASKS
from rnnlab.training.objective import Objective
from rnnlab.training.options import Record, Training
from rnnlab.training.program import Program, random_streams
from rnnlab.training.update import clip_by_value, update

KINDS = {"ComplexDiagonal": "z", "Delta": "S", "TwoShapes": "m"}
CONFIG = """
task: {{kind: adding, length: 8}}
cell: {{kind: general_states.py:{kind}, hidden: 5}}
training: {{steps: 60, batch: 16, precision: float64}}
record: {{every: 20, means: true, jacobians: {{every: 60, examples: 2}}}}
"""


@pytest.fixture(scope="module", params=KINDS)
def trained(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    shutil.copy(general_states.__file__, folder)
    config = folder / "tiny.yaml"
    config.write_text(CONFIG.format(kind=request.param))
    return KINDS[request.param], config, rnnlab.run(config, out=folder / "out")


def test_the_loss_falls_and_every_table_tells_of_the_carry(trained):
    carry, _, results = trained
    assert list(results.runs["status"]) == ["finished"]
    losses = results.training["loss"]
    assert losses[-10:].mean() < 0.7 * losses[:10].mean()
    assert results.runs["decay_of"].iloc[0] == carry
    assert carry in set(results.gradients["quantity"])
    assert set(results.jacobians["quantity"]) == {carry}
    assert np.isfinite(results.gradients["log10_mean"]).all()
    assert np.isfinite(results.means[f"log10_mean_{carry}"]).all()
    assert find(results).figures
    plt.close("all")


def test_recorded_sensitivities_are_those_of_the_stored_parameters(trained):
    _, config, results = trained
    (run,) = load_experiment(config).runs
    settings = run.settings
    objective = Objective(settings.cell, settings.task)
    with jax.enable_x64(True):
        streams = random_streams(0)
        stored = results.file_of(results.runs["run"].iloc[0], "params.safetensors")
        params = read_params(stored, settings.cell, settings.task.input_size)
        inputs = objective.sample(jax.random.fold_in(streams.data, 60), 16).inputs[:, :2]
        expected = np.asarray(rnnlab.sensitivity(settings.cell, params, inputs).log10_total)
    last = results.jacobians.query("step == 60").sort_values("t")
    np.testing.assert_allclose(last["log10_sensitivity"], expected.mean(-1), atol=1e-9)


def test_a_run_goes_on_from_a_checkpoint_bit_for_bit(trained):
    _, config, _ = trained
    (run,) = load_experiment(config, {"record.every": 20}).runs
    with jax.enable_x64(True):
        whole = Execution(run)
        whole.calls = [[bound] for call in whole.calls for bound in call if bound[0] >= 0]
        resumed = Execution(run)
        resumed.calls = whole.calls
        whole.advance()
        resumed.restore(whole.checkpoint())
        for execution in (whole, resumed):
            while not execution.is_over:
                execution.advance()
        one, other = whole.output(), resumed.output()
    assert one.files().keys() == other.files().keys()
    assert all(one.files()[name] == other.files()[name] for name in one.files())


def test_it_is_measured_as_it_ended(trained):
    carry, _, results = trained
    found = survey(of_results(results.stores[0].folder), None, None, PlainLines())
    assert f"‖∂{carry}_T/∂{carry}_t‖" in found.text or "steps back" in found.text
    assert list(found.summary["quantity"]) == [carry]


class RealTwin(general_states.ComplexDiagonal):
    """The same with B as two real parameters."""

    def init(self, key, input_size):
        params = super().init(key, input_size)
        B = params.pop("B")
        return params | {"B_re": B.real, "B_im": B.imag}

    def step(self, params, state, x, observe=lambda name, value: value):
        B = jax.lax.complex(params["B_re"], params["B_im"])
        return super().step({**params, "B": B}, state, x, observe)


def updated(cell, optimizer, updates=5):
    """Parameters and losses after a few updates."""
    task = TASKS["adding"](length=6)
    training = Training(steps=updates, batch=8, optimizer=optimizer, learning_rate=0.1)
    program = Program(Objective(cell, task), training, Record())
    streams = random_streams(0)
    state = program.start(program.objective.init(streams.init), 0.1)
    losses = []
    for step in range(updates):
        batch = program.batch(streams.data, jnp.asarray(step))
        loss_gradient = program.objective.gradient(state.params, batch)
        state, scalars = update(program.optimizer, state, loss_gradient)
        losses.append(float(scalars.loss))
    return state.params["cell"], losses


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_a_complex_parameter_descends_as_its_real_and_imaginary_parts_do(optimizer):
    params, losses = updated(general_states.ComplexDiagonal(), {"kind": optimizer})
    twin, twin_losses = updated(RealTwin(), {"kind": optimizer})
    np.testing.assert_allclose(losses, twin_losses, rtol=1e-12)
    np.testing.assert_allclose(params["B"], twin["B_re"] + 1j * twin["B_im"], rtol=1e-12)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop"])
def test_every_optimiser_takes_complex_parameters(optimizer):
    _, losses = updated(general_states.ComplexDiagonal(), {"kind": optimizer}, updates=40)
    assert losses[-1] < losses[0]


def test_clipping_complex_gradients():
    cell, task = general_states.ComplexDiagonal(), TASKS["adding"](length=6)
    training = Training(steps=1, batch=8, optimizer={"kind": "sgd"}, clip_norm=1e-3)
    program = Program(Objective(cell, task), training, Record())
    streams = random_streams(0)
    state = program.start(program.objective.init(streams.init), 1.0)
    batch = program.batch(streams.data, jnp.asarray(0))
    loss_gradient = program.objective.gradient(state.params, batch)
    _, scalars = update(program.optimizer, state, loss_gradient)
    assert float(scalars.update_norm) == pytest.approx(1e-3, rel=1e-4)
    leaves = jax.tree.leaves(loss_gradient.gradient)
    expected = np.sqrt(sum(float((np.abs(leaf) ** 2).sum()) for leaf in leaves))
    assert float(scalars.gradient_norm) == pytest.approx(expected, rel=1e-5)


def test_a_parallel_scan_trains_to_the_same_losses(trained, tmp_path):
    carry, config, results = trained
    overrides = {"training.recurrence": "parallel", "training.steps": 20}
    if carry != "z":
        with pytest.raises(UserError, match="has no parallel scan; valid: fused, plain"):
            load_experiment(config, overrides)
        return
    parallel = rnnlab.run(config, overrides, out=tmp_path)
    losses = parallel.training["loss"]
    np.testing.assert_allclose(losses[:20], results.training["loss"][:20], rtol=1e-9)


def test_complex_entries_are_clipped_by_part():
    gradient = {"B": jnp.asarray([3 - 0.1j, -0.2 + 5j]), "V": jnp.asarray([2.0, -0.3])}
    clipped, _ = clip_by_value(0.5).update(gradient, None)
    np.testing.assert_allclose(clipped["B"], [0.5 - 0.1j, -0.2 + 0.5j])
    np.testing.assert_allclose(clipped["V"], [0.5, -0.3])
