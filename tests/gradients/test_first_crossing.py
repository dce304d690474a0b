"""Against roots of polynomials, closed forms and fine scans; stability may be lost and regained."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit

from rnnlab import GRU, LSTM, VanillaRNN
from rnnlab.gradients.first_crossing import first_crossing
from rnnlab.gradients.theory import critical_factor, critical_gain

inf = np.inf


def lstm(leak, U, b_i=0.0, b_o=0.0):
    """Parameters with 1 − f = leak."""
    leak = np.asarray(leak, float)
    biases = {"bias_i": b_i, "bias_g": 0.0, "bias_o": b_o}
    constant = {name: np.full(len(leak), b) for name, b in biases.items()}
    return constant | {"bias_f": np.log(1 / leak - 1), "U_g": np.asarray(U, float)}


def radius(leak, kernel, x):
    return abs(np.linalg.eigvals(np.diag(1 - leak) + x * kernel)).max()


# Two units: the crossings are roots of polynomials


def first_of_two(leak, K):
    """|λ| = 1 at λ = ±1, or at a conjugate pair of product 1: roots in x of degree 2."""
    a, d = 1 - leak
    determinant = np.poly1d([np.linalg.det(K), a * K[1, 1] + d * K[0, 0], a * d])
    trace = np.poly1d([np.trace(K), a + d])
    candidates = [determinant - trace + 1, determinant + trace + 1, determinant - 1]
    roots = np.concatenate([p.roots for p in candidates])
    real = np.sort(roots[abs(roots.imag) < 1e-9 * (1 + abs(roots))].real)
    on_circle = [x for x in real if x > 0 and abs(radius(leak, K, x) - 1) < 1e-7]
    return min(on_circle, default=inf)


def test_stability_that_is_lost_only_for_a_short_interval():
    """Five points a decade step over it, to the second loss at 2.263."""
    leak, U = np.array([0.05, 0.2]), np.array([[4, -8.97], [4, -8]])
    s = critical_factor(LSTM(hidden=2), lstm(leak, U))
    assert s == pytest.approx(0.1704731792, rel=1e-9)
    assert s == pytest.approx(first_of_two(leak, U.T / 4), rel=1e-10)
    assert radius(leak, U.T / 4, s - 1e-6) < 1 < radius(leak, U.T / 4, s + 1e-6)
    assert radius(leak, U.T / 4, 0.3) < 1


@pytest.mark.parametrize("seed", range(40))
def test_two_units(seed):
    rng = np.random.default_rng(seed)
    leak = expit(2 * rng.normal(size=2))
    K = rng.normal(size=(2, 2)) * np.exp(2 * rng.normal(size=(2, 2)))
    if seed % 2:  # nearly nilpotent, and far from normal
        a, by, near = rng.uniform(0.5, 5), rng.uniform(1.5, 2.5), rng.uniform(0.95, 1.2)
        leak, K = rng.uniform(0.02, 0.3, size=2), np.array([[a, a], [-a * by * near, -a * by]])
    assert first_crossing(leak, K) == pytest.approx(first_of_two(leak, K), rel=1e-8)


# Nilpotent and defective kernels


@pytest.mark.parametrize(
    ("leak", "factor"),
    [
        ((0.2, 0.5), 0.2 * 0.5 / 0.3),  # at λ = 1
        ((0.5, 0.2), (1 - 0.5 * 0.8) / 0.3),  # at a pair on the circle
        ((0.5, 0.501), 0.5 * 0.501 / 0.001),
        ((0.5, 0.5), inf),  # eigenvalues ½ at any factor
    ],
)
def test_nilpotent_kernel_of_two_units(leak, factor):
    """det(λ − A) = λ² − (f + f')λ + ff' + x(f' − f)."""
    kernel = np.array([[1.0, 1.0], [-1.0, -1.0]])
    assert first_crossing(np.array(leak), kernel) == pytest.approx(factor, rel=1e-9)
    assert critical_factor(LSTM(hidden=2), lstm(leak, 4 * kernel.T)) == pytest.approx(factor)


@pytest.mark.parametrize("seed", range(5))
def test_a_kernel_that_is_triangular_in_some_order_of_the_units_never_crosses(seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(7)
    kernel = np.triu(rng.normal(size=(7, 7)), 1)[np.ix_(order, order)]
    assert first_crossing(rng.uniform(0.1, 0.9, 7), kernel) == inf
    assert first_crossing(np.full(7, 0.5), np.zeros((7, 7))) == inf


def test_a_rotated_nilpotent_kernel_crosses_by_rounding_only():
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    kernel = Q @ np.diag(np.ones(5), 1) @ Q.T
    assert first_crossing(np.full(6, 0.5), kernel) == inf
    leak = np.linspace(0.1, 0.9, 6)
    assert first_crossing(leak, kernel) == pytest.approx(scanned(leak, kernel, 1.0), rel=1e-9)


@pytest.mark.parametrize("sign", [1, -1])
def test_defective_kernels(sign):
    jordan = sign * (2 * np.eye(3) + np.diag(np.ones(2), 1))
    expected = 0.5 / 2 if sign > 0 else 1.5 / 2
    assert first_crossing(np.full(3, 0.5), jordan) == pytest.approx(expected, rel=1e-12)
    basis = np.array([[1.0, 1, 0], [1, 2, 1], [0, 1, 2]])  # of determinant 1: all is exact
    dense = basis @ jordan @ np.round(np.linalg.inv(basis))
    assert (dense != 0).sum() > 5
    # Rounding by ε moves a threefold eigenvalue by ε^⅓.
    assert first_crossing(np.full(3, 0.5), dense) == pytest.approx(expected, rel=1e-4)


# Any number of units


def scanned(leak, kernel, top, points=20_000):
    """The first of these many factors that is not stable, and the root before it."""
    x = np.linspace(0, top, points + 1)[1:]
    radii = abs(np.linalg.eigvals(np.diag(1 - leak) + x[:, None, None] * kernel)).max(axis=-1)
    first = int(np.argmax(radii >= 1))
    assert radii[first] >= 1
    before = x[first - 1] if first else 0.0
    return brentq(lambda x: radius(leak, kernel, x) - 1, before, x[first], xtol=1e-14)


@pytest.mark.parametrize("seed", range(12))
def test_by_a_fine_scan(seed):
    rng = np.random.default_rng(seed)
    n = 3 + seed % 4
    leak, kernel = expit(2 * rng.normal(size=n)), rng.normal(size=(n, n))
    kernel *= [1, np.exp(2 * rng.normal(size=(n, n))), rng.uniform(size=(n, n)) < 0.5][seed % 3]
    found = first_crossing(leak, kernel)
    if np.isfinite(found):
        assert found == pytest.approx(scanned(leak, kernel, 1.3 * found), rel=1e-8)
    else:
        assert radius(leak, kernel, 1e3) < 1


@pytest.mark.parametrize("n", [2, 8, 40])
def test_normal_kernels_of_equal_biases(n):
    """|f + xμ|² = 1 is quadratic in x, for each eigenvalue μ."""
    rng = np.random.default_rng(n)
    kernel, f = np.linalg.qr(rng.normal(size=(n, n)))[0], 0.7
    expected = [
        max(np.roots([abs(μ) ** 2, 2 * f * μ.real, f**2 - 1])) for μ in np.linalg.eigvals(kernel)
    ]
    assert first_crossing(np.full(n, 1 - f), kernel) == pytest.approx(min(expected), rel=1e-9)


@pytest.mark.parametrize("tie", [0.0, -1.0])
@pytest.mark.parametrize("b_f", [-800.0, -3.0, 3.0, 40.0, 300.0])
def test_of_a_kernel_with_a_positive_eigenvalue_it_is_the_critical_gain(b_f, tie):
    """Also where f rounds to 1."""
    U = np.array([[2.0, 1.0], [1.0, 2.0]])
    biases = {"bias_f": b_f, "bias_i": tie * b_f, "bias_g": 0, "bias_o": -1.0}
    params = {name: np.full(2, float(b)) for name, b in biases.items()} | {"U_g": U}
    expected = critical_gain(b_f, tie * b_f, -1.0) / 3
    assert critical_factor(LSTM(hidden=2), params) == pytest.approx(expected, rel=1e-9)


def test_a_unit_that_forgets_nearly_nothing_beside_others():
    kernel = np.array([[1.0, 2.0], [-1.0, -1.5]])
    assert first_crossing(np.array([4e-18, 0.3]), kernel) == pytest.approx(4e-18, rel=1e-6)
    assert first_crossing(np.array([0.0, 0.3]), kernel) == 0
    assert first_crossing(np.array([0.2, 0.3]), 1e-300 * np.eye(2)) == pytest.approx(2e299)


def test_gru_and_vanilla_rnn():
    U = np.array([[0.0, -2.0], [2.0, 0.0]])
    zero = {"bias_n": np.zeros(2), "bias_hn": np.zeros(2), "bias_h": np.zeros(2)}
    rnn = critical_factor(VanillaRNN(hidden=2), zero | {"U_h": U})
    assert rnn == pytest.approx(0.5, rel=1e-12)
    for b_z in (1.0, 40.0):
        gates = {"bias_z": np.full(2, b_z), "bias_r": np.full(2, -1.0)}
        s = critical_factor(GRU(hidden=2), zero | gates | {"U_hn": U})
        leak, r = expit(-b_z), expit(-1.0)  # |z + 2i s leak r| = 1
        assert s == pytest.approx(np.sqrt(leak * (2 - leak)) / (2 * leak * r), rel=1e-9)


def test_numbers_that_are_not_finite():
    for bad in (lstm([0.5, 0.5], [[1, inf], [0, 1]]), lstm([0.5, np.nan], np.eye(2))):
        with pytest.raises(ValueError, match="U_g or a bias of a gate holds numbers that are NaN"):
            critical_factor(LSTM(hidden=2), bad)
