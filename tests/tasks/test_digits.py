"""The digits, against scikit-learn's own arrays."""

import sys
from collections import Counter
from math import log

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

from rnnlab.support.errors import UserError
from rnnlab.tasks import Digits, digits


def images():
    return pytest.importorskip("sklearn.datasets").load_digits()


def test_examples_are_the_images_pixel_by_pixel():
    found = images()
    inputs, targets = Digits().data.examples
    assert inputs.shape == (1797, 64, 1)
    assert (inputs.min(), inputs.max()) == (0, 1)
    np.testing.assert_array_equal(targets, found.target)
    for n in (0, 1, 1796):
        for row in range(8):
            for column in range(8):
                assert inputs[n, 8 * row + column, 0] == found.images[n, row, column] / 16


def test_permuted_is_one_order_of_the_pixels():
    images()
    plain, permuted = (Digits(permuted=p).data.examples for p in (False, True))
    order = np.random.default_rng(0).permutation(64)
    assert sorted(order) == list(range(64)) != list(order)
    for t in range(64):
        np.testing.assert_array_equal(permuted.inputs[:, t], plain.inputs[:, order[t]])
    np.testing.assert_array_equal(permuted.targets, plain.targets)
    assert Digits() != Digits(permuted=True)


def test_loss_and_metric_are_of_the_last_output(float64):
    images()
    task = Digits()
    outputs = 3 * np.random.default_rng(0).normal(size=(2, 10))
    for digit in range(10):
        read = jnp.asarray(outputs), jnp.asarray(digit, jnp.int32)
        probability = special.softmax(outputs[-1])[digit]
        assert task.loss(*read) == pytest.approx(-log(probability), rel=1e-12)
        assert task.memory_loss(*read) == task.loss(*read)
        assert task.metric(*read) == (outputs[-1].argmax() == digit)
    assert task.loss_is_memory_loss
    assert np.arange(64)[task.output_steps].tolist() == [63]


@pytest.mark.parametrize("permuted", [False, True])
def test_baseline_is_the_entropy_of_the_digits_given_the_last_pixel(permuted):
    task = Digits(permuted=permuted)
    last = np.random.default_rng(0).permutation(64)[-1] if permuted else 63
    seen = list(zip(images().data[:, last], images().target, strict=True))
    both, pixels = Counter(seen), Counter(pixel for pixel, _ in seen)
    entropy = sum(n / 1797 * log(pixels[pixel] / n) for (pixel, _), n in both.items())
    assert task.baseline == pytest.approx(entropy, rel=1e-12)
    assert task.baseline == pytest.approx(2.2973 if permuted else 2.2076, abs=1e-4)
    assert task.baseline < log(10)
    assert task.threshold == pytest.approx(0.1 * entropy)


def test_sizes_and_time_scales():
    images()
    task = Digits()
    assert (task.input_size, task.output_size, task.steps) == (1, 10, 64)
    assert (task.read_step, task.t_max) == (63, 64.0)
    assert task.metric_name == "accuracy"
    inputs, target = task.sample(jax.random.key(0))
    assert inputs.shape == (64, 1)
    assert 0 <= target < 10


@pytest.mark.parametrize("options", [{"permuted": 1}, {"evaluation_share": 2.0}, {"length": 5}])
def test_refuses(options):
    (key,) = options
    with pytest.raises(UserError, match=key):
        Digits(**options)


def test_says_what_is_missing(monkeypatch):
    digits._digits.cache_clear()
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(UserError, match=r"digits needs scikit-learn: pip install 'rnnlab\[digits"):
        Digits()
