"""A task of the user's own that breaks a promise is told so, with the line, before it trains."""

import textwrap
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from in_process import rnnlab as command

from rnnlab import Task, UserError
from rnnlab.config.sweep import load_experiment
from rnnlab.tasks import TASKS, DataTask, Examples
from rnnlab.tasks.checks import check_task
from rnnlab.tasks.data_set import DataSet

STEPS = 6


class FirstSign(Task):
    """The task of docs/extending.md, shorter; others below break one promise each."""

    input_size: ClassVar[int] = 1
    output_size: ClassVar[int] = 1
    baseline: ClassVar[float] = 0.25
    threshold: ClassVar[float] = 0.02
    read_step: ClassVar[int] = STEPS - 1

    def sample(self, key):
        noise = jax.random.normal(key, (STEPS, 1))
        return noise, (noise[0, 0] > 0).astype(float)

    def loss(self, outputs, target):
        return (outputs[-1, 0] - target) ** 2


class LossOfEachStep(FirstSign):
    def loss(self, outputs, target):
        return (outputs[:, 0] - target) ** 2


class MetricOfEachStep(FirstSign):
    def metric(self, outputs, target):
        return jnp.abs(outputs[:, 0] - target)


class MemoryLossOfEachOutput(FirstSign):
    def memory_loss(self, outputs, target):
        return (outputs[-1] - target) ** 2


class CountAsLoss(FirstSign):
    def loss(self, outputs, target):
        return jnp.sum(outputs > 0)


class NumPysNoise(FirstSign):
    def sample(self, key):
        noise = np.random.default_rng().normal(size=(STEPS, 1))
        return jnp.asarray(noise, dtype=float), (noise[0, 0] > 0).astype(float)


class NumPysNoiseAndAKey(FirstSign):
    def sample(self, key):
        noise = np.random.default_rng().normal(size=(STEPS, 1))
        return noise + jax.random.normal(key, (STEPS, 1)), 1.0


class NumPysNoiseWithinALoop(FirstSign):
    def sample(self, key):
        def step(carry, _):
            return carry * 0.9 + np.random.default_rng().normal(), carry[None]

        return jax.lax.scan(step, jax.random.normal(key), length=STEPS)[1], 1.0


class NumPysLength(FirstSign):
    lengths: ClassVar[list[int]] = [STEPS, STEPS + 1]

    def sample(self, key):
        self.lengths.append(self.lengths.pop(0))
        noise = jax.random.normal(key, (self.lengths[0], 1))
        return noise, jnp.full(self.lengths[0], 1.0)


class SeededNoise(FirstSign):
    def sample(self, key):
        noise = np.random.default_rng(0).normal(size=(STEPS, 1))
        return jnp.asarray(noise, dtype=float), 1.0


class FlatInputs(FirstSign):
    def sample(self, key):
        return jax.random.normal(key, (STEPS,)), 1.0


class ThreeResults(FirstSign):
    def sample(self, key):
        noise = jax.random.normal(key, (STEPS, 1))
        return noise, noise[0, 0], noise[1, 0]


class OnlyInputs(FirstSign):
    def sample(self, key):
        return jax.random.normal(key, (STEPS, 1))


class ComplexInputs(FirstSign):
    def sample(self, key):
        return jax.random.normal(key, (STEPS, 1), complex), 1.0


class TwoFeatures(FirstSign):
    def sample(self, key):
        return jax.random.normal(key, (STEPS, 2)), 1.0


class TextAsTarget(FirstSign):
    def sample(self, key):
        return jax.random.normal(key, (STEPS, 1)), "positive"


class BaselineAsMethod(FirstSign):
    def baseline(self):
        return 0.25


class NaNThreshold(FirstSign):
    threshold: ClassVar[float] = float("nan")


class HalfAReadStep(FirstSign):
    read_step: ClassVar[float] = 2.5


class ReadStepBeyondTheEnd(FirstSign):
    read_step: ClassVar[int] = STEPS


class OneOutputStep(FirstSign):
    output_steps: ClassVar[int] = -1


class NoOutputStep(FirstSign):
    output_steps: ClassVar[slice] = slice(STEPS, None)


class Fails(FirstSign):
    @property
    def t_max(self):
        raise RuntimeError("no such luck")


MISTAKES = {
    LossOfEachStep: r"\.loss must return one number for an example, got shape \(6,\)",
    MetricOfEachStep: r"\.metric must return one number for an example, got shape \(6,\)",
    MemoryLossOfEachOutput: r"\.memory_loss must return one number .* got shape \(1,\)",
    CountAsLoss: r"\.loss must return a float, got int32",
    NumPysNoise: r"\.sample draws numbers that do not come from its key",
    NumPysNoiseAndAKey: r"\.sample draws numbers that do not come from its key",
    NumPysNoiseWithinALoop: r"\.sample draws numbers that do not come from its key",
    NumPysLength: r"\.sample draws numbers that do not come from its key",
    SeededNoise: r"\.sample does not use its key, so that all examples are the same",
    FlatInputs: r"\.sample must return inputs \(time, features\), got shape \(6,\); inputs\[:, No",
    ThreeResults: r"\.sample must return two results, inputs and a target, got 3 results",
    OnlyInputs: r"\.sample must return two results, inputs and a target, got ShapeDtypeStruct",
    ComplexInputs: r"\.sample must return inputs of real numbers, got complex64",
    TwoFeatures: r"\.sample returns inputs of 2 features, .* and input_size is 1",
    TextAsTarget: r"\.sample fails: TypeError: .*positive",
    BaselineAsMethod: r"\.baseline must be a finite number, got a method: write @property above",
    NaNThreshold: r"\.threshold must be a finite number, got nan",
    HalfAReadStep: r"\.read_step must be a time step, or None where examples differ, got 2\.5",
    ReadStepBeyondTheEnd: r"\.read_step is 6, and inputs end at step 5",
    OneOutputStep: r"\.output_steps must be a slice, got -1",
    NoOutputStep: r"\.output_steps .* selects none of 6 time steps",
    Fails: r"\.t_max fails: RuntimeError: no such luck",
}


@pytest.mark.parametrize("kind", MISTAKES, ids=lambda kind: kind.__name__)
def test_a_broken_promise(kind):
    with pytest.raises(ValueError, match=kind.__name__ + MISTAKES[kind]):
        check_task(kind())


class Pattern(FirstSign):
    """One sequence, to be learnt by heart."""

    has_one_example: ClassVar[bool] = True

    def sample(self, key):
        return jnp.ones((STEPS, 1)), jnp.sin(jnp.arange(STEPS))

    def loss(self, outputs, target):
        return jnp.mean((outputs[:, 0] - target) ** 2)


class FrozenNoise(FirstSign):
    """Made once with the class, as part of the task."""

    noise: ClassVar = np.random.default_rng(0).normal(size=(STEPS, 1))

    def sample(self, key):
        sign = jax.random.choice(key, jnp.array([-1.0, 1.0]))
        return self.noise * sign, sign

    def metric(self, outputs, target):
        return (outputs[-1, 0] > 0) == (target > 0)


class Classes(FirstSign):
    """Whole numbers as inputs, and a target of several arrays."""

    output_size: ClassVar[int] = 3
    read_step: ClassVar[None] = None

    def sample(self, key):
        shown = jax.random.randint(key, (STEPS, 1), 0, 3)
        return shown, {"first": shown[0, 0], "last": shown[-1, 0]}

    def loss(self, outputs, target):
        return -jax.nn.log_softmax(outputs[-1])[target["first"]]


@pytest.mark.parametrize("kind", [FirstSign, Pattern, FrozenNoise, Classes])
@pytest.mark.parametrize("double", [False, True])
def test_promises_that_are_kept(kind, double):
    check_task(kind(), double)


@pytest.mark.parametrize("kind", [kind for kind in TASKS if kind != "arrays"])
def test_built_in_tasks_keep_them(kind):
    check_task(TASKS[kind]())


# Tasks on a data set.


class OwnData(DataTask):
    output_size: ClassVar[int] = 1
    baseline: ClassVar[float] = 0.25
    read_step: ClassVar[int] = STEPS - 1
    what: str = "floats"

    @property
    def data(self):
        inputs = np.arange(10.0 * STEPS).reshape(10, STEPS, 1)
        targets = np.arange(10)
        examples = {
            "floats": Examples(inputs, targets),
            "complex": Examples(inputs * 1j, targets),
            "flat": Examples(inputs[..., 0], targets),
            "fewer targets": Examples(inputs, targets[:5]),
            "booleans": Examples(inputs, targets > 3),
            "a list": Examples(inputs, targets.tolist()),
        }
        return DataSet(self.what, self.what, examples[self.what])

    @property
    def input_size(self):
        return 1

    def loss(self, outputs, target):
        return (outputs[-1, 0] - target) ** 2


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("complex", r"must hold NumPy arrays of floats or of integers, got complex128"),
        ("flat", r"must return inputs \(time, features\), got shape \(6,\)"),
        ("fewer targets", r"must hold arrays with one entry an example, got \(10, 6, 1\), \(5,\)"),
        ("booleans", r"must hold NumPy arrays of floats or of integers, got bool"),
        ("a list", r"must hold NumPy arrays of floats or of integers, got int"),
    ],
)
def test_data_of_another_kind(what, message):
    check_task(OwnData())
    with pytest.raises(ValueError, match=r"OwnData\.data " + message):
        check_task(OwnData(what=what))


# Through a config.

OWN = """
    from typing import ClassVar
    import jax, jax.numpy as jnp
    from rnnlab import Task

    class Mine(Task):
        input_size: ClassVar[int] = 1
        output_size: ClassVar[int] = 1
        baseline: ClassVar[float] = 0.25
        threshold: ClassVar[float] = 0.02
        read_step: ClassVar[int] = 5
        trouble: str = "none"

        def sample(self, key):
            noise = jax.random.normal(key, (6, 1))
            if self.trouble == "if" and noise[0, 0] > 0:
                noise = -noise
            return noise, noise[0, 0]

        def loss(self, outputs, target):
            error = (outputs[:, 0] - target) ** 2
            return error if self.trouble == "loss" else error[-1]
"""
CONFIG = """
task: {kind: own.py:Mine}
cell: {kind: rnn, hidden: 3}
training: {steps: 2, batch: 4}
record: {every: 2}
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(textwrap.dedent(OWN))
    (tmp_path / "own.yaml").write_text(CONFIG)
    return tmp_path


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        ("loss", "Mine.loss must return one number for an example, got shape (6,)"),
        ("if", 'own.py, line 16: if self.trouble == "if" and noise[0, 0] > 0:'),
    ],
)
@pytest.mark.parametrize("verb", ["run", "measure"])
def test_a_command_ends_with_one_message_that_names_the_line(config, verb, trouble, message):
    code, output = command(verb, "own.yaml", f"task.trouble={trouble}", "--out", "out")
    assert code == 2
    assert message in output
    assert "own.py, line" in output
    assert "Traceback" not in output
    assert not (config / "out").exists()


def test_it_trains_otherwise(config):
    assert command("run", "own.yaml", "--out", "out", "--workers", 0)[0] == 0


def test_a_task_says_from_where_distances_are_counted(config):
    (config / "own.py").write_text(textwrap.dedent(OWN).replace("read_step", "last_step"))
    message = "lacks read_step .The last time step before the memory loss is read, or None"
    with pytest.raises(UserError, match=message):
        load_experiment("own.yaml")


def test_an_option_that_cannot_be_hashed(config):
    changed = textwrap.dedent(OWN).replace('trouble: str = "none"', "sizes: list[int] = [1]")
    (config / "own.py").write_text(changed)
    with pytest.raises(UserError, match=r"task\.sizes: a list cannot be an option"):
        load_experiment("own.yaml")


def test_a_class_that_fails_as_it_is_made(config):
    changed = textwrap.dedent(OWN) + "\n    def model_post_init(self, context):\n        1 / 0\n"
    (config / "own.py").write_text(changed)
    with pytest.raises(UserError, match=r"task: ZeroDivisionError: .*own\.py, line \d+: 1 / 0"):
        load_experiment("own.yaml")
