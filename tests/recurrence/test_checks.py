"""A cell that breaks a promise is told so by name, before anything is computed."""

from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from general_states import ComplexDiagonal, ComplexState, Delta, TwoShapes
from jax import lax
from jax.nn import sigmoid
from jaxtyping import Array

from rnnlab import (
    LSTM,
    HiddenState,
    LSTMState,
    VanillaRNN,
    gradient_flow,
    jacobians,
    lyapunov_exponents,
    sensitivity,
    unroll,
)
from rnnlab.cells.inheritance import holds_for
from rnnlab.recurrence.stack import Method, as_inputs, unroll_observed

TIME, BATCH, FEATURES = 4, 3, 2


class ComplexOutput(ComplexDiagonal):
    def output(self, state):
        return state.z


class MatrixOutput(Delta):
    def output(self, state):
        return state.S


class NoOutput(ComplexDiagonal):
    output = LSTM.output


class RealStart(ComplexDiagonal):
    def initial_state(self, batch):
        return ComplexState(jnp.zeros((batch, self.hidden)))


class WrongWidth(VanillaRNN):
    def initial_state(self, batch):
        return HiddenState(jnp.zeros((batch, self.hidden + 1)))


class TupleStart(LSTM):
    def initial_state(self, batch):
        return (jnp.zeros((batch, self.hidden)),) * 2


class TupleStep(LSTM):
    def step(self, params, state, x, observe=lambda name, value: value):
        return tuple(super().step(params, state, x, observe))


class OtherCarry(Delta):
    carry: ClassVar = "q"


class GateOfParameters(VanillaRNN):
    """Its gate is the same for all examples, and has no batch axis."""

    def step(self, params, state, x, observe=lambda name, value: value):
        k = observe("k", sigmoid(params["bias_h"]))
        new = super().step(params, state, x)
        return HiddenState(observe("h", k * state.h + (1 - k) * new.h))


MISTAKES = {
    ComplexOutput: r"ComplexOutput\.output must return real numbers \(batch, features\), got comp",
    MatrixOutput: r"MatrixOutput\.output must return real numbers .* got real \(3, 2, 4\)",
    NoOutput: r"NoOutput has no state h: write output\(state\)",
    RealStart: r"RealStart: initial_state makes z real \(3, 3\), and step makes it comp",
    TupleStart: r"TupleStart\.initial_state must return a LSTMState, got a tuple",
    TupleStep: r"TupleStep\.step must return a LSTMState, got a tuple",
    OtherCarry: r"OtherCarry\.carry is 'q', and the state has S, h",
}


def arguments(cell):
    params = cell.init(jax.random.key(0), FEATURES)
    return params, jax.random.normal(jax.random.key(1), (TIME, BATCH, FEATURES))


@pytest.mark.parametrize("kind", MISTAKES, ids=lambda kind: kind.__name__)
def test_a_broken_promise(kind):
    cell = kind(hidden=4) if kind is MatrixOutput else kind(hidden=3)
    with pytest.raises(ValueError, match=MISTAKES[kind]):
        unroll(cell, *arguments(cell))


def test_a_value_without_a_batch_axis_is_not_taken_for_one_with_it():
    cell = GateOfParameters(hidden=5)
    message = r"observe\('k', …\) takes values \(batch, …\), here batch 3, got shape \(5,\)"
    with pytest.raises(ValueError, match=message):
        jacobians(cell, *arguments(cell))


class Counted(NamedTuple):
    h: Array
    steps: Array


class Counting(VanillaRNN):
    State: ClassVar = Counted

    def initial_state(self, batch):
        return Counted(jnp.zeros((batch, self.hidden)), jnp.zeros((batch, 1), int))

    def step(self, params, state, x, observe=lambda name, value: value):
        new = super().step(params, HiddenState(state.h), x, observe)
        return Counted(new.h, observe("steps", state.steps + 1))


class Signs(VanillaRNN):
    def step(self, params, state, x, observe=lambda name, value: value):
        return HiddenState(observe("h", super().step(params, state, x).h > 0))


QUANTITIES = {
    "unroll": unroll,
    "gradient_flow": lambda *given: gradient_flow(*given, lambda outputs: outputs.sum((0, 2))),
    "jacobians": jacobians,
    "sensitivity": sensitivity,
    "lyapunov_exponents": lyapunov_exponents,
}


@pytest.mark.parametrize("of", QUANTITIES)
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Counting, r"Counting\.initial_state makes steps int32 \(3, 1\): every part of the state"),
        (Signs, r"Signs: initial_state makes h real \(3, 4\), and step makes it bool \(3, 4\)"),
    ],
)
def test_a_state_of_whole_numbers_has_no_derivative(of, kind, message):
    cell = kind(hidden=4)
    with pytest.raises(ValueError, match=message):
        QUANTITIES[of](cell, *arguments(cell))


@pytest.mark.parametrize("of", QUANTITIES)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda inputs: inputs * 1j, "inputs must be real numbers, got complex"),
        (lambda inputs: np.asarray(inputs).astype(object), "inputs must be real numbers, got obj"),
        (
            lambda inputs: np.asarray(inputs, np.float64) * np.where(inputs > 0, 1e39, 1),
            r"inputs: \d+ of 24 numbers are too large for float32",
        ),
    ],
)
def test_inputs_that_would_change_without_a_word(monkeypatch, of, change, message):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    cell = LSTM(hidden=3)
    params, inputs = arguments(cell)
    with pytest.raises(ValueError, match=message):
        QUANTITIES[of](cell, params, change(inputs))


def test_inputs_of_whole_numbers_and_of_numpy():
    cell = LSTM(hidden=3)
    params, _ = arguments(cell)
    inputs = np.arange(TIME * BATCH * FEATURES).reshape(TIME, BATCH, FEATURES)
    expected = unroll(cell, params, jnp.asarray(inputs, dtype=float))
    for same in (inputs > 5, inputs, inputs.astype(np.float64), inputs.astype(np.uint8)):
        found = unroll(cell, params, as_inputs(same))
        if same.dtype != bool:
            jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_an_initial_state_that_is_none():
    cell = LSTM(hidden=3)
    params, inputs = arguments(cell)
    zeros = jnp.zeros((BATCH, 3))
    with pytest.raises(ValueError, match="initial_state must be a LSTMState, got a tuple"):
        unroll(cell, params, inputs, (zeros, zeros))
    for other, dtype in ((zeros * 1j, "complex64"), (zeros.astype(int), "int32")):
        with pytest.raises(ValueError, match=rf"initial_state\.c must be real, got {dtype}"):
            unroll(cell, params, inputs, LSTMState(zeros, other))
    cell = ComplexDiagonal()
    with pytest.raises(ValueError, match=r"initial_state\.z must be complex, got float32"):
        unroll(cell, *arguments(cell), ComplexState(jnp.zeros((BATCH, cell.hidden))))


class ScalarGate(TwoShapes):
    """One f for all entries of m: a gate with fewer axes than the carry."""

    def step(self, params, state, x, observe=lambda name, value: value):
        f = observe("f", sigmoid(x[:, :1].repeat(2, 1)))
        n = jnp.tanh(x @ params["W_n"]).reshape(state.m.shape)
        m = observe("m", f[..., None] * state.m + (1 - f[..., None]) * n)
        return type(state)(observe("h", jnp.tanh(m[:, 0] * m[:, 1])), m)


@pytest.mark.parametrize("batch", [2, 3])
def test_a_gate_with_fewer_axes_than_the_carry(batch):
    """At a batch of 2 its axes could be taken for others of the carry, which is (2, 2) too."""
    cell = ScalarGate(hidden=2)
    params = cell.init(jax.random.key(0), FEATURES)
    inputs = jax.random.normal(jax.random.key(1), (TIME, batch, FEATURES))
    j = jacobians(cell, params, inputs)
    np.testing.assert_allclose(j.direct, j.total, atol=1e-6)
    found = sensitivity(cell, params, inputs)
    np.testing.assert_allclose(found.log10_direct, found.log10_total, atol=1e-5)


class LinearUnit(ComplexDiagonal):
    """λ is exp of a complex parameter, as many as there are examples."""

    def λ(self, params):
        return jnp.exp(lax.complex(-jnp.exp(params["ν"]), params["θ"]))


class ComplexGate(ComplexDiagonal):
    """A complex exponential of the input at every step."""

    def step(self, params, state, x, observe=lambda name, value: value):
        turn = jnp.exp(1j * x[:, :1])
        return ComplexState(observe("z", self.λ(params) * turn * state.z + x @ params["B"]))


@pytest.mark.parametrize("kind", [LinearUnit, ComplexGate])
def test_complex_values_that_the_fused_recurrence_keeps(kind):
    cell = kind(hidden=BATCH)
    params, inputs = arguments(cell)

    def loss(output):
        return (output[-1] ** 2).sum(-1)

    def total(params):
        states = unroll_observed(cell, params, inputs, method=Method("plain")).states
        return loss(jax.vmap(cell.output)(jax.tree.map(lambda a: a[0], states))).sum()

    found = gradient_flow(cell, params, inputs, loss).params
    expected = jax.tree.map(jnp.conj, jax.grad(total)(params))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4), found, expected)


class AnotherStep(ComplexDiagonal):
    def step(self, params, state, x, observe=lambda name, value: value):
        return super().step(params, state, jnp.tanh(x), observe)


class AnotherPath(LSTM):
    direct: ClassVar = "f"

    def direct_path(self, params, seen, carry):
        return 0.5 * carry


def test_a_fact_about_a_step_does_not_hold_for_another_step():
    assert holds_for(ComplexDiagonal(), "parallel_scan", "step")
    assert not holds_for(AnotherStep(), "parallel_scan", "step")
    assert not holds_for(Delta(), "parallel_scan", "step")
    params, inputs = arguments(cell := AnotherStep(hidden=4))
    with pytest.raises(ValueError, match="AnotherStep has no parallel_scan"):
        unroll_observed(cell, params, inputs, method=Method("parallel"))
    params, inputs = arguments(cell := AnotherPath(hidden=4))
    j = jacobians(cell, params, inputs)
    np.testing.assert_allclose(j.direct, np.broadcast_to(0.5 * np.eye(4), j.direct.shape))
