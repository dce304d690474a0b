import jax.numpy as jnp
import numpy as np
import pytest

from rnnlab.training.quantities import gradients
from rnnlab.training.quantities.gates import gate_statistics, quantiles
from rnnlab.training.skipping import recorded

DTYPES = ["float32", "float64"]
pytestmark = pytest.mark.usefixtures("float64")


def log10_norms(rng, dtype, shape=(2, 3, 7)):
    return (rng.normal(size=shape) * 3 - 10).astype(dtype)


def assert_statistics(actual, expected, dtype):
    """Every statistic (layers, time) against a function of one (layer, time)'s values."""
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        is_fraction = name in ("zero_fraction", "below_0_1", "above_0_9")
        tolerance = 1e-13 if dtype == "float64" and not is_fraction else 2e-6
        np.testing.assert_allclose(actual[name], value, rtol=tolerance, err_msg=name)


def adjoint_statistics(log10_norms):
    """As the tables have them, outside compiled code."""
    return recorded(gradients.adjoint_statistics(log10_norms))


def by_layer_and_time(function, values):
    rows = [[function(values[layer, t]) for t in range(values.shape[1])] for layer in range(2)]
    return {name: [[one[name] for one in row] for row in rows] for name in rows[0][0]}


def literal_adjoint_statistics(log10_norms):
    log10_norms = log10_norms.astype(float)
    nonzero = log10_norms[log10_norms != -np.inf]
    quantiles = np.quantile(nonzero, [0.1, 0.5, 0.9]) if nonzero.size else [np.nan] * 3
    return {
        "log10_mean": nonzero.mean() if nonzero.size else np.nan,
        **dict(zip(["log10_q10", "log10_q50", "log10_q90"], quantiles, strict=True)),
        "zero_fraction": 1 - nonzero.size / log10_norms.size,
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("examples", [1, 2, 7, 32])
def test_adjoint_statistics_are_over_the_nonzero_examples(dtype, examples):
    rng = np.random.default_rng(examples)
    values = log10_norms(rng, dtype, (2, 6, examples))
    values[rng.random(values.shape) < 0.4] = -np.inf
    values[1, 2] = -np.inf
    values[0, 1] = -20.0

    expected = by_layer_and_time(literal_adjoint_statistics, values)
    assert_statistics(adjoint_statistics(jnp.asarray(values)), expected, dtype)


def test_adjoint_statistics_where_every_example_reads_zero():
    statistics = adjoint_statistics(jnp.full((1, 1, 4), -jnp.inf))

    assert statistics.pop("zero_fraction") == 1
    assert all(np.isnan(value).all() for value in statistics.values())


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_adjoint_that_is_not_finite_is_not_left_out(value):
    values = np.array([[[-3.0, value, -np.inf, -5.0]], [[-3.0, -4.0, -np.inf, -5.0]]])
    statistics = adjoint_statistics(jnp.asarray(values))

    np.testing.assert_array_equal(statistics["log10_mean"], [[value], [-4.0]])
    np.testing.assert_array_equal(statistics["zero_fraction"], [[0.25], [0.25]])


def literal_gate_statistics(gate):
    gate = gate.astype(float).ravel()
    return {
        "mean": gate.mean(),
        "std": gate.std(),
        "q10": np.quantile(gate, 0.1),
        "q90": np.quantile(gate, 0.9),
        "below_0_1": np.mean(gate < 0.1),
        "above_0_9": np.mean(gate > 0.9),
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("batch", "hidden"), [(1, 1), (1, 2), (5, 3), (8, 16)])
def test_gate_statistics_are_over_units_and_batch(dtype, batch, hidden):
    values = np.random.default_rng(batch).beta(0.4, 0.4, (2, 4, batch, hidden)).astype(dtype)
    values[0, 1] = 0.0
    values[1, 1] = 1.0
    values[0, 2] = np.finfo(dtype).tiny

    expected = by_layer_and_time(literal_gate_statistics, values)
    assert_statistics(gate_statistics(jnp.asarray(values)), expected, dtype)


def test_gates_of_any_shape_are_over_all_their_units():
    values = np.random.default_rng(3).beta(0.4, 0.4, (2, 4, 5, 6)).astype("float32")
    expected = gate_statistics(jnp.asarray(values))
    of_matrices = gate_statistics(jnp.asarray(values.reshape(2, 4, 5, 2, 3)))
    of_scalars = gate_statistics(jnp.asarray(values[..., 0]))
    for name, value in expected.items():
        np.testing.assert_array_equal(of_matrices[name], value, err_msg=name)
    np.testing.assert_allclose(of_scalars["mean"], values[..., 0].mean(-1), rtol=1e-6)


def test_saturation_excludes_the_bounds_themselves():
    values = jnp.array([0.1, 0.9, 0.05, 0.95, 0.99]).reshape(1, 1, 1, 5)
    statistics = gate_statistics(values)

    assert statistics["below_0_1"] == 0.2
    assert statistics["above_0_9"] == 0.4


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_gate_that_is_not_a_number_shows_in_every_moment_and_quantile(sign):
    values = np.linspace(0, 1, 20).reshape(1, 1, 4, 5)
    values[0, 0, 2, 2] = np.copysign(np.nan, sign)
    statistics = gate_statistics(jnp.asarray(values))

    for name in ("mean", "std", "q10", "q90"):
        assert np.isnan(statistics[name]), name


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 2, 3, 10, 11, 31, 101])
def test_quantiles_against_numpy(dtype, n):
    rng = np.random.default_rng(n)
    values = np.where(rng.random((3, 2, n)) < 0.2, 0, 10 ** rng.uniform(-30, 30, (3, 2, n)))
    levels = [0.0, 0.1, 0.25, 0.5, 0.9, 1.0]
    actual = quantiles(jnp.asarray(values, dtype), *levels)

    expected = np.quantile(values.astype(dtype).astype(float), levels, axis=-1)
    np.testing.assert_allclose(actual, expected, rtol=1e-5 if dtype == "float32" else 1e-12)


def test_quantiles_of_signed_values():
    values = np.random.default_rng(0).normal(size=(3, 2, 31))
    q10, q90 = quantiles(jnp.asarray(values), 0.1, 0.9)
    np.testing.assert_allclose(q10, np.quantile(values.astype(q10.dtype), 0.1, axis=-1), rtol=1e-5)
    np.testing.assert_allclose(q90, np.quantile(values.astype(q90.dtype), 0.9, axis=-1), rtol=1e-5)
