"""A cell or a loss that mixes examples is refused where numbers of one example are asked for."""

import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from general_states import ComplexDiagonal, Delta
from jax import lax

import rnnlab
from rnnlab import (
    GRU,
    LSTM,
    HiddenState,
    VanillaRNN,
    gradient_flow,
    jacobians,
    lyapunov_exponents,
    sensitivity,
    unroll,
)
from rnnlab.recurrence.own_cells import check_own_cell

TIME, BATCH, FEATURES = 4, 3, 2


class Own(VanillaRNN):
    """h_t = tanh(mixed(x_t W + h_{t−1} U + b)); here nothing is mixed."""

    def mixed(self, a):
        return a

    def step(self, params, state, x, observe=lambda name, value: value):
        a = self.mixed(x @ params["W_h"] + state.h @ params["U_h"] + params["bias_h"])
        return HiddenState(observe("h", jnp.tanh(a)))


class BatchNorm(Own):
    def mixed(self, a):
        return (a - a.mean(0)) / jnp.sqrt(a.var(0) + 1e-5)


class HeldBatchNorm(Own):
    """What others contribute is not differentiated, and still enters the values."""

    def mixed(self, a):
        return a - lax.stop_gradient(a.mean(0))


class Slightly(Own):
    def mixed(self, a):
        return a + 0.01 * a.mean(0)


class Neighbour(Own):
    def mixed(self, a):
        return jnp.roll(a, 1, axis=0)


class FromTheLast(Own):
    def mixed(self, a):
        return a.at[0].add(a[-1])


class Sorted(Own):
    def mixed(self, a):
        return jnp.sort(a, axis=0)


class MixedOutput(Own):
    def output(self, state):
        return state.h - state.h.mean(0)


class LayerNorm(Own):
    def mixed(self, a):
        return (a - a.mean(-1, keepdims=True)) / jnp.sqrt(a.var(-1, keepdims=True) + 1e-5)


class Noisy(Own):
    """Each example has noise of its own, the same at every step."""

    def mixed(self, a):
        return a + jax.random.normal(jax.random.key(3), a.shape)


class NumPysNoise(Own):
    def mixed(self, a):
        return a + np.random.default_rng().normal(size=a.shape)


class NumPysInit(Own):
    def init(self, key, input_size):
        params = super().init(key, input_size)
        return params | {"bias_h": np.random.default_rng().normal(size=self.hidden)}


MIXING = [BatchNorm, HeldBatchNorm, Slightly, Neighbour, FromTheLast, Sorted, MixedOutput]
SEPARATE = [Own, LayerNorm, Noisy, ComplexDiagonal, Delta, LSTM, GRU, VanillaRNN]


def arguments(cell, batch=BATCH):
    params = cell.init(jax.random.key(0), FEATURES)
    return params, jax.random.normal(jax.random.key(1), (TIME, batch, FEATURES))


def own_loss(outputs):
    return (outputs[-1] ** 2).sum(-1)


QUANTITIES = {
    "gradient_flow": lambda *given: gradient_flow(*given, own_loss),
    "jacobians": jacobians,
    "sensitivity": sensitivity,
    "lyapunov_exponents": lyapunov_exponents,
}


@pytest.mark.usefixtures("float64")
def test_why_a_number_of_one_example_would_be_wrong():
    """∂h_t/∂h_{t−1} of an example, moved together with the others, is not that of it alone."""
    cell = BatchNorm(hidden=1)
    params, inputs = arguments(cell)
    h = jnp.array([[0.3], [-0.5], [0.9]])

    def first(value):
        after = cell.step(params, HiddenState(h.at[0, 0].set(value)), inputs[0])
        return after.h[1, 0]

    slope = (first(0.3 + 1e-6) - first(0.3 - 1e-6)) / 2e-6
    assert abs(slope) > 0.1


@pytest.mark.parametrize("of", QUANTITIES)
@pytest.mark.parametrize("batch", [1, BATCH])
def test_a_batch_norm_is_refused_by_each_quantity(of, batch):
    cell = BatchNorm(hidden=3)
    params, inputs = arguments(cell, batch)
    with pytest.raises(
        ValueError, match=r"BatchNorm\.step mixes examples: .*test_own_cells\.py, l"
    ):
        QUANTITIES[of](cell, params, inputs)
    assert np.isfinite(unroll(cell, params, inputs).h).all()


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", MIXING, ids=lambda kind: kind.__name__)
def test_every_kind_of_mixing(kind, layers):
    cell = kind(hidden=3, layers=layers)
    with pytest.raises(ValueError, match=f"{kind.__name__}.step mixes examples"):
        check_own_cell(cell, *arguments(cell))


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", SEPARATE, ids=lambda kind: kind.__name__)
def test_cells_that_mix_nothing(kind, layers):
    cell = kind(hidden=4, layers=layers)
    check_own_cell(cell, *arguments(cell))


def test_noise_of_numpy():
    cell = NumPysNoise(hidden=3)
    with pytest.raises(ValueError, match=r"NumPysNoise\.step draws numbers with NumPy or Python"):
        check_own_cell(cell, *arguments(cell))


def test_within_compiled_code_nothing_is_checked():
    cell = BatchNorm(hidden=3)
    params, inputs = arguments(cell)
    jax.jit(lambda params: gradient_flow(cell, params, inputs, own_loss).loss)(params)


def test_constants_within_compiled_code_are_checked():
    cell = Own(hidden=3)
    params, inputs = arguments(cell)
    found = jax.jit(lambda: gradient_flow(cell, params, inputs, own_loss).loss)()
    np.testing.assert_allclose(found, gradient_flow(cell, params, inputs, own_loss).loss, rtol=1e-6)


# Losses.


def test_a_loss_of_each_step_with_as_many_steps_as_examples():
    cell = LSTM(hidden=3)
    params, inputs = arguments(cell, batch=TIME)
    message = "loss must return each example's own loss, and one of them depends on the output of"
    with pytest.raises(ValueError, match=message):
        gradient_flow(cell, params, inputs, lambda outputs: outputs.sum((1, 2)))
    found = gradient_flow(cell, params, inputs, lambda outputs: outputs.sum((0, 2)))
    assert np.isfinite(found.log10_norm["c"]).all()


def test_a_loss_relative_to_the_batch():
    cell = VanillaRNN(hidden=3)
    with pytest.raises(ValueError, match="loss must return each example's own loss"):
        gradient_flow(
            cell,
            *arguments(cell),
            lambda outputs: own_loss(outputs - outputs.mean(1, keepdims=True)),
        )


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("BatchNorm", "BatchNorm.step mixes examples"),
        ("NumPysInit", "NumPysInit.init draws numbers that do not come from its key"),
    ],
)
def test_a_run_is_told_before_it_trains(tmp_path, kind, message):
    shutil.copy(__file__, tmp_path)
    config = tmp_path / "own.yaml"
    config.write_text(
        "task: {kind: adding, length: 6}\n"
        f"cell: {{kind: test_own_cells.py:{kind}}}\n"
        "training: {steps: 20, batch: 8}"
    )
    results = rnnlab.run(config, out=tmp_path / "out")
    (error,) = results.runs["error"]
    assert message in error
    assert "test_own_cells.py, line" in error
