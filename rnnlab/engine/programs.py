"""The compiled program of a run, and an estimate of its operations."""

import functools
from collections.abc import Sequence
from contextlib import AbstractContextManager

import jax

from rnnlab.cells import dynamics_of
from rnnlab.config.settings import Settings
from rnnlab.config.sweep import Run
from rnnlab.recurrence.stack import Method
from rnnlab.support.jax_settings import own_settings
from rnnlab.tasks import DataTask, Task
from rnnlab.training.objective import Objective
from rnnlab.training.program import EVALUATION_EXAMPLES, Program

# Floating-point operations, or as many as would take the time that is spent otherwise. Only their
# proportions matter: see ``estimate``.
PER_RUN = 2e9  # to set up, and to store
PER_TIME_STEP = 3e5  # of a layer, forward and back
PER_UNIT = 1e3  # per example and time step, besides products of matrices
PER_RECORDED_EXAMPLE = 8e5  # per time step: norms and gates, and their quantiles
PER_JACOBIAN = 1e7  # ∂c_t/∂c_{t−1} of all paths, with singular values and eigenvalues ...
PER_CUBED_UNIT = 1e3  # ... times n³ for n units


def program_of(settings: Settings) -> Program:
    """The program that runs share if they differ only in numbers which it reads as data."""
    training = settings.training.model_copy(update={"learning_rate": 1.0})
    method = Method(training.recurrence, training.memory)
    objective = Objective(dynamics_of(settings.cell), settings.task, method)
    return Program(objective, training, settings.record)


def settings_of(run: Run) -> AbstractContextManager[None]:
    """The settings of JAX that a run is computed with; see ``own_settings``."""
    return own_settings(double=run.settings.training.precision == "float64")


def operations_of(run: Run) -> float:
    """About how many operations a run takes."""
    return _operations(program_of(run.settings))


@functools.cache
def _operations(program: Program) -> float:
    return PER_RUN + operations_of_chunks(program, program.chunk_bounds())


def operations_of_chunks(program: Program, bounds: Sequence[tuple[int, int]]) -> float:
    """About how many operations chunks of a run take.

    Args:
        program: the run's program.
        bounds: see ``Program.chunk_bounds``; those with a negative start are skipped.
    """
    made = [(start, stop) for start, stop in bounds if start >= 0]
    updates = sum(stop - start for start, stop in made)
    records = [start for start, _ in made if program.records_at(start)]
    with_jacobians = [start for start in records if program.records_rare_at(start)]
    return (
        updates * operations_of_update(program)
        + len(records) * _operations_of_record(program)
        + len(with_jacobians) * _operations_of_jacobians(program)
    )


def operations_of_update(program: Program) -> float:
    """About how many operations an update takes, on sequences of the task's length."""
    return _layer_steps(program) * _forward_and_back(program, program.training.batch)


def _forward_and_back(program: Program, examples: int) -> float:
    """Operations of one time step of a layer, forward and back."""
    hidden = program.objective.cell.hidden
    products = 3 * 4 * hidden**2 * examples
    return products + PER_UNIT * hidden * examples + PER_TIME_STEP


def _operations_of_record(program: Program) -> float:
    """Operations of a record; evaluation goes forward only."""
    evaluated = _forward_and_back(program, EVALUATION_EXAMPLES) / 3
    return _layer_steps(program) * (evaluated + PER_RECORDED_EXAMPLE * program.record.examples)


def _operations_of_jacobians(program: Program) -> float:
    if program.record.jacobians is None:
        return 0.0
    cubed = program.objective.cell.hidden**3
    matrices = _layer_steps(program) * program.record.jacobians.examples
    return matrices * (PER_JACOBIAN + PER_CUBED_UNIT * cubed)


def _layer_steps(program: Program) -> int:
    return length_of(program.objective.task) * program.objective.cell.layers


@functools.cache
def length_of(task: Task) -> int:
    """Time steps of an example; 1 where a task of the user's own does not tell."""
    if isinstance(task, DataTask):
        return task.steps
    try:
        inputs, _ = jax.eval_shape(lambda: task.sample(jax.random.key(0)))
        return int(inputs.shape[0])
    except Exception:
        return 1
