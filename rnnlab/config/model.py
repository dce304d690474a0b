"""What a config file may say."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    ValidationError,
    model_validator,
)

from rnnlab.config.config_file import dotted_keys, override_patch, read_file
from rnnlab.config.validation import explain
from rnnlab.support.bundled import find_config
from rnnlab.support.errors import UserError
from rnnlab.training.optimizers import Adam, AnyOptimizer, AnySchedule, Constant, Cosine

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
SeedCount = Annotated[int, Field(ge=1, le=1_000_000)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]


# The folder, inside that of the trained runs, for what is measured before training.
INITIALISATION = "initialisation"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Training(_Section):
    """How a run trains.

    Attributes:
        steps: number of updates.
        batch: examples per update, drawn afresh each time.
        optimizer: a name, or ``{kind: name, option: value}``.
        learning_rate: the optimiser's rate.
        schedule: a name, or ``{kind: name, option: value}``.
        clip_norm: largest global norm of the gradient.
        clip_value: largest absolute value of each entry of the gradient.
        precision: of every number in the run; one in a sweep.
        recurrence: ``plain`` runs a cell over time as it is written; ``fused`` is the same, faster.
        memory: ``low`` keeps states at about √length time steps only, and computes the others
            again on the way back.
    """

    steps: Annotated[int, Field(ge=0, le=1_000_000_000)] = 2000
    batch: PositiveInt = 32
    optimizer: AnyOptimizer = Adam()
    learning_rate: Positive = 5e-3
    schedule: AnySchedule = Constant()
    clip_norm: Positive | None = None
    clip_value: Positive | None = None
    precision: Literal["float32", "float64"] = "float32"
    recurrence: Literal["plain", "fused"] = "fused"
    memory: Literal["full", "low"] = "full"

    @model_validator(mode="after")
    def _a_schedule_needs_steps(self) -> "Training":
        if self.steps == 0 and isinstance(self.schedule, Cosine):
            raise ValueError("schedule 'cosine' needs steps ≥ 1")
        return self


class RecordJacobians(_Section):
    """When ∂c_t/∂c_{t−1} is recorded.

    Attributes:
        every: number of steps from one to the next, a multiple of ``record.every``.
        examples: of the first so many of the batch.
    """

    every: PositiveInt
    examples: PositiveInt = 4


class Record(_Section):
    """What a run records.

    Attributes:
        every: number of steps from one record to the next.
        examples: the first so many of the batch are recorded.
        means: whether mean adjoint norms and mean gates are recorded at every step, not only at
            those of ``every``.
        jacobians: see ``RecordJacobians``; default none.
    """

    every: PositiveInt = 10
    examples: PositiveInt = 32
    means: bool = False
    jacobians: RecordJacobians | None = None

    @model_validator(mode="after")
    def _jacobians_are_part_of_records(self) -> "Record":
        if self.jacobians is not None and self.jacobians.every % self.every:
            raise ValueError(
                f"jacobians.every, {self.jacobians.every}, must be a multiple of record.every, "
                f"{self.every}"
            )
        return self


class AtInitialisation(_Section):
    """What is measured before training, where it differs from what is trained.

    Attributes:
        seeds: as in ``Config``; default the same.
        task: options over those of the config's task.
        sweep: in place of the config's; default the same.
    """

    seeds: SeedCount | Annotated[list[Seed], Field(min_length=1)] | None = None
    task: dict[str, Any] = {}
    sweep: dict[str, Any] | None = None


class Config(_Section):
    """A config file.

    Attributes:
        name: of the experiment; default the file's name.
        question: what the experiment answers.
        task: ``kind`` and the task's options.
        cell: ``kind`` and the cell's options.
        training: see ``Training``.
        record: see ``Record``.
        sweep: nested like the config; a list is swept, several are crossed.
        seeds: so many, from 0, or a list of them.
        measure: also measures gradients and Jacobians before training, of other seeds, tasks or
            settings; see ``AtInitialisation``.
        analysis: ``file.py:function`` of the results.
        checkpoint_every: seconds from one checkpoint of a run to the next; no part of its numbers.
    """

    name: Name
    question: str = ""
    task: dict[str, Any] = {}
    cell: dict[str, Any] = {}
    training: dict[str, Any] = {}
    record: dict[str, Any] = {}
    sweep: dict[str, Any] = {}
    seeds: SeedCount | Annotated[list[Seed], Field(min_length=1)] = 1
    measure: AtInitialisation | None = None
    analysis: str | None = None
    checkpoint_every: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 60.0

    def seed_list(self) -> list[int]:
        """The seeds, written out."""
        return list(range(self.seeds)) if isinstance(self.seeds, int) else self.seeds

    def at_initialisation(self) -> "Config | None":
        """The config of what is measured before training: runs of no step."""
        if self.measure is None:
            return None
        return self.model_copy(
            update={
                "name": f"{self.name}_{INITIALISATION}",
                "task": self.task | self.measure.task,
                "training": self.training | {"steps": 0},
                "sweep": self.sweep if self.measure.sweep is None else self.measure.sweep,
                "seeds": self.measure.seeds or self.seeds,
                "measure": None,
                "analysis": None,
            }
        )


def load_config(
    source: str | Path, overrides: Sequence[str] | Mapping[str, Any] = ()
) -> tuple[Config, Path, list[str]]:
    """Read a config file, or the bundled config of that name, and apply overrides.

    Args:
        source: a path, or a bundled name.
        overrides: ``"dotted.key=value"`` each, or a mapping with dotted or nested keys. One that
            begins with ``sweep`` replaces the whole sweep.

    Returns:
        The config, the file it came from, and the dotted keys that were overridden.

    Raises:
        UserError: whatever is wrong with the file or an override.
    """
    path = find_config(source)
    patch = override_patch(overrides)
    content = {"name": path.stem} | read_file(path, patch)
    try:
        config = Config.model_validate(content)
    except ValidationError as error:
        raise UserError(explain(error, Config, str(path))) from None
    measured = config.measure.seeds if config.measure is not None else None
    for key, seeds in {"seeds": config.seeds, "measure.seeds": measured}.items():
        if isinstance(seeds, list) and len(set(seeds)) < len(seeds):
            raise UserError(f"{path}: {key}: {str(seeds)[:200]} names a seed twice")
    return config, path, dotted_keys(patch)
