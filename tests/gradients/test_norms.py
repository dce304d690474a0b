import jax.numpy as jnp
import numpy as np
import pytest

from rnnlab.gradients.norms import global_norm, log10_norm

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
