"""Against eigenvalues, determinants, closed forms of random matrices, and QR in numpy."""

from fractions import Fraction
from functools import partial

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.special import digamma

from rnnlab import (
    GRU,
    LSTM,
    Cell,
    HiddenState,
    VanillaRNN,
    jacobians,
    lyapunov_exponents,
    unroll,
)
from rnnlab.gradients.lyapunov import log_growth
from rnnlab.gradients.settled import long_run

BATCH, FEATURES, HIDDEN = 2, 3, 4


def normal(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape)


def arguments(cell, time):
    """Parameters with random biases, inputs and an initial state."""
    params = cell.init(jax.random.key(0), FEATURES)
    leaves, tree = jax.tree.flatten(params)
    leaves = [v + normal(n, *v.shape) * (v.ndim == 1) for n, v in enumerate(leaves)]
    shape = (BATCH, HIDDEN) if cell.layers == 1 else (cell.layers, BATCH, HIDDEN)
    state = cell.State(*(normal(100 + n, *shape) for n in range(len(cell.State._fields))))
    return jax.tree.unflatten(tree, leaves), normal(99, time, BATCH, FEATURES), state


def close(actual, expected, atol):
    np.testing.assert_allclose(actual, np.broadcast_to(expected, actual.shape), rtol=0, atol=atol)


def layer_of(tree, index):
    return jax.tree.map(lambda leaf: leaf[index], tree)


def descending(x):
    return np.sort(x, axis=-1)[..., ::-1]


class Given(Cell):
    """h_t = J_t h_{t−1} with J_t the input."""

    def init(self, key, input_size):
        return {}

    def step(self, params, state, x, observe=lambda name, value: value):
        J = x.reshape(-1, self.hidden, self.hidden)
        return HiddenState(observe("h", jnp.einsum("bij,bj->bi", J, state.h)))


class Scalar(Cell):
    """h_t = λ h_{t−1} + x_t."""

    def init(self, key, input_size):
        return {"λ": jnp.array(0.9)}

    def step(self, params, state, x, observe=lambda name, value: value):
        return HiddenState(observe("h", params["λ"] * state.h + x))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("n", "time", "batch"), [(4, 1000, 200), (8, 4000, 10)])
def test_products_of_gaussian_matrices(n, time, batch):
    inputs = normal(n, time, batch, n * n) / n**0.5
    e = lyapunov_exponents(Given(hidden=n), {}, inputs)
    expected = (digamma((n - np.arange(n)) / 2) + np.log(2 / n)) / 2
    across = np.std(e.exponents, axis=0, ddof=1)
    z = (np.mean(e.exponents, axis=0) - expected) / (across / batch**0.5)
    assert np.abs(z).max() < 4
    is_settled = np.isfinite(e.asymptotic)
    assert is_settled.mean() > 0.8
    is_covered = (e.low < expected) & (expected < e.high)
    assert 0.9 < is_covered[is_settled].mean() <= (0.97 if batch > 100 else 1)


@pytest.mark.usefixtures("float64")
def test_period_of_three_matrices_in_this_order():
    time, (A, B, C) = 3000, np.array(normal(5, 3, 4, 4))
    given = np.tile(np.reshape([A, B, C], (3, 1, 16)), (time // 3, 1, 1))
    by_order = [np.log(np.abs(np.linalg.eigvals(P))) / 3 for P in (C @ B @ A, A @ B @ C)]
    expected, other = (descending(logarithms) for logarithms in by_order)
    assert np.abs(expected - other).max() > 0.1
    close(lyapunov_exponents(Given(hidden=4), {}, jnp.array(given)).exponents, expected, 10 / time)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("bias", [0.0, 0.5])
def test_fixed_point_of_a_network_without_inputs(bias):
    time, cell = 2000, VanillaRNN(hidden=6, recurrent_gain=0.9, recurrent_kernel="uniform")
    params = cell.init(jax.random.key(3), FEATURES)
    params["bias_h"] = bias * normal(1, 6)
    inputs = jnp.zeros((time, 1, FEATURES))
    h = np.array(unroll(cell, params, inputs).h[-1, 0])
    eigenvalues = np.linalg.eigvals(np.diag(1 - h**2) @ np.array(params["U_h"]).T)
    assert np.abs(eigenvalues).max() < 1
    assert (h != 0).all() == (bias != 0)
    # The basis turns within the plane of a complex pair: a bounded sum, divided by the steps.
    exponents = lyapunov_exponents(cell, params, inputs).exponents
    close(exponents, descending(np.log(np.abs(eigenvalues))), atol=10 / time)


def at_zero(cell):
    """Parameters whose biases are random but those of the candidate, and their gates at h = 0."""
    params = cell.init(jax.random.key(0), FEATURES)
    for n, name in enumerate(k for k in params if k.startswith("bias")):
        params[name] = normal(n, HIDDEN) * (name not in ("bias_g", "bias_n", "bias_hn"))
    numbers = jax.tree.map(np.array, params)
    gates = [1 / (1 + np.exp(-numbers[f"bias_{k}"])) for k in cell.gates]
    return params, numbers, [np.diag(gate) for gate in gates]


@pytest.mark.usefixtures("float64")
def test_zero_state_of_an_lstm():
    params, numbers, (i, f, o) = at_zero(cell := LSTM(hidden=HIDDEN, recurrent_gain=1.5))
    e = lyapunov_exponents(cell, params, jnp.zeros((2000, BATCH, FEATURES)))
    eigenvalues = np.linalg.eigvals(f + i @ numbers["U_g"].T @ o)
    close(e.exponents[:, :HIDDEN], descending(np.log(np.abs(eigenvalues))), atol=5e-3)
    assert (e.exponents[:, HIDDEN:] == -np.inf).all()
    assert np.isnan(e.asymptotic[:, HIDDEN:]).all()


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("reset", "name"), [("before", "U_n"), ("after", "U_hn")])
def test_zero_state_of_a_gru(reset, name):
    params, numbers, (r, z) = at_zero(cell := GRU(hidden=HIDDEN, reset=reset, recurrent_gain=1.5))
    e = lyapunov_exponents(cell, params, jnp.zeros((2000, BATCH, FEATURES)))
    through_n = (np.eye(HIDDEN) - z) @ (
        numbers[name].T @ r if reset == "before" else r @ numbers[name].T
    )
    close(e.exponents, descending(np.log(np.abs(np.linalg.eigvals(z + through_n)))), atol=5e-3)


def mean_field_exponent(g):
    """½ ln(g²⟨φ'²⟩) at the variance Δ = g²⟨φ²⟩ of the inputs (Molgedey et al. 1992)."""
    z, weight = np.polynomial.hermite_e.hermegauss(100)
    weight = weight / weight.sum()
    variance = 1.0
    for _ in range(1000):
        variance = g**2 * weight @ np.tanh(variance**0.5 * z) ** 2
    return np.log(g**2 * weight @ np.cosh(variance**0.5 * z) ** -4) / 2


def test_chaos_of_a_large_network_is_that_of_the_mean_field():
    n, time, g = 400, 500, 2.0
    cell = VanillaRNN(hidden=n)
    params = cell.init(jax.random.key(0), 1) | {"U_h": g * normal(1, n, n) / n**0.5}
    state, inputs = HiddenState(normal(2, 2, n)), jnp.zeros((time, 2, 1))
    e = lyapunov_exponents(cell, params, inputs, k=1, initial_state=state)
    close(e.exponents, mean_field_exponent(g), atol=0.03)


DRIVEN = [
    LSTM(hidden=HIDDEN, recurrent_gain=2.0),
    LSTM(hidden=HIDDEN, layers=2),
    GRU(hidden=HIDDEN, recurrent_gain=2.0, reset="before"),
    VanillaRNN(hidden=HIDDEN, layers=2, recurrent_gain=1.5),
]
each_driven = pytest.mark.parametrize("cell", DRIVEN, ids=lambda c: f"{type(c).__name__}{c.layers}")


@pytest.mark.usefixtures("float64")
@each_driven
def test_sum_of_all_is_the_mean_log_determinant(cell):
    args = arguments(cell, time=45)
    j = jacobians(cell, *args)
    log_det = np.linalg.slogdet(j.stack if cell.layers > 1 else j.state).logabsdet
    total = lyapunov_exponents(cell, *args[:2], initial_state=args[2]).exponents.sum(axis=-1)
    close(total, log_det[4:].mean(axis=0), atol=1e-10)


@pytest.mark.usefixtures("float64")
def test_fewer_are_the_greatest_of_all():
    """After so many steps that two bases, which start differently, have turned the same way."""
    args = arguments(cell := DRIVEN[0], time=2000)
    full, two = (lyapunov_exponents(cell, *args[:2], k, args[2]) for k in (None, 2))
    jax.tree.map(lambda a, b: close(b, a[..., :2], atol=1e-4), full, two)
    assert full.exponents.shape == (BATCH, 2 * HIDDEN)
    assert (np.diff(full.exponents) <= 0).all()


@pytest.mark.usefixtures("float64")
def test_linear_scalar():
    cell = Scalar(hidden=1)
    e = lyapunov_exponents(cell, cell.init(jax.random.key(0), 1), normal(0, 100, BATCH, 1))
    close(e.exponents, np.log(0.9), atol=1e-14)
    for end in (e.low, e.asymptotic, e.high):
        close(end, np.log(0.9), atol=1e-14)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("time", [1, 2, 15, 23, 300])
def test_average_is_over_the_steps_after_the_first_tenth(time):
    args = arguments(cell := DRIVEN[2], time)
    e = lyapunov_exponents(cell, *args[:2], initial_state=args[2])
    growth = np.array(log_growth(cell, *args[:2], HIDDEN, args[2])[0])[time // 10 :]
    greatest_first = np.argsort(-growth.mean(axis=0, keepdims=True), axis=-1)
    growth = np.take_along_axis(growth, greatest_first, axis=-1)
    ends = np.cumsum([len(b) for b in np.array_split(growth, min(20, len(growth)))])
    close(e.exponents, growth.mean(axis=0), atol=1e-12)
    close(e.trace, np.array([growth[:end].mean(axis=0) for end in ends]), atol=1e-12)
    np.testing.assert_array_equal(e.trace[-1], e.exponents)
    if time < 20:
        assert np.isnan(e.asymptotic).all()


def test_float32_is_close_to_float64():
    args = arguments(cell := DRIVEN[2], time=1000)
    single = lyapunov_exponents(cell, *args[:2], initial_state=args[2]).exponents
    assert single.dtype == jnp.float32
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda leaf: leaf.astype(float), args)
        double = np.array(lyapunov_exponents(cell, *wide[:2], initial_state=wide[2]).exponents)
    # The basis starts elsewhere in each precision: only the volume is the same at once.
    close(np.array(single, float).sum(axis=-1), double.sum(axis=-1), atol=1e-5)
    close(np.array(single, float), double, atol=0.02)


@pytest.mark.usefixtures("float64")
def test_exponents_of_a_stack_are_those_of_its_layers():
    params, inputs, state = arguments(cell := DRIVEN[3], time=2000)
    alone, layers, read = cell.model_copy(update={"layers": 1}), [], inputs
    for n in range(2):
        of_layer = HiddenState(state.h[n])
        layers.append(lyapunov_exponents(alone, params[n], read, initial_state=of_layer).exponents)
        read = unroll(alone, params[n], read, of_layer).h
    stack = lyapunov_exponents(cell, params, inputs, initial_state=state).exponents
    close(stack, descending(np.concatenate(layers, axis=-1)), atol=0.03)
    close(stack.sum(axis=-1), np.sum(layers, axis=(0, 2)), atol=1e-10)


@pytest.mark.usefixtures("float64")
def test_within_a_compiled_function_of_many_parameters():
    params, inputs, _ = arguments(cell := DRIVEN[2], time=30)
    both = jax.tree.map(lambda leaf: jnp.stack([leaf, 0.5 * leaf]), params)
    found = jax.jit(jax.vmap(lambda p: lyapunov_exponents(cell, p, inputs, k=2)))(both)
    for n in range(2):
        of_one = lyapunov_exponents(cell, layer_of(both, n), inputs, k=2)
        close(found.exponents[n], of_one.exponents, atol=1e-10)


@pytest.mark.default_flags
@pytest.mark.usefixtures("float64")
def test_compiled_is_as_computed_one_operation_at_a_time():
    params = (cell := LSTM(hidden=5)).init(jax.random.key(0), 2)
    inputs = normal(1, 2, 4, 2)
    compiled = lyapunov_exponents(cell, params, inputs)
    with jax.disable_jit():
        expected = lyapunov_exponents(cell, params, inputs)
    jax.tree.map(partial(np.testing.assert_allclose, atol=1e-10), compiled, expected)


# Nothing is lost, however far apart units are


def logit(p):
    return float(np.log(p) - np.log1p(-p))


def uncoupled(kind, keep, low, shut, time):
    """Two units that see no other, whose gates or factors are ``keep``; unit 0's is ``low``, shut.

    An LSTM's f, a GRU's z, or the weight of a relu RNN whose unit is switched off by the input.
    """
    cell = {"lstm": LSTM, "gru": GRU}.get(kind, partial(VanillaRNN, activation="relu"))(hidden=2)
    params = jax.tree.map(jnp.zeros_like, cell.init(jax.random.key(0), 1))
    inputs = np.zeros((time, 1, 1), np.float32)
    inputs[list(shut)] = 1
    if kind == "rnn":
        params |= {"U_h": jnp.diag(jnp.array(keep)), "bias_h": jnp.ones(2)}
        return cell, params | {"W_h": jnp.array([[-100.0, 0.0]])}, jnp.array(inputs)
    gate = {"lstm": "f", "gru": "z"}[kind]
    opened = jnp.array([logit(p) for p in keep])
    params |= {f"bias_{gate}": opened, f"W_{gate}": jnp.array([[logit(low) - opened[0], 0.0]])}
    return cell, params, jnp.array(inputs)


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("kind", ["lstm", "gru"])
@pytest.mark.parametrize("shut", [range(200, 216), range(384, 400)])
def test_a_unit_far_below_carries_the_growth_once_the_gate_of_the_other_shuts(kind, k, shut):
    """Logarithms of 0.5⁴⁰⁰ and of 0.99³⁸⁴ 10⁻¹⁹²: the first is left, and QR had lost its unit."""
    cell, params, inputs = uncoupled(kind, (0.99, 0.5), 1e-12, shut, 400)
    growth = np.array(log_growth(cell, params, inputs, k, None)[0], float).sum(axis=0)[0]
    expected = [400 * np.log(0.5), 384 * np.log(0.99) + 16 * np.log(1e-12)]
    # The first vector starts at an angle to each unit.
    close(np.sort(growth)[::-1], expected[:k], atol=4)
    e = lyapunov_exponents(cell, params, inputs, k).exponents
    assert e[0, 0] * 360 == pytest.approx(expected[0], abs=4)  # steps after the first tenth


@pytest.mark.parametrize("k", [1, 2])
def test_units_thousands_of_decades_apart(k):
    cell, params, inputs = uncoupled("lstm", (0.99, 1e-5), 1e-30, range(1200, 1450), 1500)
    growth = np.array(log_growth(cell, params, inputs, k, None)[0], float).sum(axis=0)[0]
    expected = [1250 * np.log(0.99) + 250 * np.log(1e-30), 1500 * np.log(1e-5)]
    close(growth, sorted(expected)[::-1][:k], atol=5)


def test_exact_zeros_of_a_relu():
    cell, params, inputs = uncoupled("rnn", (0.99, 0.5), 0, [700], 800)
    growth = np.array(log_growth(cell, params, inputs, 2, None)[0], float).sum(axis=0)[0]
    close(growth[:1], 800 * np.log(0.5), atol=4)
    assert growth[1] == -np.inf
    alone = np.array(log_growth(cell, params, inputs, 1, None)[0], float).sum()
    assert alone == pytest.approx(800 * np.log(0.5), abs=4)


def exact_growth(matrices, start):
    """log of the norm of a product of matrices and a vector, in rational numbers."""
    vector = [Fraction(float(x)) for x in start]
    for matrix in matrices:
        rows = [[Fraction(float(x)) for x in row] for row in matrix]
        vector = [sum(a * x for a, x in zip(row, vector, strict=True)) for row in rows]
    square = sum(x * x for x in vector)
    return (log_of(square.numerator) - log_of(square.denominator)) / 2


def log_of(n):
    """log of an integer of any size."""
    shift = max(0, n.bit_length() - 60)
    return np.log(float(n >> shift)) + shift * np.log(2)


@pytest.mark.parametrize("seed", range(6))
def test_growth_of_coupled_units_in_rational_numbers(seed):
    """Couplings are powers of two; one unit after the other shuts for a long time."""
    rng, n, time = np.random.default_rng(seed), 4, 240
    coupling = np.tril(2.0 ** rng.integers(-9, -2, (n, n)), -1) * (rng.uniform(size=(n, n)) < 0.5)
    keep = np.sort(2.0 ** -rng.integers(0, 4, (time, n)).astype(float), axis=1)[:, ::-1]
    keep[100:150, 0] = keep[150:200, 1] = 2.0**-40
    matrices = [np.diag(k) @ (np.eye(n) + coupling) for k in keep]
    inputs = jnp.array(np.reshape(matrices, (time, 1, n * n)), jnp.float32)
    for k in (1, n):
        growth = np.array(log_growth(Given(hidden=n), {}, inputs, k, None)[0], float).sum(axis=0)[0]
        start = np.array(jnp.linalg.qr(jax.random.normal(jax.random.key(0), (n, k)))[0])
        assert growth[0] == pytest.approx(exact_growth(matrices, start[:, 0]), abs=0.05)
    volume = sum(np.linalg.slogdet(matrix)[1] for matrix in matrices)
    assert growth.sum() == pytest.approx(volume, abs=0.05)


@pytest.mark.parametrize("block", [1, 2])
def test_directions_that_die_out_do_not_disturb_those_that_stay(block):
    """At the zero state of an LSTM with kernels of blocks, half of all directions die at once."""
    cell = LSTM(hidden=6)
    params = cell.init(jax.random.key(1), 2)
    blocks = np.kron(np.eye(6 // block), np.ones((block, block)))
    for name in [name for name in params if name.startswith("U")]:
        params[name] = params[name] * (blocks if block > 1 else 0)
    b_f = np.array([5.0, 5.0, 0.0, 0.0, -5.0, -5.0])
    params["bias_f"] = jnp.array(b_f)
    f, U = 1 / (1 + np.exp(-b_f)), np.array(params["U_g"], float)
    expected = np.log(np.abs(np.linalg.eigvals(np.diag(f) + U.T / 4)))
    exponents = lyapunov_exponents(cell, params, jnp.zeros((400, 1, 2))).exponents[0]
    close(exponents[:6], descending(expected), atol=0.03)
    assert np.isneginf(exponents[6:]).all()


# The long run


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("memory", "time"), [(0.0, 100), (0.0, 400), (0.5, 200), (0.5, 400), (0.8, 800), (0.9, 1600)]
)
def test_coverage_of_the_long_run(memory, time):
    """Growth that is autoregressive, after a transient, with the same noise in both passes."""
    noise = np.random.default_rng(0).normal(size=(time, 1, 1000))
    growth = lfilter([1], [1, -memory], np.concatenate([noise, noise]), axis=0)
    growth += 0.6 * (memory ** np.arange(2 * time) / (1 - memory))[:, None, None]
    _, low, high, is_settled = long_run(jnp.array(growth))
    assert is_settled.mean() > 0.2
    assert 0.91 < ((low < 0) & (high > 0))[is_settled].mean() < 0.97


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("memory", [0.99, 0.999])
def test_a_memory_longer_than_the_steps_is_not_settled(memory):
    noise = np.random.default_rng(0).normal(size=(100, 1, 1000))
    growth = lfilter([1], [1, -memory], np.concatenate([noise, noise]), axis=0)
    assert not long_run(jnp.array(growth)).is_settled.any()


@pytest.mark.parametrize("bias", [3.0, 5.0])
def test_a_hundred_steps_of_an_lstm_that_remembers_are_not_the_long_run(bias):
    """They grow by 0.03 a step, and in 6,000 steps by about 0.00."""
    params = (cell := LSTM(hidden=32, forget_bias=bias)).init(jax.random.key(0), 2)
    e = lyapunov_exponents(cell, params, jax.random.uniform(jax.random.key(1), (100, 8, 2)), 1)
    assert e.exponents.mean() > 0.01
    assert np.isnan(e.asymptotic).mean() >= 7 / 8


# What is refused


@pytest.mark.parametrize("k", [0, 17, -1])
def test_number_of_exponents_that_there_are_not(k):
    args = arguments(cell := DRIVEN[1], time=5)
    with pytest.raises(ValueError, match=f"k must be between 1 and 16, .* got {k}"):
        lyapunov_exponents(cell, *args[:2], k)


def test_inputs_of_another_rank_or_number_of_features(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    params, inputs, _ = arguments(cell := DRIVEN[0], time=5)
    with pytest.raises(ValueError, match=r"\(time, batch, features\), got shape \(5, 3\)"):
        lyapunov_exponents(cell, params, inputs[:, 0])
    with pytest.raises(ValueError, match="inputs have 2 features, and W_i is made for 3"):
        lyapunov_exponents(cell, params, inputs[..., 1:])


def test_numbers_that_are_not_finite():
    params, inputs, _ = arguments(cell := DRIVEN[3], time=5)
    bad = (params[0], params[1] | {"U_h": params[1]["U_h"].at[0, 1].set(jnp.nan)})
    with pytest.raises(ValueError, match=r"params\[1\]\['U_h'\]: 1 of 16 numbers are NaN or inf"):
        lyapunov_exponents(cell, bad, inputs)
    with pytest.raises(ValueError, match="inputs: 6 of 30 numbers are NaN or infinite"):
        lyapunov_exponents(cell, params, inputs.at[3].set(jnp.inf))
    growing = {"λ": jnp.array(1e20)}
    with pytest.raises(ValueError, match=r"states.*the weights make the states overflow"):
        lyapunov_exponents(Scalar(hidden=1), growing, jnp.ones((5, 1, 1)))


def test_a_step_below_rounding_does_not_make_an_exponent_infinite():
    cell = LSTM(hidden=32, recurrent_gain=0.1)
    params = cell.init(jax.random.key(0), 2)
    inputs = jax.random.uniform(jax.random.key(1), (1000, 2, 2))
    exponents = lyapunov_exponents(cell, params, inputs).exponents
    assert np.isfinite(exponents).all()
    assert -8 < exponents.min() < -6
