"""Sequences of the user's own, against loops over the arrays in the file."""

import io
from math import log
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

import rnnlab
from rnnlab.cells import LSTM
from rnnlab.support.errors import UserError
from rnnlab.tasks import Arrays, Examples
from rnnlab.tasks.array_file import Target
from rnnlab.training.objective import Batch, Objective

EXAMPLES, TIME, FEATURES, CLASSES, OUTPUTS = 10, 5, 3, 4, 2
LENGTHS = np.array([5, 1, 3, 2, 5, 4, 3, 1, 5, 2])
RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(EXAMPLES, TIME, FEATURES))
TARGETS = {
    ("last", "classes"): np.arange(EXAMPLES) % CLASSES,
    ("each", "classes"): RNG.permutation(np.arange(EXAMPLES * TIME) % CLASSES).reshape(-1, TIME),
    ("last", "numbers"): RNG.normal(size=(EXAMPLES, OUTPUTS)),
    ("each", "numbers"): RNG.normal(size=(EXAMPLES, TIME, OUTPUTS)),
    ("last", "number"): RNG.normal(size=EXAMPLES),
    ("each", "number"): RNG.normal(size=(EXAMPLES, TIME)),
}
TARGETS["each", "classes"][0] = np.arange(TIME) % CLASSES  # each class at a valid step


class Case(NamedTuple):
    """A task, and what its file holds."""

    task: Arrays
    at: str
    targets: np.ndarray
    lengths: np.ndarray

    @property
    def has_classes(self):
        return self.targets.dtype.kind == "i"

    def scored(self, example):
        """(time step, target) wherever there is one."""
        last = self.lengths[example] - 1
        if self.at == "last":
            return [(last, self.targets[example])]
        return [(t, self.targets[example, t]) for t in range(last + 1)]

    def literal(self, outputs, example):
        """Losses and metrics of outputs (time, outputs) at each step that has a target."""
        losses, metrics = [], []
        for t, target in self.scored(example):
            if self.has_classes:
                losses.append(-log(special.softmax(outputs[t])[target]))
                metrics.append(float(outputs[t].argmax() == target))
            else:
                losses.append(np.mean((outputs[t] - target) ** 2))
                metrics.append(losses[-1])
        return losses, metrics

    def target(self, example):
        targets = self.task.data.examples.targets
        return jax.tree.map(lambda leaf: jnp.asarray(leaf[example]), targets)


def save(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


@pytest.fixture(params=[(*key, padded) for key in TARGETS for padded in (False, True)], ids=str)
def case(request, tmp_path):
    at, kind, is_padded = request.param
    targets = TARGETS[at, kind]
    lengths = {"lengths": LENGTHS} if is_padded else {}
    path = save(tmp_path / "my.npz", inputs=INPUTS, targets=targets, **lengths)
    return Case(
        Arrays(path=path, targets_at=at),
        at,
        targets,
        LENGTHS if is_padded else np.full(EXAMPLES, TIME),
    )


def random_outputs(task, seed=0):
    return 3 * np.random.default_rng(seed).normal(size=(TIME, task.output_size))


# What the task says.


def test_losses_and_metric_against_loops(case, float64):
    task = case.task
    for example in range(EXAMPLES):
        outputs = random_outputs(task, example)
        losses, metrics = case.literal(outputs, example)
        read = jnp.asarray(outputs[task.output_steps]), case.target(example)
        assert task.loss(*read) == pytest.approx(np.mean(losses), rel=1e-12)
        assert task.metric(*read) == pytest.approx(np.mean(metrics), rel=1e-12)
        assert task.memory_loss(*read) == pytest.approx(losses[-1], rel=1e-12)


def test_losses_of_many_at_once_are_those_of_each(case, float64):
    task = case.task
    outputs = np.stack([random_outputs(task, example) for example in range(EXAMPLES)])
    targets = jax.tree.map(jnp.asarray, task.data.examples.targets)
    read = jnp.asarray(outputs)[:, task.output_steps]
    for scored in (task.loss, task.metric, task.memory_loss):
        each = [scored(read[n], case.target(n)) for n in range(EXAMPLES)]
        np.testing.assert_allclose(jax.vmap(scored)(read, targets), each, rtol=1e-12)


def best_by_the_clock(case):
    """The outputs (time, outputs) that lose least, each by the weights that examples have there."""
    outputs = np.zeros((TIME, CLASSES if case.has_classes else np.size(case.scored(0)[0][1])))
    steps = range(TIME) if case.at == "each" else [slice(None)]
    for step in steps:
        scored = [
            (1 / len(case.scored(n)), target)
            for n in range(EXAMPLES)
            for t, target in case.scored(n)
            if case.at == "last" or t == step
        ]
        weights, targets = zip(*scored, strict=True)
        if case.has_classes:
            shares = np.bincount(targets, weights, CLASSES) / sum(weights)
            outputs[step] = np.log(np.maximum(shares, 1e-30))
        else:
            outputs[step] = np.average(targets, axis=0, weights=weights)
    return outputs


def test_baseline_is_the_loss_of_the_best_answer_by_the_clock(case):
    """Of one constant where targets are at the last step, else of one for each step."""

    def mean_loss(answer):
        return np.mean([np.mean(case.literal(answer, n)[0]) for n in range(EXAMPLES)])

    best = best_by_the_clock(case)
    assert case.task.baseline == pytest.approx(mean_loss(best), rel=1e-6)
    for change in 0.1 * np.eye(best.shape[1]):
        assert min(mean_loss(best + change), mean_loss(best - change)) >= case.task.baseline
    if case.at == "each":
        constant = best.mean(axis=0, keepdims=True) + 0 * best
        assert case.task.baseline < mean_loss(constant)
    assert case.task.threshold == pytest.approx(0.1 * case.task.baseline)


def test_sizes_and_time_scales(case):
    task = case.task
    is_padded = len(set(case.lengths)) > 1
    sizes = {1: 1, 2: 1 if case.at == "each" else OUTPUTS, 3: OUTPUTS}
    outputs = CLASSES if case.has_classes else sizes[case.targets.ndim]
    assert (task.input_size, task.output_size, task.steps) == (FEATURES, outputs, TIME)
    assert task.t_max == TIME
    assert task.read_step == (None if is_padded else TIME - 1)
    assert task.loss_is_memory_loss == (case.at == "last")
    assert task.metric_name == ("accuracy" if case.has_classes else "squared error")
    only_last = case.at == "last" and not is_padded
    assert task.output_steps == (slice(-1, None) if only_last else slice(None))


def test_a_sample_is_an_example_of_the_file(case, float64):
    for seed in range(5):
        inputs, target = case.task.sample(jax.random.key(seed))
        (found,) = np.flatnonzero((INPUTS[:, 0] == np.asarray(inputs[0])).all(axis=1))
        length = case.lengths[found]
        np.testing.assert_array_equal(inputs[:length], INPUTS[found, :length])
        assert target.length == length
        values = np.asarray(target.values).reshape(-1)
        if case.at == "last":
            np.testing.assert_array_equal(values, case.targets[found].reshape(-1))


def test_threshold_of_the_users_own(tmp_path):
    path = save(tmp_path / "my.npz", inputs=INPUTS, targets=TARGETS["last", "number"])
    assert Arrays(path=path, threshold=0.25).threshold == 0.25
    assert rnnlab.Arrays is Arrays


def test_one_feature_of_any_type_of_number(tmp_path):
    for dtype in (bool, np.uint8, np.int64, np.float16, np.float32, np.float64):
        inputs = (INPUTS[:, :, :1] > 0).astype(dtype)
        path = save(tmp_path / "my.npz", inputs=inputs, targets=TARGETS["last", "number"])
        found = Arrays(path=path).data.examples.inputs
        assert found.dtype == (np.float64 if dtype in (np.int64, np.float64) else np.float32)
        np.testing.assert_array_equal(found, inputs)


# Padding.


def with_padding(array, content):
    """The array with other values after each sequence's end."""
    padded = array.copy()
    for example, length in enumerate(LENGTHS):
        padded[example, length:] = content
    return padded


@pytest.mark.parametrize(("at", "kind"), [("last", "classes"), ("each", "classes")])
@pytest.mark.parametrize("content", [7, -1])
def test_padding_of_classes_does_not_matter(tmp_path, at, kind, content):
    assert_padding_does_not_matter(tmp_path, at, kind, np.nan, content)


@pytest.mark.parametrize(("at", "kind"), [("last", "numbers"), ("each", "numbers")])
@pytest.mark.parametrize("content", [1e300, np.nan, np.inf])
def test_padding_of_numbers_does_not_matter(tmp_path, at, kind, content):
    assert_padding_does_not_matter(tmp_path, at, kind, content, content)


def assert_padding_does_not_matter(folder, at, kind, of_inputs, of_targets):
    targets = TARGETS[at, kind]
    other = with_padding(targets, of_targets) if at == "each" else targets
    files = [(INPUTS, targets), (with_padding(INPUTS, of_inputs), other)]
    found = []
    for number, (inputs, values) in enumerate(files):
        path = save(folder / f"{number}.npz", inputs=inputs, targets=values, lengths=LENGTHS)
        found.append(seen(Arrays(path=path, targets_at=at)))
    jax.tree.map(np.testing.assert_array_equal, *found)


def seen(task) -> Any:
    """Everything that a run learns of the data."""
    objective = Objective(LSTM(hidden=4), task)
    params = objective.init(jax.random.key(0))
    batch = Batch.of(jax.tree.map(jnp.asarray, task.data.examples))
    return (
        objective.gradient(params, batch),
        objective.evaluate(params, batch),
        objective.memory_norms(params, batch),
        (task.baseline, task.output_size),
    )


@pytest.mark.parametrize("at", ["last", "each"])
@pytest.mark.parametrize("kind", ["classes", "numbers"])
@pytest.mark.parametrize("content", [0.0, 1e30, np.nan, np.inf])
def test_outputs_at_padding_reach_no_loss_and_no_gradient(tmp_path, at, kind, content):
    path = save(tmp_path / "my.npz", inputs=INPUTS, targets=TARGETS[at, kind], lengths=LENGTHS)
    task = Arrays(path=path, targets_at=at)
    case = Case(task, at, TARGETS[at, kind], LENGTHS)
    for example, length in enumerate(LENGTHS):
        outputs = random_outputs(task, example)
        outputs[length:] = content
        losses, _ = case.literal(outputs, example)
        for loss, expected in ((task.loss, np.mean(losses)), (task.memory_loss, losses[-1])):
            value, slope = jax.value_and_grad(loss)(jnp.asarray(outputs), case.target(example))
            assert value == pytest.approx(expected, rel=1e-5)
            assert (slope[length:] == 0).all()
            assert (slope[length - 1] != 0).any()


@pytest.mark.parametrize("at", ["last", "each"])
def test_adjoints_of_a_padded_example_are_those_of_the_example_alone(tmp_path, at, float64):
    """Its gradient comes back from its own last step; after that it reads zero."""
    targets = TARGETS[at, "numbers"]
    path = save(tmp_path / "my.npz", inputs=INPUTS, targets=targets, lengths=LENGTHS)
    found = flow_of(Arrays(path=path, targets_at=at))
    for example, length in enumerate(LENGTHS):
        own = slice(example, example + 1)
        alone = targets[own, :length] if at == "each" else targets[own]
        with_another = np.concatenate([alone, alone + 1])
        inputs = np.repeat(INPUTS[own, :length], 2, axis=0)
        path = save(tmp_path / "one.npz", inputs=inputs, targets=with_another)
        share = 0.5
        expected = flow_of(Arrays(path=path, targets_at=at, evaluation_share=share))
        np.testing.assert_allclose(found[:length, example], expected[:, 0], atol=1e-9)
        assert np.isneginf(found[length:, example]).all()


def flow_of(task):
    """log10‖∂L/∂h_t‖ of the memory loss, (time, examples)."""
    objective = Objective(LSTM(hidden=4), task)
    params = objective.init(jax.random.key(0))
    batch = Batch.of(jax.tree.map(jnp.asarray, task.data.examples))
    return np.asarray(objective.memory_norms(params, batch)["h"][0])


def test_steps_at_which_every_sequence_is_padding_are_left_out(tmp_path):
    lengths = np.full(EXAMPLES, 3)
    path = save(
        tmp_path / "my.npz", inputs=INPUTS, targets=TARGETS["each", "numbers"], lengths=lengths
    )
    task = Arrays(path=path, targets_at="each")
    assert (task.steps, task.t_max, task.read_step) == (3, 3.0, 2)
    assert task.data.examples.targets.values.shape == (EXAMPLES, 3, OUTPUTS)


# Identity.


def test_tasks_are_equal_where_options_and_content_are(tmp_path):
    path = save(tmp_path / "my.npz", inputs=INPUTS, targets=TARGETS["last", "number"])
    one, same = Arrays(path=path), Arrays(path=path)
    assert (one, hash(one)) == (same, hash(same))
    assert one != Arrays(path=path, evaluation_share=0.5)
    save(tmp_path / "my.npz", inputs=INPUTS + 1, targets=TARGETS["last", "number"])
    assert one != Arrays(path=path)


def test_a_target_is_what_losses_take(tmp_path):
    path = save(tmp_path / "my.npz", inputs=INPUTS, targets=TARGETS["last", "classes"])
    examples = Arrays(path=path).data.examples
    assert isinstance(examples, Examples)
    assert isinstance(examples.targets, Target)
    assert examples.targets.values.dtype == examples.targets.length.dtype == np.int32


# Mistakes.

GOOD = {"inputs": INPUTS, "targets": TARGETS["last", "number"]}


def bad(array, *index, value=np.nan):
    changed = np.array(array)
    changed[index] = value
    return changed


MISTAKES = [
    ({"inputs": INPUTS}, {}, ["lacks targets", "it has inputs"]),
    ({"targets": INPUTS}, {}, ["lacks inputs"]),
    (GOOD | {"length": LENGTHS}, {}, ["length: is no known key", "'lengths'"]),
    (GOOD | {"inputs": np.array([[1], [1, 2]], object)}, {}, ["inputs: has type object"]),
    (GOOD | {"targets": np.array([None] * EXAMPLES)}, {}, ["targets: has type object"]),
    (GOOD | {"inputs": INPUTS.astype(str)}, {}, ["inputs: has type <U", "real numbers"]),
    (GOOD | {"inputs": INPUTS + 1j}, {}, ["inputs: has type complex128"]),
    (
        GOOD | {"inputs": INPUTS[:, :, 0]},
        {},
        ["inputs: has shape (10, 5)", "(examples, time, features)", "[:, :, None]"],
    ),
    (GOOD | {"inputs": INPUTS[:, :0]}, {}, ["inputs: has shape (10, 0, 3)", "none of them 0"]),
    (GOOD | {"inputs": bad(INPUTS, 3, 1, 2)}, {}, ["inputs: 1 of 150", "NaN", "[3, 1, 2]"]),
    (GOOD | {"inputs": bad(INPUTS, 3, 1, 2, value=1e39)}, {}, ["inputs: 1 of 150", "float32"]),
    (GOOD | {"lengths": LENGTHS[:-1]}, {}, ["lengths: has shape (9,)", "(10,)"]),
    (GOOD | {"lengths": LENGTHS + 0.0}, {}, ["lengths: has type float64", "integers"]),
    (GOOD | {"lengths": bad(LENGTHS, 2, value=0)}, {}, ["lengths: 0 of example 2", "1 to 5"]),
    (GOOD | {"lengths": bad(LENGTHS, 2, value=6)}, {}, ["lengths: 6 of example 2", "1 to 5"]),
    (GOOD | {"targets": np.ones(EXAMPLES, bool)}, {}, ["targets: has type bool", "integers"]),
    (
        GOOD | {"targets": TARGETS["last", "number"][:-1]},
        {},
        ["targets: has shape (9,)", "floats is (10,) or (10, outputs)", "targets_at: last"],
    ),
    (GOOD | {"targets": TARGETS["last", "classes"][:-1]}, {}, ["integers is (10,), (examples)"]),
    (GOOD | {"targets": TARGETS["each", "classes"]}, {}, ["integers is (10,), (examples)"]),
    (GOOD | {"targets": TARGETS["each", "numbers"]}, {}, ["targets: has shape (10, 5, 2)"]),
    (GOOD | {"targets": np.zeros((EXAMPLES, 0))}, {}, ["targets: has shape (10, 0)"]),
    (
        GOOD,
        {"targets_at": "each"},
        ["floats is (10, 5) or (10, 5, outputs), (examples, time)", "targets_at: each"],
    ),
    (
        GOOD | {"targets": TARGETS["last", "classes"]},
        {"targets_at": "each"},
        ["integers is (10, 5), (examples, time)"],
    ),
    (GOOD | {"targets": bad(GOOD["targets"], 4)}, {}, ["targets: 1 of 10", "NaN", "[4, 0]"]),
    (
        GOOD | {"targets": bad(TARGETS["last", "classes"], 4, value=-1)},
        {},
        ["targets: has class -1", "from 0"],
    ),
    (
        GOOD | {"targets": bad(TARGETS["last", "classes"], 4, value=20_230_401)},
        {},
        ["targets: has class 20230401", "as floats"],
    ),
    (GOOD | {"targets": np.full(EXAMPLES, 0.1)}, {}, ["targets: every one is [0.1]"]),
    (GOOD | {"targets": np.full(EXAMPLES, 3)}, {}, ["targets: every one is 3"]),
    (
        GOOD | {"targets": TARGETS["each", "number"]},
        {},
        ["targets: has shape (10, 5), and inputs have 5 time steps", "add targets_at: each if"],
    ),
    (
        GOOD | {"inputs": np.swapaxes(INPUTS, 0, 1)},
        {},
        ["inputs: has shape (5, 10, 3), and targets (10,)", "np.swapaxes(inputs, 0, 1)"],
    ),
    (GOOD, {"evaluation_share": 0.01}, ["10 examples are too few", "holds out 0", "leaves 10"]),
    (GOOD, {"evaluation_share": 0.99}, ["10 examples are too few", "holds out 10", "leaves 0"]),
]


@pytest.mark.parametrize(("arrays", "options", "parts"), MISTAKES, ids=str)
def test_refuses_a_file_in_one_sentence_that_names_it(tmp_path, arrays, options, parts):
    path = save(tmp_path / "my.npz", **arrays)
    with pytest.raises(UserError) as caught:
        Arrays(path=path, **options)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert len(message.splitlines()) == 1
    for part in parts:
        assert part in message


def test_as_many_outputs_as_time_steps_if_it_is_said(tmp_path):
    path = save(tmp_path / "my.npz", **GOOD | {"targets": TARGETS["each", "number"]})
    assert Arrays(path=path, targets_at="last").output_size == TIME
    assert Arrays(path=path, targets_at="each").output_size == 1


def npz_bytes(**arrays):
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def npy_bytes(array):
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


WHOLE = npz_bytes(**GOOD)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "is no .npz file"),
        (b"hello", "is no .npz file"),
        (npy_bytes(INPUTS), "is no .npz file"),
        (b"\x80\x04K\x01.", "is no .npz file"),
        (WHOLE[: len(WHOLE) // 2], "cannot be read"),
        (WHOLE[:200] + bytes(100) + WHOLE[300:], "inputs: cannot be read"),
        (npz_bytes(), "lacks inputs and targets; it has nothing"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_refuses_what_is_no_such_file(tmp_path, content, part):
    path = tmp_path / "my.npz"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"my\.npz") as caught:
        Arrays(path=str(path))
    assert part in str(caught.value)


def test_refuses_a_file_that_is_missing(tmp_path):
    with pytest.raises(UserError, match=r"my\.npz: cannot be read: No such file"):
        Arrays(path=str(tmp_path / "my.npz"))


@pytest.mark.parametrize(
    "options",
    [
        {"path": 3},
        {"targets_at": "first"},
        {"evaluation_share": 0.0},
        {"evaluation_share": 1.0},
        {"evaluation_share": "0.2"},
        {"threshold": 0.0},
        {"threshold": float("inf")},
        {"solved_below": 0.1},
        {"targets": "each"},
    ],
)
def test_refuses(options):
    (key,) = options
    with pytest.raises(UserError, match=key):
        Arrays(**({"path": "my.npz"} | options))
