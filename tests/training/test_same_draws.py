"""A seed draws the same numbers in float32 and in float64: they are drawn once, and cast."""

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import rnnlab
from rnnlab.cells import GRU, LSTM, Cell, HiddenState, VanillaRNN
from rnnlab.cells.cell import unobserved
from rnnlab.support.same_draws import same_draws
from rnnlab.tasks import Adding, Arithmetic, Copying, Digits, Task
from rnnlab.training.objective import Objective
from rnnlab.training.program import random_streams

KERNELS = ("glorot", "orthogonal", "uniform", "lecun")


class Own(Cell):
    """A cell of the user's own, which says nothing of types where it draws."""

    scale: float = 0.3

    def init(self, key, input_size):
        a, b = jax.random.split(key)
        return {
            "W": self.scale * jax.random.normal(a, (input_size, self.hidden)),
            "decay": jnp.log(jax.random.uniform(b, (self.hidden,), minval=0.5)),
            "bias": jnp.full((self.hidden,), 0.1),
            "phase": jnp.exp(1j * jax.random.uniform(b, (self.hidden,))),
        }

    def step(self, params, state, x, observe=unobserved):
        return HiddenState(observe("h", state.h + x @ params["W"]))


class OwnTask(Task):
    """A task of the user's own, likewise."""

    input_size: ClassVar[int] = 2
    output_size: ClassVar[int] = 1
    baseline: ClassVar[float] = 1.0
    threshold: ClassVar[float] = 0.1
    read_step: ClassVar[None] = None

    def sample(self, key):
        a, b, c = jax.random.split(key, 3)
        noise = jax.random.normal(a, (6, 2))
        which = jax.random.randint(b, (), 0, 6)
        return noise, {"value": noise[which, 0], "flip": jax.random.bernoulli(c)}

    def loss(self, outputs, target):
        return (outputs[-1, 0] - target["value"]) ** 2


def in_both(function):
    """What it gives in float32, and in float64, as NumPy arrays."""
    single = jax.tree.map(np.asarray, function())
    with jax.enable_x64(True):
        double = jax.tree.map(np.asarray, function())
    return single, double


def assert_cast(single, double, rtol=0.0):
    """The numbers in double precision are those in single precision, once rounded.

    They are so exactly but for normal numbers of compiled code, which XLA fuses, and thereby
    rounds, differently in another program.
    """
    leaves = list(zip(jax.tree.leaves(single), jax.tree.leaves(double), strict=True))
    assert any(twin.dtype in (np.float64, np.complex128) for _, twin in leaves)
    for leaf, twin in leaves:
        assert leaf.dtype.kind == twin.dtype.kind
        np.testing.assert_allclose(twin.astype(leaf.dtype), leaf, rtol=rtol)


CELLS = [
    *(LSTM(hidden=6, input_kernel=k, recurrent_kernel=k, recurrent_gain=0.9) for k in KERNELS),
    VanillaRNN(hidden=6, recurrent_kernel="identity", recurrent_gain=0.7),
    LSTM(hidden=6, layers=2, forget_bias="chrono", t_max=50, output_bias=0.1),
    GRU(hidden=6, update_bias="chrono", t_max=50),
    Own(hidden=6),
    Own(hidden=6, layers=2),
]
TASKS = [
    Adding(length=9),
    Adding(length=9, markers="anywhere"),
    Copying(length=9),
    Copying(length=9, gap="variable"),
    Arithmetic(digits=3),
    Digits(),
    OwnTask(),
]


@pytest.mark.parametrize("cell", CELLS, ids=repr)
def test_initial_parameters(cell):
    assert_cast(*in_both(lambda: cell.init(jax.random.key(3), 2)))


@pytest.mark.parametrize("cell", [LSTM(hidden=4), Own(hidden=4)])
def test_initial_parameters_of_a_compiled_init(cell):
    init = jax.jit(cell.init, static_argnums=1)
    assert_cast(*in_both(lambda: init(jax.random.key(3), 2)), rtol=1e-6)


@pytest.mark.usefixtures("float64")
def test_constants_keep_their_precision():
    assert set(np.asarray(Own(hidden=3).init(jax.random.key(0), 1)["bias"])) == {0.1}
    params = LSTM(hidden=3, forget_bias=0.1).init(jax.random.key(0), 1)
    assert set(np.asarray(params["bias_f"])) == {0.1}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("layers", [1, 2])
def test_parameters_keep_their_order(layers):
    params = Own(hidden=3, layers=layers).init(jax.random.key(0), 1)
    for layer in [params] if layers == 1 else params:
        assert list(layer) == ["W", "decay", "bias", "phase"]


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_examples_of_a_run(task):
    """As training and evaluation draw them, in compiled code too."""
    objective, streams = Objective(LSTM(hidden=3), task), random_streams(7)

    def drawn():
        pool = objective.pool(streams.evaluation)
        batch = jax.jit(lambda key: objective.sample(key, 20, pool))(streams.data)
        return objective.init(streams.init), batch, objective.evaluation_set(streams.evaluation, 9)

    assert_cast(*in_both(drawn), rtol=1e-6 if isinstance(task, OwnTask) else 0)


@pytest.mark.parametrize("task", TASKS[:-1], ids=repr)
def test_examples_of_a_built_in_task(task):
    def drawn():
        return jax.vmap(task.sample)(jax.random.split(jax.random.key(1), 20))

    assert_cast(*in_both(drawn))


def test_runs_start_from_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(
        "task: {kind: arithmetic, digits: 1, distractors: 0}\n"
        "cell: {kind: lstm, hidden: 4}\n"
        "training: {steps: 0, batch: 4}\n"
    )
    losses = []
    for precision in ("float32", "float64"):
        results = rnnlab.run("tiny.yaml", [f"training.precision={precision}", f"name={precision}"])
        losses.append(results.runs["final_loss"].item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_what_differs_is_taken_from_float32():
    @same_draws
    def draw(key):
        return jax.random.normal(key, (4,)), jnp.full((2,), 0.1), 0.7

    single, double = in_both(lambda: draw(jax.random.key(0)))
    assert_cast(single[0], double[0])
    assert double[0].dtype == np.float64
    assert set(double[1]) == {0.1}
    assert double[2] == 0.7
