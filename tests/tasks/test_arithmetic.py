import functools
import itertools
import re
from collections import Counter
from math import log

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from rnnlab.support.errors import UserError
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


def least_loss(chances):
    """Of who knows the place in the answer and the symbol there, for answers and their chances."""
    joint, known = Counter(), Counter()
    for answer, chance in chances.items():
        text = f"{answer}."
        for index, (before, symbol) in enumerate(zip("=" + text, text, strict=False)):
            joint[index, before, symbol] += chance / len(text)
            known[index, before] += chance / len(text)
    assert sum(joint.values()) == pytest.approx(1, rel=1e-12)
    return sum(w * log(known[place[:2]] / w) for place, w in joint.items())


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_baseline_by_writing_down_every_answer(digits):
    chances = Counter()
    for count_a, count_b in itertools.product(range(1, digits + 1), repeat=2):
        a, b = (np.arange(10 ** (n - 1), 10**n) for n in (count_a, count_b))
        for results in (np.add.outer(a, b), np.subtract.outer(a, b)):
            values, how_often = np.unique(results, return_counts=True)
            for value, many in zip(values.tolist(), how_often.tolist(), strict=True):
                chances[value] += many / results.size / (2 * digits**2)
    assert Arithmetic(digits=digits).baseline == pytest.approx(least_loss(chances), rel=1e-9)


@pytest.mark.parametrize("digits", [1, 3, 8])
def test_baseline_by_the_answers_of_examples(digits):
    """By counts of what was drawn: how often each symbol follows, and what that costs."""
    task = Arithmetic(digits=digits)
    chances = Counter(
        read(inputs, target)[1][:-1] for inputs, target in zip(*draw(task, 20_000), strict=True)
    )
    share = {answer: many / 20_000 for answer, many in chances.items()}
    # Counts make it look less, by half a nat for each of up to 1,000 free frequencies in 20,000.
    assert task.baseline == pytest.approx(least_loss(share), rel=0.015)
    assert {1: 1.30, 3: 1.96, 8: 2.25}[digits] == pytest.approx(task.baseline, abs=0.005)
    assert task.baseline < log(10)


@pytest.mark.parametrize("distractors", [0, 3])
def test_baseline_does_not_depend_on_the_letters(distractors):
    task = Arithmetic(digits=8, distractors=distractors)
    assert task.baseline == Arithmetic(digits=8).baseline == pytest.approx(2.2530, abs=5e-5)
    assert task.threshold == pytest.approx(0.22530, abs=5e-6)


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
    with pytest.raises(UserError, match=key):
        Arithmetic(**options)
