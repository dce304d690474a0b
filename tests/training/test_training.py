"""The compiled run against its slow twin: plain loops, and equations written out again."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlab.cells import GRU, LSTM, VanillaRNN
from rnnlab.tasks import Adding, Copying
from rnnlab.training.objective import Objective
from rnnlab.training.options import Record, Training
from rnnlab.training.program import Program, random_streams
from rnnlab.training.skipping import recorded

SEED = 5
BATCH = EVALUATION_EXAMPLES = 4


def make_program(cell, task, record, **training):
    options = {"batch": BATCH, "learning_rate": 0.05, "optimizer": "sgd"} | training
    return Program(Objective(cell, task), Training(**options), Record(**record))


class Start(NamedTuple):
    """What a run begins with."""

    params: Any
    data: Any
    evaluation: Any


def start_of(program, seed=SEED):
    streams = random_streams(seed)
    evaluation = program.objective.sample(streams.evaluation, EVALUATION_EXAMPLES)
    return Start(program.objective.init(streams.init), streams.data, evaluation)


def run_program(program, start, *calls):
    """The final state and all chunks; each call is a list of chunk bounds."""
    state = program.start(jax.tree.map(jnp.copy, start.params), program.training.learning_rate)
    chunks = []
    for bounds in calls or [program.chunk_bounds()]:
        state, chunk = program.advance(state, start.data, start.evaluation, jnp.asarray(bounds))
        chunks.append(recorded(chunk))
    return state, jax.tree.map(lambda *parts: np.concatenate(parts), *chunks)


# The slow twin.


def sigmoid(a):
    return 1 / (1 + jnp.exp(-a))


def rnn_layer(params, inputs, probes):
    h, outputs = 0 * probes["h"][0], []
    for x, probe_h in zip(inputs, probes["h"], strict=True):
        h = jnp.tanh(x @ params["W_h"] + h @ params["U_h"] + params["bias_h"]) + probe_h
        outputs.append(h)
    return outputs, {}


def lstm_layer(params, inputs, probes):
    def pre(k, x, h):
        return x @ params[f"W_{k}"] + h @ params[f"U_{k}"] + params[f"bias_{k}"]

    h = c = 0 * probes["h"][0]
    outputs, gates = [], {"i": [], "f": [], "o": []}
    for x, probe_h, probe_c in zip(inputs, probes["h"], probes["c"], strict=True):
        i, f, o = (sigmoid(pre(k, x, h)) for k in "ifo")
        c = f * c + i * jnp.tanh(pre("g", x, h)) + probe_c
        h = o * jnp.tanh(c) + probe_h
        outputs.append(h)
        for name, gate in zip("ifo", (i, f, o), strict=True):
            gates[name].append(gate)
    return outputs, gates


def gru_layer(params, inputs, probes):
    def pre(k, x, h):
        return x @ params[f"W_{k}"] + h @ params[f"U_{k}"] + params[f"bias_{k}"]

    h, outputs, gates = 0 * probes["h"][0], [], {"r": [], "z": []}
    for x, probe_h in zip(inputs, probes["h"], strict=True):
        r, z = sigmoid(pre("r", x, h)), sigmoid(pre("z", x, h))
        if "U_hn" in params:
            recurrent = r * (h @ params["U_hn"] + params["bias_hn"])
        else:
            recurrent = (r * h) @ params["U_n"]
        n = jnp.tanh(x @ params["W_n"] + params["bias_n"] + recurrent)
        h = z * h + (1 - z) * n + probe_h
        outputs.append(h)
        gates["r"].append(r)
        gates["z"].append(z)
    return outputs, gates


LAYER = {VanillaRNN: rnn_layer, LSTM: lstm_layer, GRU: gru_layer}


def twin_forward(cell, params, inputs, probes):
    """Outputs (time, batch, outputs) and gates by name, each a list of layers."""
    by_layer = params["cell"] if cell.layers > 1 else [params["cell"]]
    signal, gates = list(inputs), {name: [] for name in cell.gates}
    for index, layer_params in enumerate(by_layer):
        layer_probes = {name: probe[index] for name, probe in probes.items()}
        signal, layer_gates = LAYER[type(cell)](layer_params, signal, layer_probes)
        for name in gates:
            gates[name].append(layer_gates[name])
    readout = params["readout"]
    return jnp.stack([h @ readout["V"] + readout["bias"] for h in signal]), gates


def zero_probes(cell, inputs):
    names = "hc" if isinstance(cell, LSTM) else "h"
    time, batch, _ = inputs.shape
    return {name: jnp.zeros((cell.layers, time, batch, cell.hidden)) for name in names}


def twin_losses(task, outputs, targets):
    """Loss, memory loss and metric of each example."""
    if isinstance(task, Adding):
        squared_error = (outputs[-1, :, 0] - targets) ** 2
        return squared_error, squared_error, squared_error
    targets = targets.T
    probabilities = jnp.exp(outputs) / jnp.exp(outputs).sum(axis=-1, keepdims=True)
    chosen = (probabilities * jnp.eye(task.output_size)[targets]).sum(axis=-1)
    recall = (targets > 0) / task.symbols
    right = outputs.argmax(axis=-1) == targets
    memory_loss = (-jnp.log(chosen) * recall).sum(axis=0)
    return -jnp.log(chosen).mean(axis=0), memory_loss, (right * recall).sum(axis=0)


def twin_batch(task, key, examples):
    pairs = [task.sample(k) for k in jax.random.split(key, examples)]
    inputs, targets = zip(*pairs, strict=True)
    return jnp.stack(inputs, axis=1), jnp.stack(targets)


def norm(tree):
    return np.sqrt(sum((np.asarray(leaf) ** 2).sum() for leaf in jax.tree.leaves(tree)))


def adjoint_statistics(norms):
    nonzero = np.log10(norms[norms > 0])
    names = ["log10_mean", "log10_q10", "log10_q50", "log10_q90"]
    values = [nonzero.mean(), *np.quantile(nonzero, [0.1, 0.5, 0.9])] if nonzero.size else [np.nan]
    return dict(zip(names, np.broadcast_to(values, 4), strict=True)) | {
        "zero_fraction": np.mean(norms == 0)
    }


def gate_statistics(gate):
    return {
        "mean": np.mean(gate),
        "std": np.std(gate),
        "q10": np.quantile(gate, 0.1),
        "q90": np.quantile(gate, 0.9),
        "below_0_1": np.mean(gate < 0.1),
        "above_0_9": np.mean(gate > 0.9),
    }


def by_layer_and_time(statistics, values):
    rows = [[statistics(np.asarray(value_t)) for value_t in layer] for layer in values]
    names = rows[0][0]
    return {name: np.array([[one[name] for one in row] for row in rows]) for name in names}


class Twin:
    def __init__(self, program, optimizer, start):
        self.cell, self.task = program.objective.cell, program.objective.task
        self.training, self.every = program.training, program.record.every
        self.examples = program.record.examples
        self.optimizer, self.start = optimizer, start

    @functools.cached_property
    def loss_and_gradient(self):
        def mean_loss(params, inputs, targets):
            outputs, _ = twin_forward(self.cell, params, inputs, zero_probes(self.cell, inputs))
            return twin_losses(self.task, outputs, targets)[0].mean()

        return jax.value_and_grad(mean_loss)

    def record(self, params, inputs, targets):
        inputs, targets = inputs[:, : self.examples], targets[: self.examples]

        def memory_loss(probes):
            outputs, gates = twin_forward(self.cell, params, inputs, probes)
            return twin_losses(self.task, outputs, targets)[1].sum(), gates

        adjoints, gates = jax.grad(memory_loss, has_aux=True)(zero_probes(self.cell, inputs))
        norms = {name: np.linalg.norm(adjoint, axis=-1) for name, adjoint in adjoints.items()}
        return {
            "gradients": {k: by_layer_and_time(adjoint_statistics, v) for k, v in norms.items()},
            "gates": {k: by_layer_and_time(gate_statistics, v) for k, v in gates.items()},
            "training": self.evaluate(params),
        }

    def evaluate(self, params):
        inputs, targets = self.start.evaluation
        outputs, _ = twin_forward(self.cell, params, inputs, zero_probes(self.cell, inputs))
        loss, _, metric = twin_losses(self.task, outputs, targets)
        return {"eval_loss": loss.mean(), "eval_metric": metric.mean()}

    def run(self):
        """Final parameters, what every update reported, and every record."""
        params = self.start.params
        state = self.optimizer.init(params)
        updates_report, records = [], []
        for step in range(self.training.steps + 1):
            key = jax.random.fold_in(self.start.data, step)
            inputs, targets = twin_batch(self.task, key, self.training.batch)
            if step % self.every == 0 or step == self.training.steps:
                records.append(self.record(params, inputs, targets))
            if step < self.training.steps:
                loss, gradient = self.loss_and_gradient(params, inputs, targets)
                updates, state = self.optimizer.update(gradient, state, params)
                params = optax.apply_updates(params, updates)
                updates_report.append([loss, norm(gradient), norm(updates)])
        return params, np.array(updates_report), records


def exact_warmup(count):
    """``optax.linear_schedule(0.0, 0.05, 2)``, which computes in float32 whatever the precision."""
    return 0.05 * jnp.minimum(jnp.asarray(count, float) / 2, 1.0)


CASES = {
    "adding, LSTM": (
        make_program(LSTM(hidden=3), Adding(length=5), {"every": 3, "examples": 3}, steps=7),
        optax.sgd(0.05),
    ),
    "adding, 2-layer GRU with reset before": (
        make_program(
            GRU(hidden=3, layers=2, reset="before"),
            Adding(length=5, markers="anywhere"),
            {"every": 2, "examples": 3},
            steps=4,
            optimizer="adam",
            clip_value=0.01,
        ),
        optax.chain(optax.clip(0.01), optax.adam(0.05)),
    ),
    "copy, 2-layer GRU, every step": (
        make_program(
            GRU(hidden=3, layers=2),
            Copying(length=1, symbols=2, alphabet=2),
            {"every": 1, "examples": BATCH},
            steps=3,
            optimizer="momentum",
        ),
        optax.sgd(0.05, momentum=0.9),
    ),
    "variable copy, 2-layer LSTM": (
        make_program(
            LSTM(hidden=3, layers=2, forget_bias=3.0),
            Copying(length=2, symbols=1, alphabet=2, gap="variable"),
            {"every": 4, "examples": 3},
            steps=5,
            optimizer={"kind": "rmsprop", "decay": 0.8},
            schedule="cosine",
            clip_norm=0.1,
        ),
        optax.chain(
            optax.clip_by_global_norm(0.1),
            optax.rmsprop(optax.cosine_decay_schedule(0.05, 5), decay=0.8),
        ),
    ),
    "copy, vanilla RNN, recorded less often than it ends": (
        make_program(
            VanillaRNN(hidden=3),
            Copying(length=1, symbols=2, alphabet=2),
            {"every": 9, "examples": 3},
            steps=2,
            schedule={"kind": "warmup", "steps": 2},
        ),
        optax.sgd(exact_warmup),
    ),
}


def assert_same_tree(actual, expected, rtol=1e-9):
    """Leaf by leaf, with the path in the message."""
    actual, expected = (jax.tree_util.tree_leaves_with_path(t) for t in (actual, expected))
    for (path, a), (_, b) in zip(actual, expected, strict=True):
        name = jax.tree_util.keystr(path)
        is_fraction = any(word in name for word in ("fraction", "below", "above"))
        tolerance = 1e-6 if is_fraction else rtol
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("name", CASES)
def test_run_equals_its_slow_twin(name, float64):
    program, optimizer = CASES[name]
    start = start_of(program)
    state, chunks = run_program(program, start)
    params, updates, records = Twin(program, optimizer, start).run()

    assert not state.diverged
    assert_same_tree(state.params, params)

    bounds = program.chunk_bounds()
    assert len(bounds) == len(records)
    steps = np.stack(chunks.updates)
    ran = [steps[:, k, : stop - start] for k, (start, stop) in enumerate(bounds)]
    np.testing.assert_allclose(np.concatenate(ran, axis=1).T, updates, rtol=1e-9)
    assert np.isnan(steps).sum() == steps.size - updates.size

    for k, record in enumerate(records):
        actual = jax.tree.map(lambda value, k=k: value[k], chunks.records)
        assert_same_tree(actual, record)


@pytest.mark.parametrize(
    "calls",
    [
        [[(0, 3), (3, 6)], [(6, 7), (7, 7)]],
        [[(-1, -1), (0, 3)], [(3, 6), (-1, -1)], [(6, 7), (7, 7)]],
        [[(0, 3), (-1, -1)], [(-1, -1), (-1, -1)], [(3, 6), (6, 7)], [(7, 7), (-1, -1)]],
    ],
)
def test_several_calls_with_padding_give_the_numbers_of_one(calls, float64):
    program, _ = CASES["adding, LSTM"]
    start = start_of(program)
    state, chunks = run_program(program, start)
    split_state, split_chunks = run_program(program, start, *calls)
    is_run = np.array([bound for call in calls for bound in call])[:, 0] >= 0

    assert_same_tree(split_state, state, rtol=1e-12)
    assert_same_tree(jax.tree.map(lambda a: a[is_run], split_chunks), chunks, rtol=1e-12)
    for skipped in jax.tree.leaves(jax.tree.map(lambda a: a[~is_run], split_chunks)):
        assert np.isnan(skipped).all()


def test_a_run_is_a_function_of_settings_and_seed(float64):
    program, _ = CASES["adding, LSTM"]
    first, second, other = (run_program(program, start_of(program, seed)) for seed in (1, 1, 2))

    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.isclose(first[1].updates.loss[0, 0], other[1].updates.loss[0, 0])


@given(steps=st.integers(0, 300), every=st.integers(1, 320))
def test_chunk_bounds_run_every_step_once_and_record_on_schedule(steps, every):
    program = make_program(LSTM(), Adding(), {"every": every}, steps=steps)
    bounds = program.chunk_bounds()
    ran = [step for start, stop in bounds for step in range(start, stop)]

    assert ran == list(range(steps))
    recorded = [start for start, _ in bounds if program.records_at(start)]
    assert recorded == [*range(0, steps, every), steps]
    assert bounds[-1] == (steps, steps)
    assert all(stop - start <= min(every, 100) for start, stop in bounds)


def diverging(learning_rate):
    return make_program(
        VanillaRNN(hidden=2),
        Adding(length=3),
        {"every": 2, "examples": 3},
        steps=6,
        learning_rate=learning_rate,
    )


@pytest.mark.parametrize(
    ("bounds", "chunk", "step"),
    [
        ([(0, 2), (2, 4), (4, 6), (6, 6)], 0, 1),
        ([(0, 1), (1, 3), (3, 5), (5, 6)], 1, 0),
    ],
)
def test_a_diverged_run_stops_with_its_last_finite_parameters(bounds, chunk, step):
    program = diverging(1e30)
    start = start_of(program)
    state, chunks = run_program(program, start, bounds)
    one_update, _ = run_program(program, start, [(0, 1), *[(-1, -1)] * 3])
    losses = chunks.updates.loss

    assert state.diverged
    assert np.isfinite(losses[0, 0])
    assert not np.isfinite(losses[chunk, step])
    assert np.isnan(chunks.updates.update_norm[chunk, step])
    assert_same_tree(state.params, one_update.params)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state.params))
    for later in jax.tree.leaves(jax.tree.map(lambda a: a[chunk + 1 :], chunks)):
        assert np.isnan(later).all()


def test_parameters_that_an_update_makes_infinite_are_not_kept():
    program = diverging(3e38)
    start = start_of(program)
    state, chunks = run_program(program, start, [(0, 2), (2, 4), (4, 6), (6, 6)])

    assert state.diverged
    assert np.isnan(chunks.updates.update_norm[0, 0])
    assert_same_tree(state.params, start.params)


def test_no_step_runs_after_divergence_in_a_later_call():
    program = diverging(1e30)
    start = start_of(program)
    diverged, _ = run_program(program, start, [(0, 2), (2, 4), (4, 6), (6, 6)])
    state, chunks = run_program(
        program,
        start,
        [(0, 2), (-1, -1), (-1, -1), (-1, -1)],
        [(2, 4), (4, 6), (6, 6), (-1, -1)],
    )

    assert_same_tree(state, diverged)
    assert all(np.isnan(leaf[1:]).all() for leaf in jax.tree.leaves(chunks))


def test_runs_that_differ_in_initial_parameters_share_a_compiled_program(float64):
    program, _ = CASES["adding, LSTM"]
    initial = [LSTM(hidden=3, forget_bias=0.0), LSTM(hidden=3, forget_bias="chrono", t_max=9.0)]
    losses, compiled = [], []
    for cell in initial:
        start = start_of(Program(Objective(cell, Adding(length=5)), program.training, Record()))
        shared = Program(
            Objective(cell.dynamics(), Adding(length=5)), program.training, program.record
        )
        losses.append(run_program(shared, start)[1].updates.loss[0, 0])
        compiled.append(Program.advance._cache_size())

    assert compiled[0] == compiled[1]
    assert losses[0] != losses[1]


@pytest.mark.parametrize(
    ("cell", "default"),
    [
        (LSTM(input_bias="tied", output_bias=1.0, recurrent_gain=2.0), LSTM()),
        (LSTM(input_kernel="uniform", recurrent_kernel="identity"), LSTM()),
        (GRU(update_bias="chrono", t_max=5.0), GRU()),
        (VanillaRNN(recurrent_gain=0.5), VanillaRNN()),
    ],
)
def test_dynamics_forget_what_shapes_initial_parameters_only(cell, default):
    assert cell != default
    assert cell.dynamics() == default
    assert hash(cell.dynamics()) == hash(default)


@pytest.mark.parametrize(
    "cell", [LSTM(activation="relu"), LSTM(hidden=2), LSTM(layers=2), GRU(reset="before")]
)
def test_dynamics_keep_what_acts_at_every_step(cell):
    assert cell.dynamics() == cell


def batch_at_step(step, cell=None, task=None, seed=SEED, **training):
    program = make_program(cell or LSTM(), task or Adding(length=5), {}, **training)
    return program.batch(random_streams(seed).data, jnp.asarray(step))


def test_same_seed_gives_the_same_data_in_every_setting():
    inputs, targets = batch_at_step(7)
    other_cell = batch_at_step(7, cell=GRU(hidden=2, layers=3), optimizer="adam", steps=9)
    larger_batch = batch_at_step(7, batch=2 * BATCH)

    np.testing.assert_array_equal(other_cell.inputs, inputs)
    np.testing.assert_array_equal(larger_batch.inputs[:, :BATCH], inputs)
    np.testing.assert_array_equal(larger_batch.targets[:BATCH], targets)
    assert not np.array_equal(batch_at_step(8).inputs, inputs)
    assert not np.array_equal(batch_at_step(7, seed=SEED + 1).inputs, inputs)


@pytest.mark.parametrize("task", [Adding(length=5), Copying(length=3, symbols=2)], ids=repr)
def test_same_seed_gives_the_same_data_in_both_precisions(task):
    single = batch_at_step(7, task=task)
    with jax.enable_x64(True):
        double = batch_at_step(7, task=task)

    np.testing.assert_allclose(double.inputs, single.inputs, atol=1e-6)
    np.testing.assert_allclose(double.targets, single.targets, atol=1e-6)


def test_streams_of_a_run_are_independent():
    keys = [jax.random.key_data(k) for seed in (0, 1) for k in random_streams(seed)]
    assert len({tuple(key.tolist()) for key in keys}) == 6
