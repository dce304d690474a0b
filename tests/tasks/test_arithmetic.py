import functools
import re
from collections import Counter
from math import log

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import ValidationError
from scipy import special, stats

from rnnlab.tasks import TASKS, Arithmetic
from rnnlab.tasks.arithmetic import ALPHABET


@functools.cache
def draw(task, examples=2000, seed=0):
    keys = jax.random.split(jax.random.key(seed), examples)
    inputs, targets = jax.jit(jax.vmap(task.sample))(keys)
    assert inputs.shape == (examples, task.steps, 40)
    assert targets.shape == (examples, task.steps)
    assert set(np.unique(inputs)) <= {0.0, 1.0}
    return np.asarray(inputs), np.asarray(targets)


def read(inputs, target):
    """What is shown, and what is asked for with the steps at which it is."""
    counts = inputs.sum(axis=-1)
    shown = int(counts.sum())
    assert (counts[:shown] == 1).all()
    assert (counts[shown:] == 0).all()
    steps = np.nonzero(target >= 0)[0]
    answer = "".join(ALPHABET[symbol] for symbol in target[steps])
    return "".join(ALPHABET[symbol] for symbol in inputs[:shown].argmax(axis=-1)), answer, steps


def parse(shown):
    """The two numbers and the sign of an expression, and the letters behind each symbol."""
    expression, _, rest = shown.partition("=")
    symbols = re.findall(r"([0-9+-])([a-z]*)", expression)
    assert "".join(symbol + letters for symbol, letters in symbols) == expression
    plain = "".join(symbol for symbol, _ in symbols)
    one, sign, other = re.fullmatch(r"([1-9][0-9]*)([+-])([1-9][0-9]*)", plain).groups()
    return (one, sign, other), [letters for _, letters in symbols], rest


TASK_LIST = [Arithmetic(), Arithmetic(digits=1, distractors=0), Arithmetic(digits=3, distractors=2)]


@pytest.mark.parametrize("task", TASK_LIST, ids=repr)
def test_every_text_is_an_expression_and_its_result(task):
    for inputs, target in zip(*draw(task), strict=True):
        shown, answer, steps = read(inputs, target)
        (one, sign, other), letters, rest = parse(shown)
        result = int(one) + int(other) if sign == "+" else int(one) - int(other)

        assert answer == f"{result}."
        assert rest in (answer, answer[:-1])
        assert steps.tolist() == [shown.index("=") + i for i in range(len(answer))]
        assert max(len(one), len(other)) <= task.digits
        assert max(map(len, letters)) <= task.distractors


def test_an_example_fits_however_long():
    """With one digit and no distractors, 9 + 9 = 18. is the longest text, and is drawn."""
    task = Arithmetic(digits=1, distractors=0)
    texts = {read(*example)[0] for example in zip(*draw(task), strict=True)}
    assert task.steps == len("9+9=18.") - 1
    assert "9+9=18" in texts
    assert {"1-9=-8", "5-5=0."} <= texts
    assert Arithmetic().steps == len("9" * 17) * 4 + len("=199999998.") - 1


def test_lengths_signs_digits_and_letters_are_uniform():
    task = Arithmetic(digits=3, distractors=2)
    parsed = [parse(read(*example)[0]) for example in zip(*draw(task, 5000), strict=True)]
    numbers = [number for (one, _, other), _, _ in parsed for number in (one, other)]
    behind = [letters for _, each, _ in parsed for letters in each]

    assert_uniform(Counter(map(len, numbers)), 3)
    assert_uniform(Counter(sign for (_, sign, _), _, _ in parsed), 2)
    assert_uniform(Counter(number[0] for number in numbers), 9)
    assert_uniform(Counter("".join(number[1:] for number in numbers)), 10)
    assert_uniform(Counter(map(len, behind)), 3)
    assert_uniform(Counter("".join(behind)), 26)


def assert_uniform(counts, kinds):
    assert len(counts) == kinds
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3


def test_a_key_determines_the_example():
    task = Arithmetic()
    inputs, target = task.sample(jax.random.key(0))
    again, _ = task.sample(jax.random.key(0))
    other, _ = task.sample(jax.random.key(1))
    assert (inputs == again).all()
    assert (inputs != other).any()
    assert target.dtype == jnp.int32


def test_double_precision(float64):
    inputs, target = Arithmetic().sample(jax.random.key(0))
    assert inputs.dtype == jnp.float64
    assert target.dtype == jnp.int32


def test_loss_and_accuracy_against_loops(float64):
    task = Arithmetic(digits=2, distractors=1)
    rng = np.random.default_rng(0)
    for target in draw(task, 5)[1]:
        logits = 3 * rng.normal(size=(task.steps, 40))
        logits[np.arange(task.steps), target] += 2
        asked = [t for t, symbol in enumerate(target) if symbol >= 0]
        probabilities = special.softmax(logits, axis=-1)
        losses = [-log(probabilities[t, target[t]]) for t in asked]
        right = [logits[t].argmax() == target[t] for t in asked]

        example = jnp.asarray(logits), jnp.asarray(target)
        assert task.loss(*example) == pytest.approx(np.mean(losses))
        assert task.memory_loss(*example) == task.loss(*example)
        assert task.metric(*example) == pytest.approx(np.mean(right))
    assert task.loss_is_memory_loss


def test_what_is_not_asked_for_does_not_matter():
    task = Arithmetic(digits=2)
    _, (target,) = draw(task, 1)
    logits = jnp.zeros((task.steps, 40))
    noisy = jnp.where(jnp.asarray(target)[:, None] < 0, 7.0 * jnp.eye(40)[3], logits)
    assert task.loss(noisy, jnp.asarray(target)) == pytest.approx(log(40))


@pytest.mark.parametrize("digits", [3, 8])
def test_without_the_expression_the_answer_costs_about_a_digit_a_symbol(digits):
    """By counts: how often each symbol follows, given its place and the one before."""
    answers = [
        read(inputs, target)[1]
        for inputs, target in zip(*draw(Arithmetic(digits=digits), 20_000), strict=True)
    ]
    places = [
        (index, before, symbol)
        for answer in answers
        for index, (before, symbol) in enumerate(zip("=" + answer, answer, strict=False))
    ]
    joint, context = Counter(places), Counter((index, before) for index, before, _ in places)
    surprise = {place: -log(many / context[place[:2]]) for place, many in joint.items()}
    means = [
        np.mean(
            [surprise[index, b, s] for index, (b, s) in enumerate(zip("=" + a, a, strict=False))]
        )
        for a in answers
    ]
    baseline = Arithmetic(digits=digits).baseline
    assert baseline == pytest.approx(log(10))
    assert 0.8 < np.mean(means) / baseline < 1


def test_sizes():
    task = Arithmetic()
    assert len(set(ALPHABET)) == task.input_size == task.output_size == 40
    assert task.read_step is None
    assert task.threshold == pytest.approx(0.1 * task.baseline)
    assert task == Arithmetic(digits=8, distractors=3)
    assert TASKS["arithmetic"] is Arithmetic


@pytest.mark.parametrize(
    "options", [{"digits": 0}, {"digits": 9}, {"digits": 2.0}, {"distractors": -1}, {"digit": 3}]
)
def test_refuses(options):
    (key,) = options
    with pytest.raises(ValidationError, match=key):
        Arithmetic(**options)
