import functools
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from rnnlab.support.errors import UserError
from rnnlab.tasks import Adding

EXAMPLES = 20_000


@functools.cache
def draw(task, seed=0):
    keys = jax.random.split(jax.random.key(seed), EXAMPLES)
    inputs, targets = jax.jit(jax.vmap(task.sample))(keys)
    return np.asarray(inputs), np.asarray(targets)


def marked_positions(inputs):
    """(examples, 2), in order."""
    return np.nonzero(inputs[:, :, 1])[1].reshape(-1, 2)


@pytest.mark.parametrize("markers", ["halves", "anywhere"])
@pytest.mark.parametrize("length", [2, 3, 8])
def test_examples_are_values_two_markers_and_the_marked_sum(length, markers):
    inputs, targets = draw(Adding(length=length, markers=markers))
    values, marks = inputs[:, :, 0], inputs[:, :, 1]

    assert inputs.shape == (EXAMPLES, length, 2)
    assert targets.shape == (EXAMPLES,)
    assert ((values >= 0) & (values < 1)).all()
    assert np.isin(marks, [0, 1]).all()
    assert (marks.sum(axis=1) == 2).all()
    np.testing.assert_allclose(targets, (values * marks).sum(axis=1), rtol=1e-6)


@pytest.mark.parametrize("length", [2, 3, 8])
def test_halves_marks_one_uniform_position_in_each_half(length):
    inputs, _ = draw(Adding(length=length))
    first, second = marked_positions(inputs).T
    half = length // 2

    assert first.max() < half <= second.min()
    pairs = np.bincount(first * (length - half) + second - half, minlength=half * (length - half))
    assert_uniform(pairs)


@pytest.mark.parametrize("length", [2, 3, 8])
def test_anywhere_marks_any_two_distinct_positions(length):
    inputs, _ = draw(Adding(length=length, markers="anywhere"))
    first, second = marked_positions(inputs).T

    assert_uniform(np.bincount(first * length + second, minlength=length**2)[upper(length)])


def upper(length):
    rows, columns = np.triu_indices(length, k=1)
    return rows * length + columns


def assert_uniform(counts):
    assert counts.sum() == EXAMPLES
    if len(counts) > 1:
        assert stats.chisquare(counts).pvalue > 1e-3


def test_values_are_uniform_wherever_the_markers_are():
    inputs, _ = draw(Adding(length=8))
    values, marks = inputs[:, :, 0], inputs[:, :, 1] == 1

    assert stats.kstest(values[marks], "uniform").pvalue > 1e-3
    assert stats.kstest(values[~marks], "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(values[:, 0], values[:, 1])[0, 1]) < 0.03


def test_a_key_determines_the_example():
    task = Adding(length=8)
    inputs, _ = task.sample(jax.random.key(0))
    again, _ = task.sample(jax.random.key(0))
    other, _ = task.sample(jax.random.key(1))

    assert (inputs == again).all()
    assert (inputs != other).any()


def test_loss_is_the_squared_error_of_the_last_output():
    task = Adding()
    outputs, target = jnp.array([[9.0], [0.25]]), jnp.array(1.5)

    assert task.loss(outputs, target) == pytest.approx((0.25 - 1.5) ** 2)
    assert task.memory_loss(outputs, target) == task.metric(outputs, target)
    assert task.memory_loss(outputs, target) == task.loss(outputs, target)
    assert task.loss_is_memory_loss
    assert np.arange(5)[task.output_steps].tolist() == [4]


@pytest.mark.parametrize("markers", ["halves", "anywhere"])
@pytest.mark.parametrize("length", [2, 3, 8, 9])
def test_baseline_is_the_error_of_who_sees_the_last_step_only(length, markers):
    """By simulation: a line through the targets where the last step is marked, and a constant."""
    task = Adding(length=length, markers=markers)
    inputs, targets = draw(task)
    value, is_marked = inputs[:, -1, 0], inputs[:, -1, 1] == 1
    squares = []
    for seen, own in ((value[is_marked], targets[is_marked]), (None, targets[~is_marked])):
        degree = 0 if seen is None else 1
        places = np.zeros(len(own)) if seen is None else seen
        if len(own):
            fitted = np.polyfit(places, own, degree)
            np.testing.assert_allclose(fitted, [1, 0.5] if degree else [1], atol=0.05)
            squares.append((np.polyval(fitted, places) - own) ** 2)
    assert np.concatenate(squares).mean() == pytest.approx(task.baseline, rel=0.03)


@pytest.mark.parametrize(
    ("length", "markers", "baseline"),
    [
        (2, "halves", Fraction(1, 12)),
        (3, "halves", Fraction(1, 6) - Fraction(1, 24)),
        (100, "halves", Fraction(1, 6) - Fraction(1, 600)),
        (2, "anywhere", Fraction(1, 12)),
        (3, "anywhere", Fraction(1, 9)),
        (600, "anywhere", Fraction(1, 6) - Fraction(1, 3600)),
    ],
)
def test_baseline_in_fractions(length, markers, baseline):
    task = Adding(length=length, markers=markers)
    assert task.baseline == pytest.approx(float(baseline), rel=1e-12)


def test_knowing_one_of_the_two_values_halves_the_error():
    inputs, targets = draw(Adding(length=8))
    first = marked_positions(inputs)[:, 0]
    answers = inputs[np.arange(EXAMPLES), first, 0] + 0.5

    assert np.mean((answers - targets) ** 2) == pytest.approx(1 / 12, rel=0.03)


def test_sizes_and_time_scales():
    task = Adding(length=8)

    assert (task.input_size, task.output_size) == (2, 1)
    assert task.read_step == 7
    assert task.t_max == 8.0
    assert Adding() == Adding(length=100, markers="halves")


@pytest.mark.parametrize(
    "options",
    [
        {"length": 1},
        {"length": 0},
        {"length": -5},
        {"length": 5.0},
        {"length": "5"},
        {"length": True},
        {"length": None},
        {"markers": "half"},
        {"markers": 2},
        {"lenght": 5},
    ],
)
def test_refuses(options):
    (key,) = options
    with pytest.raises(UserError, match=key):
        Adding(**options)
