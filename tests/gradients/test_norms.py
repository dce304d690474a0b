import jax.numpy as jnp
import numpy as np
import pytest

from rnnlab.gradients.norms import (
    by_lapack,
    global_norm,
    log10_norm,
    log10_spectral_norm,
    spectral_norm,
)

inf, nan = np.inf, np.nan


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape)


@pytest.mark.parametrize("scale", [1e-30, 1e-22, 1e-3, 1.0, 1e5, 1e22, 1e36])
def test_log10_norm_neither_underflows_nor_overflows_in_float32(scale):
    x = jnp.asarray(scale * normal(3, 2, 5), dtype=jnp.float32)
    expected = np.log10(np.linalg.norm(np.asarray(x, dtype=float), axis=-1))
    actual = log10_norm(x)
    assert actual.shape == (3, 2)
    assert actual.dtype == jnp.float32
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5)


def test_log10_norm_of_entries_of_very_different_size():
    x = jnp.array([[1e-30, 1e-10, 0.0], [1e-30, 1.0, -1e30], [0.0, -1e-30, 0.0]])
    np.testing.assert_allclose(log10_norm(x), [-10, 30, -30], atol=1e-5)


def test_log10_norm_of_zero_infinite_and_undefined_entries():
    x = jnp.array([[0.0, 0.0], [inf, 1.0], [-inf, 0.0], [nan, 1.0], [nan, inf], [0.0, nan]])
    np.testing.assert_array_equal(log10_norm(x), [-inf, inf, inf, nan, nan, nan])


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_global_norm_is_the_norm_of_all_entries_together(scale):
    tree = {"W": jnp.asarray(scale * normal(3, 2), jnp.float32), "b": (jnp.float32(2 * scale),)}
    entries = np.append(np.asarray(tree["W"], dtype=float).ravel(), 2 * scale)
    assert global_norm(tree).shape == ()
    np.testing.assert_allclose(global_norm(tree), np.linalg.norm(entries), rtol=1e-5)


@pytest.mark.parametrize(("entry", "expected"), [(0.0, 0.0), (inf, inf), (-inf, inf), (nan, nan)])
def test_global_norm_of_zero_infinite_and_undefined_entries(entry, expected):
    tree = {"W": jnp.zeros((3, 2)), "b": jnp.array([entry])}
    np.testing.assert_equal(float(global_norm(tree)), expected)


@pytest.mark.parametrize("scale", [1e-34, 1e-22, 1.0, 1e22, 1e36])
@pytest.mark.parametrize("shape", [(3, 2, 5, 4), (3, 2, 4, 5), (3, 2, 1, 6)])
def test_log10_spectral_norm_neither_underflows_nor_overflows_in_float32(shape, scale):
    matrix = jnp.asarray(scale * normal(*shape), dtype=jnp.float32)
    exact = np.asarray(matrix, dtype=float)
    largest = np.sqrt(np.linalg.eigvalsh(exact @ exact.swapaxes(-2, -1))[..., -1])
    actual = log10_spectral_norm(matrix)
    assert actual.shape == (3, 2)
    assert actual.dtype == jnp.float32
    np.testing.assert_allclose(actual, np.log10(largest), rtol=0, atol=1e-5)


def test_log10_spectral_norm_of_entries_of_very_different_size():
    matrices = jnp.array([np.diag([1e-30, 1e-10]), np.diag([-1e30, 1.0]), [[0, 3e-30], [4e-30, 0]]])
    expected = [-10, 30, np.log10(4) - 30]
    np.testing.assert_allclose(log10_spectral_norm(matrices), expected, atol=1e-5)


def test_log10_spectral_norm_of_zero_and_undefined_entries():
    matrices = jnp.array([np.zeros((2, 2)), [[nan, 1.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 0.0]]])
    np.testing.assert_array_equal(log10_spectral_norm(matrices), [-inf, nan, 0])


@pytest.mark.parametrize("leading", [(), (4,), (2, 3), (0,)])
def test_each_matrix_is_decomposed(leading):
    matrices = normal(*leading, 3, 3).astype("float32")
    norms = spectral_norm(jnp.asarray(matrices))
    np.testing.assert_allclose(norms, np.linalg.norm(matrices, 2, axis=(-2, -1)), rtol=1e-5)
    eigenvalues = by_lapack(jnp.linalg.eigvals, jnp.asarray(matrices))
    assert eigenvalues.shape == (*leading, 3)
    products = np.asarray(eigenvalues).prod(axis=-1)
    np.testing.assert_allclose(products, np.linalg.det(matrices), atol=1e-5)
