from math import log

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from rnnlab.support.errors import UserError
from rnnlab.tasks import Copying

GAPS = ["fixed", "variable"]
BLANK = 0


def draw(task, examples=300, seed=0):
    """Input classes (examples, time) and target classes."""
    keys = jax.random.split(jax.random.key(seed), examples)
    inputs, targets = jax.jit(jax.vmap(task.sample))(keys)
    assert inputs.shape == (examples, task.steps, task.alphabet + 2)
    assert set(np.unique(inputs)) == {0.0, 1.0}
    assert (np.asarray(inputs).sum(axis=-1) == 1).all()
    return np.asarray(inputs).argmax(axis=-1), np.asarray(targets)


def delimiter_steps(task, shown):
    examples, steps = np.nonzero(shown == task.alphabet + 1)
    assert examples.tolist() == list(range(len(shown)))
    return steps


def literal_example(task, symbols, gap):
    blanks = [BLANK] * task.symbols
    shown = [*symbols, *[BLANK] * gap, task.alphabet + 1, *blanks]
    target = [*blanks, *[BLANK] * gap, BLANK, *symbols]
    padding = [BLANK] * (task.steps - len(shown))
    return shown + padding, target + padding


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize(("length", "symbols", "alphabet"), [(1, 1, 2), (2, 3, 8), (5, 2, 3)])
def test_examples_are_symbols_gap_delimiter_recall(length, symbols, alphabet, gap):
    task = Copying(length=length, symbols=symbols, alphabet=alphabet, gap=gap)
    shown, targets = draw(task)
    gaps = delimiter_steps(task, shown) - symbols

    assert task.steps == length + 2 * symbols + (gap == "variable")
    if gap == "fixed":
        assert (gaps == length - 1).all()
    else:
        assert set(gaps) == set(range(1, length + 1))
    for classes, target, m in zip(shown.tolist(), targets.tolist(), gaps, strict=True):
        assert min(classes[:symbols]) >= 1
        assert max(classes[:symbols]) <= alphabet
        assert (classes, target) == literal_example(task, classes[:symbols], m)


def test_one_example_of_each_gap():
    fixed = literal_example(Copying(length=4, symbols=2), [3, 7], gap=3)
    variable = literal_example(Copying(length=4, symbols=2, gap="variable"), [3, 7], gap=2)

    assert fixed == ([3, 7, 0, 0, 0, 9, 0, 0], [0, 0, 0, 0, 0, 0, 3, 7])
    assert variable == ([3, 7, 0, 0, 9, 0, 0, 0, 0], [0, 0, 0, 0, 0, 3, 7, 0, 0])


def test_symbols_are_uniform_and_independent():
    task = Copying(length=2, symbols=2, alphabet=4)
    shown, _ = draw(task, examples=20_000)
    pairs = (shown[:, 0] - 1) * 4 + shown[:, 1] - 1

    assert stats.chisquare(np.bincount(pairs, minlength=16)).pvalue > 1e-3


def test_variable_gap_is_uniform_from_one_to_length():
    task = Copying(length=6, symbols=1, gap="variable")
    shown, _ = draw(task, examples=20_000)
    counts = np.bincount(delimiter_steps(task, shown) - 1, minlength=7)

    assert counts[0] == 0
    assert len(counts) == 7
    assert stats.chisquare(counts[1:]).pvalue > 1e-3


def literal_losses(logits, target):
    probabilities = special.softmax(logits, axis=-1)
    return [-log(probabilities[t, k]) for t, k in enumerate(target)]


@pytest.mark.parametrize("gap", GAPS)
def test_losses_and_metric_against_loops(gap, float64):
    task = Copying(length=4, symbols=3, alphabet=5, gap=gap)
    rng = np.random.default_rng(0)
    for target in draw(task, examples=5)[1]:
        logits = 3 * rng.normal(size=(task.steps, task.output_size))
        losses = literal_losses(logits, target)
        recall = [t for t, k in enumerate(target) if k != BLANK]
        right = [logits[t].argmax() == target[t] for t in recall]

        assert len(recall) == 3
        example = jnp.asarray(logits), jnp.asarray(target)
        assert task.loss(*example) == pytest.approx(np.mean(losses))
        assert task.memory_loss(*example) == pytest.approx(np.mean([losses[t] for t in recall]))
        assert task.metric(*example) == pytest.approx(np.mean(right))


def test_metric_counts_the_recall_positions_only():
    task = Copying(length=3, symbols=2)
    _, (target,) = draw(task, examples=1)
    answer = np.full_like(target, 5)
    answer[-2:] = target[-2:]
    half_right = answer.copy()
    half_right[-1] = BLANK

    def metric(classes):
        return task.metric(jnp.eye(9)[classes], jnp.asarray(target))

    assert metric(answer) == 1
    assert metric(half_right) == 0.5
    assert metric(np.zeros_like(target)) == 0


def clock_logits(task, shown, symbol_logits):
    """The answer that knows when to recall but not what."""
    delimiter = delimiter_steps(task, shown)[:, None]
    time = np.arange(task.steps)
    recall = (time > delimiter) & (time <= delimiter + task.symbols)
    certainty = 100.0
    blank = np.r_[certainty, np.zeros(task.alphabet)]
    symbol = np.r_[-certainty, symbol_logits]
    return np.where(recall[:, :, None], symbol, blank)


@pytest.mark.parametrize("gap", GAPS)
def test_baseline_is_the_loss_of_the_best_memoryless_answer(gap, float64):
    task = Copying(length=5, symbols=3, alphabet=4, gap=gap)
    shown, targets = draw(task, examples=4000)

    def mean_losses(symbol_logits):
        logits = clock_logits(task, shown, symbol_logits)
        losses = jax.vmap(task.loss)(logits, targets)
        return losses.mean(), jax.vmap(task.memory_loss)(logits, targets).mean()

    loss, memory_loss = mean_losses(np.zeros(4))
    assert loss == pytest.approx(task.baseline, rel=1e-9)
    assert loss == pytest.approx(3 * log(4) / task.steps, rel=1e-9)
    assert memory_loss == pytest.approx(log(4), rel=1e-9)
    for preferred in 0.5 * np.eye(4):
        assert mean_losses(preferred)[0] > loss


def test_published_baselines():
    assert Copying(length=100).baseline == pytest.approx(0.173287, abs=5e-7)
    assert Copying(length=1000).baseline == pytest.approx(0.020387, abs=5e-7)
    assert Copying(length=100, gap="variable").baseline == pytest.approx(10 * log(8) / 121)
    assert Copying(length=100).threshold == pytest.approx(0.0173287, abs=5e-8)


def test_sizes_and_time_scales():
    fixed, variable = (Copying(length=20, symbols=3, gap=gap) for gap in GAPS)

    assert (fixed.input_size, fixed.output_size) == (10, 9)
    assert fixed.read_step == 22
    assert variable.read_step is None
    assert fixed.t_max == variable.t_max == 30.0
    assert not fixed.loss_is_memory_loss
    assert np.arange(4)[fixed.output_steps].tolist() == [0, 1, 2, 3]
    assert Copying() == Copying(length=100, symbols=10, alphabet=8, gap="fixed")


@pytest.mark.parametrize(
    "options",
    [
        {"length": 0},
        {"length": 3.0},
        {"length": True},
        {"symbols": 0},
        {"symbols": "3"},
        {"alphabet": 1},
        {"gap": "fixd"},
        {"gap": 3},
        {"symbol": 3},
    ],
)
def test_refuses(options):
    (key,) = options
    with pytest.raises(UserError, match=key):
        Copying(**options)
