"""Whether a task keeps the promises of ``Task``, told before anything is trained.

Nothing is computed: a task's methods are traced, which gives their shapes, their types and the
constants in them.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NoReturn

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr

from rnnlab.support.traced import have_equal_constants, reads_its_argument
from rnnlab.support.user_code import described, last_own_line, place_of
from rnnlab.support.user_files import not_finite
from rnnlab.tasks.data_set import DataSet, DataTask
from rnnlab.tasks.task import Task

FACTS = ("input_size", "output_size", "baseline", "threshold", "read_step", "t_max")
LOSSES = ("loss", "memory_loss", "metric")


def check_task(task: Task, double: bool = False) -> None:
    """Check that a task gives what its base class promises.

    Args:
        task: the task.
        double: whether it will run in double precision.

    Raises:
        ValueError: it does not, or one of its methods fails; the message names the method, and
            its file and line.
    """
    with jax.enable_x64(double):
        _check(task, double)


@cache
def _check(task: Task, double: bool) -> None:
    _check_facts(task)
    inputs, target = _of_data_set(task) if isinstance(task, DataTask) else _sampled(task)
    steps = _steps_read(task, inputs.shape[0])
    outputs = jax.ShapeDtypeStruct((steps, task.output_size), jnp.result_type(float))
    for name in LOSSES:
        _check_loss(task, name, outputs, target)


# Facts.


def _check_facts(task: Task) -> None:
    facts = {name: _fact(task, name) for name in (*FACTS, "metric_name", "output_steps")}
    for name in ("input_size", "output_size"):
        if not _is_integer(facts[name]) or facts[name] < 1:
            _refuse(task, name, f"must be a whole number of 1 or more, got {_shown(facts[name])}")
    for name in ("baseline", "threshold", "t_max"):
        if not _is_finite(facts[name]) and not (name == "t_max" and facts[name] is None):
            _refuse(task, name, f"must be a finite number, got {_shown(facts[name])}")
    if not _is_integer(facts["read_step"]) and facts["read_step"] is not None:
        wanted = "must be a time step, or None where examples differ"
        _refuse(task, "read_step", f"{wanted}, got {_shown(facts['read_step'])}")
    for name, kind in (("metric_name", str), ("output_steps", slice)):
        if not isinstance(facts[name], kind):
            _refuse(task, name, f"must be a {kind.__name__}, got {_shown(facts[name])}")


def _fact(task: Task, name: str) -> Any:
    try:
        return getattr(task, name)
    except Exception as error:  # a task of the user's own may raise anything
        raise ValueError(f"{type(task).__name__}.{name} fails: {described(error)}") from error


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _shown(value: object) -> str:
    if callable(value):
        return "a method: write @property above it"
    shown = f"{value!r} of type {type(value).__name__}"[:200]
    return f"{shown}: write int(…) or float(…)" if hasattr(value, "dtype") else shown


def _steps_read(task: Task, time: int) -> int:
    """The number of time steps that the losses read."""
    steps = len(range(time)[task.output_steps])
    if not steps:
        _refuse(task, "output_steps", f"{task.output_steps} selects none of {time} time steps")
    if task.read_step is not None and not 0 <= task.read_step < time:
        _refuse(task, "read_step", f"is {task.read_step}, and inputs end at step {time - 1}")
    return steps


# Examples.


def _sampled(task: Task) -> tuple[Any, Any]:
    """Shapes and types of an example that ``sample`` makes."""
    first, example = _traced(task)
    second, other = _traced(task)
    if not (isinstance(example, tuple) and len(example) == 2):
        got = f"{len(example)} results" if isinstance(example, tuple) else type(example).__name__
        _refuse(task, "sample", f"must return two results, inputs and a target, got {got}")
    _check_inputs(task, "sample", example[0])
    is_same = jax.tree.flatten(example) == jax.tree.flatten(other)
    if not (is_same and have_equal_constants(first, second)):
        _refuse(
            task,
            "sample",
            "draws numbers that do not come from its key: all examples would have the same, as "
            "those of NumPy or Python are drawn once, before the code is compiled; draw with "
            "jax.random from the key",
        )
    if not (task.has_one_example or reads_its_argument(first)):
        _refuse(
            task,
            "sample",
            "does not use its key, so that all examples are the same; draw with jax.random from "
            "the key, or write has_one_example: ClassVar[bool] = True if it is meant",
        )
    return example


def _traced(task: Task) -> tuple[ClosedJaxpr, Any]:
    key = jax.eval_shape(lambda: jax.random.key(0))
    try:
        return jax.make_jaxpr(lambda key: _as_arrays(task.sample(key)), return_shape=True)(key)
    except Exception as error:
        raise ValueError(_failure(task, "sample", error)) from error


def _as_arrays(tree: Any) -> Any:
    return jax.tree.map(jnp.asarray, tree)


def _check_inputs(task: Task, name: str, inputs: Any) -> None:
    shape, dtype = getattr(inputs, "shape", None), getattr(inputs, "dtype", None)
    if shape is None or dtype is None:
        _refuse(task, name, f"must return inputs as one array, got a {type(inputs).__name__}")
    if len(shape) != 2 or 0 in shape:
        hint = "; inputs[:, None] gives each step one feature" * (len(shape) == 1)
        _refuse(task, name, f"must return inputs (time, features), got shape {shape}{hint}")
    if not _is_real(dtype):
        _refuse(task, name, f"must return inputs of real numbers, got {dtype}")
    if shape[1] != task.input_size:
        found = f"{shape[1]} features, got shape {shape}, and input_size is {task.input_size}"
        _refuse(task, name, f"returns inputs of {found}")


def _is_real(dtype: Any) -> bool:
    return bool(np.issubdtype(dtype, np.bool_)) or (
        jnp.issubdtype(dtype, jnp.number) and not jnp.issubdtype(dtype, jnp.complexfloating)
    )


# Data sets.


def _of_data_set(task: DataTask) -> tuple[Any, Any]:
    """Shapes and types of an example of the task's data set."""
    data = _fact(task, "data")
    if not isinstance(data, DataSet):
        _refuse(task, "data", f"must be a DataSet, got {_shown(data)}")
    leaves = jax.tree.leaves(data.examples)
    for leaf in leaves:
        if not isinstance(leaf, np.ndarray) or leaf.dtype.kind not in "fiu":
            got = leaf.dtype if isinstance(leaf, np.ndarray) else type(leaf).__name__
            _refuse(task, "data", f"must hold NumPy arrays of floats or of integers, got {got}")
        if bad := _beyond_32_bits(leaf):
            _refuse(task, "data", f"holds {bad}")
        if leaf.shape[:1] != (data.size,):
            shapes = ", ".join(str(leaf.shape) for leaf in leaves)
            _refuse(task, "data", f"must hold arrays with one entry an example, got {shapes}")
    shapes = jax.eval_shape(lambda examples: jax.tree.map(lambda a: a[0], examples), data.examples)
    _check_inputs(task, "data", shapes.inputs)
    return shapes.inputs, shapes.targets


def _beyond_32_bits(array: np.ndarray) -> str:
    """Describe values that 32 bits cannot hold; an empty text if there are none."""
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return not_finite(array.astype(np.float32))
    limits = np.iinfo(np.int32)
    is_wrong = (array < limits.min) | (array > limits.max)
    return f"{array[is_wrong][0]}, which is beyond 32 bits" if is_wrong.any() else ""


# Losses.


def _check_loss(task: Task, name: str, outputs: Any, target: Any) -> None:
    method: Callable[..., Any] = getattr(task, name)
    try:
        got = jax.eval_shape(lambda *given: _as_arrays(method(*given)), outputs, target)
    except Exception as error:
        raise ValueError(_failure(task, name, error)) from error
    if not isinstance(got, jax.ShapeDtypeStruct):
        _refuse(task, name, f"must return one number for an example, got a {type(got).__name__}")
    if got.shape:
        hint = "write its mean or its sum"
        _refuse(task, name, f"must return one number for an example, got shape {got.shape}: {hint}")
    if name != "metric" and not jnp.issubdtype(got.dtype, jnp.floating):
        _refuse(task, name, f"must return a float, got {got.dtype}")
    if not _is_real(got.dtype):
        _refuse(task, name, f"must return a real number, got {got.dtype}")


# Messages.


def _refuse(task: Task, name: str, what: str) -> NoReturn:
    """Raise the error on a broken promise."""
    of_class = getattr(type(task), name, None)
    function = of_class.fget if isinstance(of_class, property) else of_class
    place = place_of(function) if callable(function) else ""
    raise ValueError(f"{type(task).__name__}.{name} {what}{place}")


def _failure(task: Task, name: str, error: Exception) -> str:
    place = "" if last_own_line(error) is not None else place_of(getattr(task, name))
    return f"{type(task).__name__}.{name} fails: {described(error)}{place}"
