from decimal import Decimal, localcontext
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy.optimize import brentq, linear_sum_assignment
from scipy.special import expit, roots_hermitenorm

from rnnlab import GRU, LSTM, VanillaRNN
from rnnlab.cells.initializers import chrono
from rnnlab.gradients.theory import (
    bias_to_keep,
    chrono_retention,
    critical_factor,
    critical_gain,
    eigenvalue_ring,
    fixed_point_eigenvalues,
    forget_timescale,
    half_life,
    mean_field_exponent,
    recurrent_kernel,
)

inf, nan = np.inf, np.nan
HIDDEN, FEATURES = 6, 3
CELLS = [VanillaRNN, LSTM, GRU, partial(GRU, reset="before")]
NAMES = ["rnn", "lstm", "gru-after", "gru-before"]
ZERO = {"bias_g", "bias_n", "bias_hn", "bias_h"}


# Forget gate


def exactly(b):
    """−ln σ(b) to at least 90 digits."""
    with localcontext(prec=400):
        return (1 + (-Decimal(b)).exp()).ln()


@pytest.mark.parametrize(
    ("b", "log10_forget"), [(0, -0.30103), (1, -0.13605), (2, -0.05512), (3, -0.02110)]
)
def test_forget_timescale_of_the_usual_biases(b, log10_forget):
    assert -1 / forget_timescale(b) / np.log(10) == pytest.approx(log10_forget, abs=5e-6)


@pytest.mark.parametrize("b", [-500.0, -40.0, -3.0, -0.25, 0.0, 1.5, 5.0, 20.0, 37.0, 40.0, 700.0])
def test_forget_timescale_keeps_every_digit(b):
    assert float(forget_timescale(b)) == pytest.approx(float(1 / exactly(b)), rel=2e-15)


@pytest.mark.parametrize("b", [-5.0, 0.0, 1.0, 5.0, 40.0])
def test_half_of_the_cell_state_is_left_after_the_half_life(b):
    with localcontext(prec=400):
        left = (-exactly(b) * Decimal(float(half_life(b)))).exp()
    assert float(left) == pytest.approx(0.5, rel=2e-15)


def test_forget_timescale_where_no_float_holds_it():
    np.testing.assert_array_equal(forget_timescale(np.array([800.0, inf, -inf])), [inf, inf, 0])
    assert half_life(800.0) == inf


@pytest.mark.parametrize("function", [forget_timescale, half_life, critical_gain])
def test_arrays_are_taken_element_by_element(function):
    b = np.array([[0.0, 1.0, 2.0], [-3.0, 5.0, 40.0]])
    np.testing.assert_array_equal(function(b), [[function(x) for x in row] for row in b])
    assert function(1) == function(1.0) == function(np.float32(1))


# Critical gain


@pytest.mark.parametrize(("b_f", "gain"), [(0, 2), (1, 1.076), (2, 0.477), (3, 0.190), (5, 0.027)])
def test_critical_gain_of_the_usual_biases(b_f, gain):
    assert critical_gain(b_f) == pytest.approx(gain, abs=5e-4)


@pytest.mark.parametrize("b_f", [-2.0, 0.0, 1.0, 5.0, 40.0])
def test_critical_gain_with_tied_input_gate_does_not_depend_on_the_forget_bias(b_f):
    assert critical_gain(b_f, b_i=-b_f) == pytest.approx(2, rel=1e-14)
    assert critical_gain(b_f, b_i=-b_f, b_o=1.0) == pytest.approx(1 + np.exp(-1), rel=1e-14)


def test_critical_gain_of_a_large_bias_is_not_rounded_to_zero():
    assert critical_gain(40.0) == pytest.approx(4 * np.exp(-40.0), rel=1e-12)


@pytest.mark.parametrize("b_f", [-1.0, 0.0, 2.0])
@pytest.mark.parametrize("b_i", [-1.5, 0.5])
@pytest.mark.parametrize("b_o", [-0.7, 1.2])
def test_an_eigenvalue_of_the_critical_gain_puts_the_greatest_on_the_unit_circle(b_f, b_i, b_o):
    params = two_unit_lstm(critical_gain(b_f, b_i, b_o), 0, b_f=b_f, b_i=b_i, b_o=b_o)
    np.testing.assert_allclose(fixed_point_eigenvalues(LSTM(hidden=2), params)[:2], 1, rtol=1e-14)


@pytest.mark.parametrize(
    ("degrees", "gain"), [(0, 2), (90, 12**0.5), (-90, 12**0.5), (180, 6), (120, 13**0.5 + 1)]
)
def test_eigenvalues_in_other_directions_may_be_larger(degrees, gain):
    def growth(gain):
        params = two_unit_lstm(gain, np.radians(degrees))
        return abs(fixed_point_eigenvalues(LSTM(hidden=2), params)[0]) - 1

    assert brentq(growth, 1, 10) == pytest.approx(gain, rel=1e-9)


def two_unit_lstm(gain, angle, b_f=0.0, b_i=0.0, b_o=0.0):
    """Parameters with the eigenvalues gain · exp(±i angle) of U_g."""
    cos, sin = np.cos(angle), np.sin(angle)
    biases = {"bias_f": b_f, "bias_i": b_i, "bias_g": 0.0, "bias_o": b_o}
    return {name: np.full(2, b) for name, b in biases.items()} | {
        "U_g": gain * np.array([[cos, -sin], [sin, cos]])
    }


# Eigenvalues at the zero fixed point


def random_layer(cell, gain, seed, features=FEATURES):
    """Every parameter drawn at random but the biases that must be zero."""
    one = cell.model_copy(update={"layers": 1})
    shapes = jax.eval_shape(lambda: one.init(jax.random.key(0), features))
    rng = np.random.default_rng(seed)
    scale = {"W": 1.0, "U": gain * cell.hidden**-0.5, "b": 1.5}
    params = {name: scale[name[0]] * rng.normal(size=s.shape) for name, s in shapes.items()}
    return {name: 0 * value if name in ZERO else value for name, value in params.items()}


def state_jacobian(cell, layers):
    """∂state_t/∂state_{t−1} of all layers at zero, by automatic differentiation of ``step``."""
    states = [cell.initial_state(1) for _ in layers]
    flat, restore = ravel_pytree(states)

    def step(flat):
        x, after = jnp.zeros((1, FEATURES)), []
        for params, state in zip(layers, restore(flat), strict=True):
            after.append(cell.step(params, state, x))
            x = after[-1].h
        return ravel_pytree(after)[0]

    assert not np.any(step(flat))
    return np.asarray(jax.jacfwd(step)(flat))


def largest_mismatch(actual, expected):
    """Largest distance between two sets of complex numbers, matched one to one."""
    assert actual.shape == expected.shape
    distance = np.abs(actual[:, None] - expected)
    return distance[linear_sum_assignment(distance)].max()


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("gain", [0.1, 1.0, 2.0])
@pytest.mark.parametrize("make", CELLS, ids=NAMES)
def test_eigenvalues_are_those_of_the_jacobian_of_step(make, gain):
    cell = make(hidden=HIDDEN)
    params = random_layer(cell, gain, seed=1)
    actual = fixed_point_eigenvalues(cell, params)
    expected = np.linalg.eigvals(state_jacobian(cell, [params]))
    assert actual.dtype == complex
    assert largest_mismatch(actual, expected) < 1e-11
    np.testing.assert_array_equal(np.abs(actual), np.sort(np.abs(actual))[::-1])


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("make", CELLS, ids=NAMES)
def test_eigenvalues_of_a_stack_have_one_row_a_layer(make):
    cell = make(hidden=HIDDEN, layers=3)
    sizes = [FEATURES, HIDDEN, HIDDEN]
    layers = tuple(random_layer(cell, 1.0, seed, size) for seed, size in enumerate(sizes))
    actual = fixed_point_eigenvalues(cell, layers)
    expected = np.linalg.eigvals(state_jacobian(cell, layers))
    assert largest_mismatch(actual.ravel(), expected) < 1e-10
    alone = [fixed_point_eigenvalues(make(hidden=HIDDEN), params) for params in layers]
    np.testing.assert_array_equal(actual, alone)


@pytest.mark.usefixtures("float64")
def test_lstm_eigenvalues_with_equal_biases_are_a_line_in_those_of_the_kernel():
    cell = LSTM(hidden=20, forget_bias=2.0, input_bias=-1.0, output_bias=0.5)
    params = cell.init(jax.random.key(0), FEATURES)
    of_kernel = np.linalg.eigvals(np.asarray(params["U_g"]))
    actual = fixed_point_eigenvalues(cell, params)
    expected = expit(2.0) + expit(-1.0) * expit(0.5) * of_kernel
    assert largest_mismatch(actual[:20], expected) < 1e-14
    np.testing.assert_array_equal(actual[20:], 0)


@pytest.mark.parametrize("make", CELLS, ids=NAMES)
def test_eigenvalues_of_float32_parameters_are_computed_in_float64(make):
    cell = make(hidden=HIDDEN)
    params = cell.init(jax.random.key(0), FEATURES)
    assert {leaf.dtype for leaf in params.values()} == {np.dtype(np.float32)}
    exact = {name: np.asarray(leaf, np.float64) for name, leaf in params.items()}
    actual = fixed_point_eigenvalues(cell, params)
    assert actual.dtype == np.complex128
    np.testing.assert_array_equal(actual, fixed_point_eigenvalues(cell, exact))


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        (VanillaRNN(hidden=2), "bias_h"),
        (LSTM(hidden=2), "bias_g"),
        (GRU(hidden=2), "bias_n"),
        (GRU(hidden=2), "bias_hn"),
        (GRU(hidden=2, reset="before"), "bias_n"),
    ],
)
@pytest.mark.parametrize("value", [1e-30, nan])
def test_a_bias_that_moves_the_state_from_zero_is_refused(cell, name, value):
    params = cell.init(jax.random.key(0), FEATURES)
    fixed_point_eigenvalues(cell, params)
    moved = params | {name: jnp.array([0.0, value])}
    with pytest.raises(ValueError, match=f"^{name} is not 0: the zero state is no fixed point"):
        fixed_point_eigenvalues(cell, moved)
    stack = cell.model_copy(update={"layers": 2})
    with pytest.raises(ValueError, match=f"^{name} is not 0"):
        fixed_point_eigenvalues(stack, (params, moved))


@pytest.mark.parametrize("make", [VanillaRNN, LSTM])
def test_relu_is_refused(make):
    cell = make(hidden=2, activation="relu")
    with pytest.raises(ValueError, match="'relu' has no derivative at the zero state"):
        fixed_point_eigenvalues(cell, cell.init(jax.random.key(0), FEATURES))


@pytest.mark.parametrize("parent", [VanillaRNN, LSTM, GRU])
def test_a_subclass_may_have_other_equations_and_is_refused(parent):
    class Mine(parent):
        pass

    cell = Mine(hidden=2)
    with pytest.raises(ValueError, match="VanillaRNN, LSTM, GRU, not for Mine"):
        fixed_point_eigenvalues(cell, cell.init(jax.random.key(0), FEATURES))


# Chrono initialisation


@pytest.mark.parametrize("t_max", [3.0, 10.0, 750.0, 1e5])
def test_chrono_retention_over_one_and_two_steps(t_max):
    log = np.log(t_max / 2)
    one = t_max - 2 - log
    two = t_max - 2 - 2 * log + 1 / 2 - 1 / t_max
    actual = chrono_retention(t_max, np.arange(3))
    np.testing.assert_allclose(actual, np.array([t_max - 2, one, two]) / (t_max - 2), rtol=1e-13)


@pytest.mark.parametrize(
    ("t_max", "steps"),
    [(3.0, 7), (3.0, 1000), (50.0, 0.5), (200.0, 100), (200.0, 1e4), (1e5, 1000), (1e5, 1e5)],
)
def test_chrono_retention_is_the_mean_over_the_time_scales(t_max, steps):
    points = 400_000
    u = 1 + (t_max - 2) * (np.arange(points) + 0.5) / points
    expected = np.mean((u / (1 + u)) ** steps)
    np.testing.assert_allclose(chrono_retention(t_max, steps), expected, rtol=1e-6)


def test_chrono_retention_is_what_the_initial_forget_gates_keep():
    forget = expit(np.asarray(chrono(jax.random.key(0), 100_000, 100.0), np.float64))
    steps = np.array([[1, 10], [30, 300]])
    kept = forget[:, None, None] ** steps
    error = kept.std(0) / np.sqrt(len(forget))
    assert np.all(np.abs(chrono_retention(100.0, steps) - kept.mean(0)) < 3 * error)


def test_chrono_retention_ends_at_one_and_at_zero():
    actual = chrono_retention(3.0, np.array([0.0, 1e5, inf]))
    np.testing.assert_allclose(actual, [1, 0, 0], rtol=1e-15)


@pytest.mark.parametrize("t_max", [2.9, -5.0, nan, inf])
def test_chrono_retention_refuses_a_time_scale_that_chrono_cannot_draw(t_max):
    with pytest.raises(ValueError, match="t_max must be finite and at least 3, got"):
        chrono_retention(t_max, 10)


@pytest.mark.parametrize("steps", [-1, np.array([3.0, -0.5]), nan])
def test_chrono_retention_refuses_negative_steps(steps):
    with pytest.raises(ValueError, match=r"steps must be at least 0, got (-1|-0\.5|nan)"):
        chrono_retention(100.0, steps)


# Mean field


@pytest.mark.parametrize("gain", [1e-3, 0.5, 0.999, 1.0])
def test_exponent_of_a_network_that_dies_out_is_that_of_its_kernel(gain):
    assert np.exp(mean_field_exponent(gain)) == pytest.approx(gain, rel=1e-14)


def gauss_hermite(f):
    z, weights = roots_hermitenorm(150)
    return weights @ f(z) / np.sqrt(2 * np.pi)


def riemann(f):
    z = np.linspace(-12, 12, 200_001)
    weights = np.exp(-(z**2) / 2)
    return weights @ f(z) / weights.sum()


@pytest.mark.parametrize(
    ("mean", "s", "error"),
    [(gauss_hermite, s, 3e-15) for s in np.geomspace(0.01, 0.5, 15)]
    + [(riemann, s, 1e-12) for s in (0.1, 1.0, 4.5, 19.6, 1000.0)],
)
def test_exponent_with_pre_activations_of_a_given_standard_deviation(mean, s, error):
    """The gain that keeps s, and its exponent: no equation is solved for s."""
    before_gain = mean(lambda z: np.tanh(s * z) ** 2)
    gain = s / np.sqrt(before_gain)
    slope = mean(lambda z: np.cosh(np.minimum(abs(s * z), 300)) ** -4)
    expected = 0.5 * np.log(s**2 * slope / before_gain)
    assert mean_field_exponent(float(gain)) == pytest.approx(expected, abs=error)


@pytest.mark.parametrize("excess", [1e-4, 1e-3, 1e-2])
def test_exponent_just_above_the_onset_of_chaos(excess):
    exponent = mean_field_exponent(1 + excess)
    assert abs(exponent - 2 / 3 * excess**2) < 3 * excess**3


def test_exponent_is_continuous_where_chaos_begins():
    for gain in (1 - 1e-12, 1.0, np.nextafter(1.0, 2.0), 1 + 1e-15, 1 + 1e-12, 1 + 1e-9):
        assert abs(mean_field_exponent(float(gain))) < 1e-11


def test_exponent_of_a_very_strong_network():
    """Only units of pre-activation near zero pass anything on: ⟨φ'²⟩ → ∫ cosh⁻⁴ / (√(2π) gain)."""
    expected = 0.5 * np.log(1e6 * 4 / 3 / np.sqrt(2 * np.pi))
    assert mean_field_exponent(1e6) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("gain", "error"), [(1.5, 0.03), (3.0, 0.02), (20.0, 0.08)])
def test_exponent_of_a_simulated_network(gain, error):
    """The error falls as 1/n, and is larger where fewer units are not saturated."""
    simulated = [simulate(gain, 400, np.random.default_rng(seed)) for seed in range(4)]
    assert np.mean(simulated) == pytest.approx(mean_field_exponent(gain), abs=error)


def simulate(gain, n, rng, warm_up=50, steps=300):
    """Growth per step of a small displacement, natural log."""
    U = gain * n**-0.5 * rng.normal(size=(n, n))
    h, displacement = rng.normal(size=(2, n))
    growth = []
    for _ in range(warm_up + steps):
        a, da = (U @ np.stack([h, displacement], axis=1)).T
        h, displacement = np.tanh(a), da * (1 - np.tanh(a) ** 2)
        growth.append(np.log(np.linalg.norm(displacement)))
        displacement /= np.linalg.norm(displacement)
    return np.mean(growth[warm_up:])


@pytest.mark.parametrize("gain", [0.0, -1.0, nan, inf])
def test_exponent_of_no_network_is_refused(gain):
    with pytest.raises(ValueError, match="gain must be positive and finite, got"):
        mean_field_exponent(gain)


# What a bias alone keeps, and where the eigenvalues lie


@pytest.mark.parametrize(
    ("kept", "steps", "bias"),
    [
        (0.5, 1, 0.0),
        (0.25, 2, 0.0),
        (0.125, 1, -np.log(7)),
        (1e-3, 99, 2.62738),
        (1 / np.e, 99, 4.5901),
    ],
)
def test_bias_to_keep_by_hand(kept, steps, bias):
    assert bias_to_keep(kept, steps) == pytest.approx(bias, abs=5e-5)


def test_a_gate_of_the_bias_to_keep_keeps_it():
    kept = np.array([[1e-12], [1e-3], [0.5], [0.999]])
    steps = np.array([1.0, 7.0, 100.0, 1e5])
    bias = bias_to_keep(kept, steps)
    assert bias.shape == (4, 4)
    with localcontext(prec=60):
        again = [
            [float((-exactly(b) * Decimal(n)).exp()) for b, n in zip(row, steps, strict=True)]
            for row in bias
        ]
    np.testing.assert_allclose(again, np.broadcast_to(kept, (4, 4)), rtol=1e-11)


@pytest.mark.parametrize("steps", [1, 10, 1000, 10**6])
def test_the_bias_that_keeps_1_over_e_has_this_time_scale(steps):
    assert forget_timescale(bias_to_keep(np.exp(-1), steps)) == pytest.approx(steps, rel=1e-9)


RING_BIASES = {"f": 1.3, "i": -0.4, "o": 0.7, "z": 0.9, "r": -0.6}


def ring_params(cell, gain=1.7):
    """Orthogonal kernels times a gain, equal biases in all units; the candidate's is 0."""
    params = cell.init(jax.random.key(3), FEATURES)
    return {
        name: jnp.full_like(value, RING_BIASES.get(name[-1], 0.0))
        if name.startswith("bias") and name not in ZERO
        else value * (gain if name.startswith("U") else 1.0)
        for name, value in params.items()
    }


RINGS = [
    (VanillaRNN, 0.0, 1.0),
    (LSTM, expit(1.3), expit(-0.4) * expit(0.7)),
    (GRU, expit(0.9), expit(-0.9) * expit(-0.6)),
    (partial(GRU, reset="before"), expit(0.9), expit(-0.9) * expit(-0.6)),
]


@pytest.mark.parametrize(("make", "centre", "write"), RINGS, ids=NAMES)
def test_eigenvalues_of_orthogonal_kernels_lie_on_the_ring(make, centre, write):
    cell = make(hidden=HIDDEN)
    params = ring_params(cell)
    ring = eigenvalue_ring(cell, params)
    assert ring == pytest.approx((centre, 1.7 * write), rel=1e-6)
    found = fixed_point_eigenvalues(cell, params)[:HIDDEN]
    distance = abs(found - ring.centre)
    np.testing.assert_allclose(distance, ring.radius, rtol=1e-5)
    assert np.ptp(found.imag) > ring.radius


@pytest.mark.parametrize("make", CELLS[:3], ids=NAMES[:3])
def test_biases_that_differ_and_the_ring_of_their_means(make):
    cell = make(hidden=2)
    params = dict(ring_params(cell))
    for name in [n for n in params if n[0] == "b" and n not in ZERO]:
        params[name] = jnp.array([0.0, 3.0])
    candidate = next(n for n in ("U_h", "U_g", "U_hn") if n in params)
    params[candidate] = jnp.array([[0.0, -9.0], [1.0, 0.0]])
    f = expit([0.0, 3.0])
    expected = {
        "U_h": (0, 1),
        "U_g": (f.mean(), (f * f).mean()),
        "U_hn": (f.mean(), ((1 - f) * f).mean()),
    }
    centre, write = expected[candidate]
    assert eigenvalue_ring(cell, params) == pytest.approx((centre, 3 * write), rel=1e-6)


class Own(LSTM):
    """A user's class."""


@pytest.mark.parametrize(
    "cell",
    [VanillaRNN(hidden=2, activation="relu"), LSTM(hidden=2, activation="relu"), Own(hidden=2)],
)
def test_there_is_no_ring_of_other_cells(cell):
    assert np.isnan(eigenvalue_ring(cell, cell.init(jax.random.key(0), FEATURES))).all()


@pytest.mark.parametrize("cell", [LSTM(hidden=5), GRU(hidden=5), VanillaRNN(hidden=5)])
def test_critical_factor_is_where_an_eigenvalue_reaches_1(cell):
    params = random_layer(cell, 0.7, seed=3)
    factor = critical_factor(cell, params)
    kernel, _ = recurrent_kernel(cell, params)
    for times, size in ((1.0, 1.0), (0.99, None), (0.5, None)):
        at = dict(params) | {kernel: times * factor * np.asarray(params[kernel])}
        greatest = np.abs(fixed_point_eigenvalues(cell, at)).max()
        assert greatest == pytest.approx(size, abs=1e-9) if size else greatest < 1


@pytest.mark.parametrize("b_f", [0.0, 1.0, 3.0])
def test_critical_factor_of_equal_biases_is_the_critical_gain(b_f):
    cell = LSTM(hidden=4, forget_bias=b_f, recurrent_kernel="identity", recurrent_gain=0.5)
    params = cell.init(jax.random.key(0), 2)
    assert 0.5 * critical_factor(cell, params) == pytest.approx(float(critical_gain(b_f)), rel=1e-6)


def test_critical_factor_without_a_kernel_or_a_linearisation():
    cell = LSTM(hidden=4)
    params = cell.init(jax.random.key(0), 2)
    assert critical_factor(cell, params | {"U_g": np.zeros((4, 4))}) == np.inf
    assert np.isnan(critical_factor(LSTM(hidden=4, activation="relu"), params))


# The ends of the range of floats


def decimal_sigmoid(b):
    return 1 / (1 + (-Decimal(b)).exp())


@pytest.mark.parametrize(
    ("kept", "steps"),
    [
        *((0.5, 1e308), (float(np.nextafter(1, 0)), 1e308), (0.999999, 1e300)),
        *((1e-300, 1e-3), (5e-324, 1.0), (5e-324, 1e-300), (0.9, 1e-5)),
    ],
)
def test_bias_to_keep_at_the_ends(kept, steps):
    """No −∞ where e^rate overflows or the rate of decay underflows."""
    with localcontext(prec=800):
        rate = -Decimal(kept).ln() / Decimal(steps)
        grown = rate.exp() - 1 if rate < 700 else None
        expected = float(-rate if grown is None else -grown.ln())
    assert bias_to_keep(kept, steps) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("kept", [0.0, 1.0, -0.1, 1.1, nan])
def test_bias_to_keep_refuses_what_no_gate_keeps(kept):
    with pytest.raises(ValueError, match=f"kept must be above 0 and below 1, got {kept}"):
        bias_to_keep(np.array([0.5, kept]), 10)


@pytest.mark.parametrize("steps", [0.0, -3.0, inf, nan])
def test_bias_to_keep_refuses_numbers_of_steps(steps):
    with pytest.raises(ValueError, match=f"steps must be above 0 and finite, got {steps}"):
        bias_to_keep(0.5, np.array([1.0, steps]))


def test_a_bias_that_no_float_holds_is_an_error():
    with pytest.raises(ValueError, match="no float holds the bias"):
        bias_to_keep(1e-300, 1e-308)


@pytest.mark.parametrize(
    "biases",
    [(800, -800, 0), (-800, 0, 0), (700, -650, -30), (900, -400, -500), (-3, 2, 1), (38, -38, 2)],
)
def test_critical_gain_where_gates_underflow(biases):
    with localcontext(prec=800):
        f, i, o = map(decimal_sigmoid, biases)
        expected = float((1 - f) / (i * o))
    assert critical_gain(*biases) == pytest.approx(expected, rel=1e-14)


def test_critical_gain_beyond_floats():
    gains = critical_gain(np.array([0, 800]), np.array([-800, 0]))
    np.testing.assert_array_equal(gains, [inf, 0])


@pytest.mark.parametrize("gain", [1e10, 1e18, 1e40, 1e155, 1e200, 1.7e308])
def test_exponent_of_an_extremely_strong_network(gain):
    """The width of tanh' is below every quadrature's first node: it read −∞, or overflowed."""
    expected = 0.5 * (np.log(gain) + np.log(4 / 3 / np.sqrt(2 * np.pi)))
    assert mean_field_exponent(gain) == pytest.approx(expected, abs=1e-10)


def test_exponent_of_an_extremely_weak_network():
    assert mean_field_exponent(5e-324) == np.log(5e-324)


def retention_by_parts(t_max, steps, parts=400_000):
    """Over y = log(T_max/τ), by the midpoint rule."""
    width = min(np.log(t_max / 2), 60.0)
    y = width * (np.arange(parts) + 0.5) / parts
    kept = np.exp(steps * np.log1p(-np.exp(y) / t_max) - y)
    return kept.mean() * width / (1 - 2 / t_max)


@pytest.mark.parametrize(
    ("t_max", "steps"),
    [(1e20, 1e20), (1e20, 1e21), (1e300, 1e300), (1e300, 1e5), (1.7e308, 1e308), (1e5, 3e6)],
)
def test_chrono_retention_of_extreme_time_scales(t_max, steps):
    expected = retention_by_parts(t_max, steps)
    assert chrono_retention(t_max, steps) == pytest.approx(expected, rel=1e-6)
