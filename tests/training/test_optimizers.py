import jax.numpy as jnp
import numpy as np
import optax
import pytest
from pydantic import ValidationError

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
    params = {"a": jnp.asarray(START[:2]), "b": jnp.asarray(START[2:])}
    state, trajectory = optimizer.init(params), []
    for g in gradients:
        gradient = {"a": jnp.asarray(g[:2]), "b": jnp.asarray(g[2:])}
        updates, state = optimizer.update(gradient, state, params)
        params = optax.apply_updates(params, updates)
        trajectory.append(np.r_[params["a"], params["b"]])
    return trajectory


def sgd(rates, gradients=GRADIENTS):
    w = START
    for rate, g in zip(rates, gradients, strict=True):
        w = w - rate * g
        yield w


def momentum(rates, mu):
    w, velocity = START, 0
    for rate, g in zip(rates, GRADIENTS, strict=True):
        velocity = mu * velocity + g
        w = w - rate * velocity
        yield w


def adam(rates, weight_decay=0.0, beta1=0.9, beta2=0.999, epsilon=1e-8):
    w, m, v = START, 0, 0
    for t, (rate, g) in enumerate(zip(rates, GRADIENTS, strict=True), start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        w = w - rate * (m_hat / (np.sqrt(v_hat) + epsilon) + weight_decay * w)
        yield w


def rmsprop(rates, decay, epsilon=1e-8):
    w, v = START, 0
    for rate, g in zip(rates, GRADIENTS, strict=True):
        v = decay * v + (1 - decay) * g**2
        w = w - rate * g / np.sqrt(v + epsilon)
        yield w


OPTIMIZERS = {
    "sgd": ("sgd", sgd),
    "momentum": ("momentum", lambda rates: momentum(rates, mu=0.9)),
    "momentum 0.5": ({"kind": "momentum", "momentum": 0.5}, lambda r: momentum(r, mu=0.5)),
    "adam": ("adam", adam),
    "adamw": ("adamw", lambda rates: adam(rates, weight_decay=1e-4)),
    "adamw 0.2": ({"kind": "adamw", "weight_decay": 0.2}, lambda r: adam(r, weight_decay=0.2)),
    "rmsprop": ("rmsprop", lambda rates: rmsprop(rates, decay=0.9)),
    "rmsprop 0.5": ({"kind": "rmsprop", "decay": 0.5}, lambda rates: rmsprop(rates, decay=0.5)),
}
SCHEDULES = {
    "constant": ("constant", [RATE] * STEPS),
    "cosine": ("cosine", [RATE * (1 + np.cos(np.pi * s / STEPS)) / 2 for s in range(STEPS)]),
    "warmup": ({"kind": "warmup", "steps": 4}, [RATE * min(s / 4, 1) for s in range(STEPS)]),
    "warmup 100": ("warmup", [RATE * s / 100 for s in range(STEPS)]),
}


def assert_same_trajectory(actual, expected, rtol=1e-6):
    np.testing.assert_allclose(actual, list(expected), rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_against_its_equations(name):
    optimizer, literal = OPTIMIZERS[name]
    assert_same_trajectory(library_trajectory(optimizer=optimizer), literal([RATE] * STEPS))


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule_against_its_equation(name, optimizer):
    schedule, rates = SCHEDULES[name]
    actual = library_trajectory(optimizer=optimizer, schedule=schedule)
    assert_same_trajectory(actual, OPTIMIZERS[optimizer][1](rates), rtol=1e-5)


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
    with pytest.raises(ValidationError, match=key):
        Training(**{key: value})
