import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from rnnlab.cells import LSTM
from rnnlab.support.errors import UserError
from rnnlab.tasks import Adding
from rnnlab.training.objective import Objective
from rnnlab.training.options import Training
from rnnlab.training.update import make_optimizer

STEPS = 6
RATE = 0.3
GRADIENTS = np.random.default_rng(0).normal(size=(STEPS, 5)) * [1e-3, 0.1, 1.0, 1.0, 30.0]
START = np.array([1.0, -2.0, 0.0, 3.0, 0.5])

pytestmark = pytest.mark.usefixtures("float64")


def library_trajectory(gradients=GRADIENTS, **training):
    """Parameters, as a tree of two arrays, after every update."""
    options = {"steps": STEPS, "learning_rate": RATE} | training
    optimizer = make_optimizer(Training(**options))
    params = {"W_a": jnp.asarray(START[:2]), "bias_a": jnp.asarray(START[2:])}
    state, trajectory = optimizer.init(params), []
    for g in gradients:
        gradient = {"W_a": jnp.asarray(g[:2]), "bias_a": jnp.asarray(g[2:])}
        updates, state = optimizer.update(gradient, state, params)
        params = optax.apply_updates(params, updates)
        trajectory.append(np.r_[params["W_a"], params["bias_a"]])
    return trajectory


def sgd(rates, gradients=GRADIENTS):
    w = START
    for rate, g in zip(rates, gradients, strict=True):
        w = w - rate * g
        yield w


def momentum(rates, gradients=GRADIENTS, mu=0.9):
    w, velocity = START, 0
    for rate, g in zip(rates, gradients, strict=True):
        velocity = mu * velocity + g
        w = w - rate * velocity
        yield w


def adam(rates, gradients=GRADIENTS, weight_decay=0.0, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """``weight_decay`` is one number, or one for each parameter."""
    w, m, v = START, 0, 0
    for t, (rate, g) in enumerate(zip(rates, gradients, strict=True), start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        w = w - rate * (m_hat / (np.sqrt(v_hat) + epsilon) + weight_decay * w)
        yield w


def rmsprop(rates, gradients=GRADIENTS, decay=0.9, epsilon=1e-8, root=False, initial=0.0):
    w, v = START, initial
    for rate, g in zip(rates, gradients, strict=True):
        v = decay * v + (1 - decay) * g**2
        w = w - rate * g / (np.sqrt(v + epsilon) if root else np.sqrt(v) + epsilon)
        yield w


# As options of a config, and as those of the loops above. The parameters of ``library_trajectory``
# are two of a kernel and three of a bias.
MOMENTS = {"beta1": 0.5, "beta2": 0.6, "epsilon": 0.01}
NO_BIASES = [0.2, 0.2, 0, 0, 0]
OPTIMIZERS = {
    "sgd": ({}, sgd),
    "momentum": ({}, functools.partial(momentum, mu=0.9)),
    "momentum 0.5": ({"momentum": 0.5}, functools.partial(momentum, mu=0.5)),
    "adam": ({}, adam),
    "adam moments": (MOMENTS, functools.partial(adam, **MOMENTS)),
    "adamw": ({}, functools.partial(adam, weight_decay=1e-4)),
    "adamw 0.2": ({"weight_decay": 0.2}, functools.partial(adam, weight_decay=0.2)),
    "adamw moments": (MOMENTS, functools.partial(adam, weight_decay=1e-4, **MOMENTS)),
    "adamw kernels": (
        {"weight_decay": 0.2, "decay_biases": False},
        functools.partial(adam, weight_decay=np.array(NO_BIASES)),
    ),
    "rmsprop": ({}, rmsprop),
    "rmsprop 0.5": ({"decay": 0.5}, functools.partial(rmsprop, decay=0.5)),
    "rmsprop epsilon": ({"epsilon": 0.01}, functools.partial(rmsprop, epsilon=0.01)),
    "rmsprop root": ({"epsilon_in_root": True}, functools.partial(rmsprop, root=True)),
    "rmsprop root epsilon": (
        {"epsilon_in_root": True, "epsilon": 1e-4},
        functools.partial(rmsprop, root=True, epsilon=1e-4),
    ),
    "rmsprop initial": (
        {"initial_mean": 1e-3, "epsilon": 1e-20},
        functools.partial(rmsprop, initial=1e-3, epsilon=0),
    ),
}
SCHEDULES = {
    "constant": ("constant", [RATE] * STEPS),
    "cosine": ("cosine", [RATE * (1 + np.cos(np.pi * s / STEPS)) / 2 for s in range(STEPS)]),
    "warmup": ({"kind": "warmup", "steps": 4}, [RATE * min(s / 4, 1) for s in range(STEPS)]),
    "warmup 100": ("warmup", [RATE * s / 100 for s in range(STEPS)]),
}


def assert_same_trajectory(actual, expected, rtol=1e-6):
    np.testing.assert_allclose(actual, list(expected), rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("size", [1.0, 1e-6, 1e-9])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_against_its_equations(name, size):
    """Also with gradients so small that ε, and its place, decide."""
    options, literal = OPTIMIZERS[name]
    optimizer = {"kind": name.partition(" ")[0]} | options
    actual = library_trajectory(size * GRADIENTS, optimizer=optimizer)
    assert_same_trajectory(actual, literal([RATE] * STEPS, size * GRADIENTS))


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule_against_its_equation(name, optimizer):
    schedule, rates = SCHEDULES[name]
    actual = library_trajectory(optimizer=optimizer, schedule=schedule)
    assert_same_trajectory(actual, OPTIMIZERS[optimizer][1](rates), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("sgd", {}),
        ("momentum", {}),
        ("adam", {}),
        ("adamw", {}),
        ("rmsprop", {}),
        ("rmsprop epsilon", {"decay": 0.99, "epsilon": 1e-4}),
    ],
)
def test_optimizer_against_pytorch(name, options):
    """Golden numbers of make_golden.py."""
    golden = np.load(Path(__file__).parent / "golden" / "optimizers.npz")
    np.testing.assert_array_equal(golden["start"], START)
    np.testing.assert_array_equal(golden["gradients"], GRADIENTS)
    optimizer = {"kind": name.partition(" ")[0]} | options
    for size, expected in zip(golden["sizes"], golden[name], strict=True):
        actual = library_trajectory(size * GRADIENTS, optimizer=optimizer)
        assert_same_trajectory(actual, expected)


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if "adamw" not in name])
def test_a_gradient_that_has_always_been_zero_moves_nothing(name):
    optimizer = {"kind": name.partition(" ")[0]} | OPTIMIZERS[name][0]
    with jax.enable_x64(False):
        made = make_optimizer(Training(optimizer=optimizer))
        zero = jnp.zeros(2)
        state = made.init(zero)
        for _ in range(2000):  # an initial mean of squares underflows meanwhile
            updates, state = step(made, zero, state)
    np.testing.assert_array_equal(updates, 0)


@functools.partial(jax.jit, static_argnums=0)
def step(optimizer, gradient, state):
    return optimizer.update(gradient, state, gradient)


@pytest.mark.parametrize("is_stacked", [False, True])
def test_biases_of_every_layer_and_of_the_readout_may_be_left_alone(is_stacked):
    layer = LSTM(hidden=2, forget_bias="chrono", t_max=9, layers=1 + is_stacked)
    params = Objective(layer, Adding()).init(jax.random.key(0))
    zeros = jax.tree.map(jnp.zeros_like, params)
    training = {"steps": 1, "learning_rate": 0.5}
    shrunk = {}
    for decay_biases in (True, False):
        optimizer = {"kind": "adamw", "weight_decay": 0.1, "decay_biases": decay_biases}
        made = make_optimizer(Training(optimizer=optimizer, **training))
        updates, _ = made.update(zeros, made.init(params), params)
        after = optax.apply_updates(params, updates)
        shrunk[decay_biases] = {
            jax.tree_util.keystr(path): np.asarray(leaf)
            for path, leaf in jax.tree_util.tree_leaves_with_path(after)
        }
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        name = jax.tree_util.keystr(path)
        np.testing.assert_allclose(shrunk[True][name], 0.95 * leaf, rtol=1e-12)
        factor = 1 if "bias" in name else 0.95
        np.testing.assert_allclose(shrunk[False][name], factor * leaf, rtol=1e-12)
    assert sum("bias" in name for name in shrunk[False]) == 4 * layer.layers + 1


def test_warmup_starts_at_zero():
    first = library_trajectory(optimizer="sgd", schedule="warmup")[0]
    np.testing.assert_array_equal(first, START)


def clipped(g, clip_value=None, clip_norm=None):
    if clip_value is not None:
        g = np.clip(g, -clip_value, clip_value)
    if clip_norm is not None:
        g = g * min(1, clip_norm / np.linalg.norm(g))
    return g


@pytest.mark.parametrize(
    "clipping",
    [
        {"clip_value": 0.5},
        {"clip_norm": 0.5},
        {"clip_norm": 1e6},
        {"clip_value": 1e6},
        {"clip_value": 0.5, "clip_norm": 0.7},
        {},
    ],
    ids=str,
)
def test_clipping_is_by_value_then_by_global_norm(clipping):
    gradients = [clipped(g, **clipping) for g in GRADIENTS]
    actual = library_trajectory(optimizer="sgd", **clipping)
    assert_same_trajectory(actual, sgd([RATE] * STEPS, gradients))


def test_clipping_comes_before_the_optimizer():
    actual = library_trajectory(optimizer="adam", clip_value=1e-9)
    assert np.abs(actual[0] - START).max() < 0.1 * RATE


def test_clipping_leaves_a_zero_gradient_zero():
    (after,) = library_trajectory(np.zeros((1, 5)), optimizer="sgd", clip_value=1.0, clip_norm=1.0)
    np.testing.assert_array_equal(after, START)


def test_clipping_by_norm_keeps_the_direction_of_a_gradient_whose_square_overflows():
    optimizer = make_optimizer(Training(optimizer="sgd", learning_rate=1.0, clip_norm=1.0))
    gradient = jnp.array([3e30, 4e30], dtype=jnp.float32)
    updates, _ = optimizer.update(gradient, optimizer.init(gradient), gradient)
    np.testing.assert_allclose(updates, [-0.6, -0.8], rtol=1e-6)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("optimizer", "adm"),
        ("optimizer", {"kind": "sgd", "momentum": 0.9}),
        ("optimizer", {"kind": "momentum", "momentum": 1.0}),
        ("optimizer", {"kind": "momentum", "momentum": -0.1}),
        ("optimizer", {"kind": "rmsprop", "decay": 1.0}),
        ("optimizer", {"kind": "rmsprop", "epsilon": 0.0}),
        ("optimizer", {"kind": "rmsprop", "epsilon_in_root": 1}),
        ("optimizer", {"kind": "rmsprop", "initial_mean": -1e-3}),
        ("optimizer", {"kind": "adam", "beta1": 1.0}),
        ("optimizer", {"kind": "adam", "beta2": -0.1}),
        ("optimizer", {"kind": "adam", "epsilon": 0.0}),
        ("optimizer", {"kind": "adam", "epsilon": float("inf")}),
        ("optimizer", {"kind": "adam", "decay_biases": False}),
        ("optimizer", {"kind": "adamw", "decay_biases": 0.5}),
        ("optimizer", {"kind": "adamw", "weight_decay": -1.0}),
        ("optimizer", {"kind": "adamw", "weight_decay": float("inf")}),
        ("optimizer", {}),
        ("optimizer", None),
        ("schedule", "linear"),
        ("schedule", {"kind": "warmup", "steps": 0}),
        ("schedule", {"kind": "cosine", "steps": 10}),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("clip_norm", 0.0),
        ("clip_value", -1.0),
    ],
)
def test_refuses(key, value):
    with pytest.raises(UserError, match=key):
        Training(**{key: value})
