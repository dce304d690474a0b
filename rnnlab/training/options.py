"""The options of training and of recording."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from rnnlab.support.options import Options
from rnnlab.training.optimizers import AnyOptimizer, AnySchedule

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Training(Options):
    """The options of training.

    Attributes:
        steps: number of updates.
        batch: examples per update, drawn afresh each time.
        optimizer: a name, or ``{kind: name, option: value}``.
        learning_rate: the optimiser's rate.
        schedule: a name, or ``{kind: name, option: value}``.
        clip_norm: largest global norm of the gradient.
        clip_value: largest absolute value of each entry of the gradient.
        precision: precision of every number in the run; the same for all runs of a sweep. Random
            numbers are drawn in float32 and cast, so that of a seed both are the same.
        recurrence: ``plain`` runs a cell over time as it is written; ``fused`` is the same, faster;
            ``parallel`` is the cell's parallel scan wherever nothing is recorded.
        memory: ``low`` keeps states at about √length time steps only, and recomputes the others
            in the backward pass.
    """

    steps: Annotated[int, Field(ge=0, le=1_000_000_000)] = 2000
    batch: PositiveInt = 32
    optimizer: AnyOptimizer = Field("adam", validate_default=True)
    learning_rate: Positive = 5e-3
    schedule: AnySchedule = Field("constant", validate_default=True)
    clip_norm: Positive | None = None
    clip_value: Positive | None = None
    precision: Literal["float32", "float64"] = "float32"
    recurrence: Literal["plain", "fused", "parallel"] = "fused"
    memory: Literal["full", "low"] = "full"

    @model_validator(mode="after")
    def _a_schedule_needs_steps(self) -> "Training":
        if self.steps == 0 and self.schedule.kind == "cosine":
            raise ValueError("schedule 'cosine' needs steps ≥ 1")
        return self


class RecordJacobians(Options):
    """The options of recording ∂c_t/∂c_{t−1}.

    Attributes:
        every: number of steps between two recordings, a multiple of ``record.every``.
        examples: number of examples of the batch that are recorded, from the first.
    """

    every: PositiveInt
    examples: PositiveInt = 4


class Record(Options):
    """The options of recording.

    Attributes:
        every: number of steps between two records.
        examples: number of examples of the batch that are recorded, from the first.
        means: whether mean adjoint norms and mean gates are recorded at every step, not only at the
            records.
        jacobians: whether and when ∂c_t/∂c_{t−1} is recorded by path; default never.
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
