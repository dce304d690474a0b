"""Sequences of the user's own."""

from collections.abc import Callable
from typing import Annotated, Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float
from pydantic import Field, PrivateAttr

from rnnlab.support.paths import user_path
from rnnlab.support.plugins import Source, read_source
from rnnlab.tasks.array_file import Target, TargetsAt, read_arrays
from rnnlab.tasks.data_set import DataSet, DataTask
from rnnlab.tasks.losses import (
    class_entropy,
    cross_entropy,
    is_right,
    squared_error,
    target_variance,
)

Score = Callable[[Array, Array], Array]


class Arrays(DataTask):
    """Answer sequences from a file of the user's own.

    The file is an .npz file of ``inputs`` (examples, time, features), ``targets``, and, where
    sequences are padded at their end, ``lengths`` (examples,). Integer targets are classes,
    numbered from 0, with one output each: (examples,) or, at each step, (examples, time).
    Floating-point targets are numbers, with one output each: (examples,) or (examples, outputs);
    at each step (examples, time) or (examples, time, outputs). Where as many outputs as time steps
    could be meant, ``targets_at`` must be given.

    Padding, whatever it holds, enters no loss and no metric, and reaches no gradient.

    Attributes:
        path: the file, ``.npz``; needed.
        targets_at: ``last``, at the last step of each sequence that is no padding; ``each``, at
            each step that is no padding.
        evaluation_share: share of the examples that is held out, rounded to whole examples.
        solved_below: the training loss below which the task counts as solved; default a tenth of
            the baseline. Configs call it ``threshold``.

    Raises:
        UserError: the file does not hold such arrays, or too few examples.
    """

    path: str
    targets_at: TargetsAt = "last"
    solved_below: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        default=None, alias="threshold"
    )

    _data: DataSet = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Read the file.

        Args:
            context: finds the file by its path and the key that holds it; default: the path is
                relative to the current folder.
        """
        find: Callable[[str, str], Source] = context or _in_current_folder
        is_given = "targets_at" in self.model_fields_set
        self._data = read_arrays(find(self.path, "path"), self.targets_at, is_given)
        super().model_post_init(context)

    @property
    def data(self) -> DataSet:
        """The content of the file."""
        return self._data

    @property
    def metric_name(self) -> str:  # type: ignore[override]
        """Accuracy of classes; else the metric is the loss."""
        return "accuracy" if self._has_classes else "squared error"

    @property
    def output_steps(self) -> slice:  # type: ignore[override]
        """The last step only, where it is every sequence's last."""
        is_last = self.targets_at == "last" and self._has_one_length
        return slice(-1, None) if is_last else slice(None)

    @property
    def output_size(self) -> int:
        """Number of classes, or of numbers to give."""
        values = self._target.values
        return int(values.max()) + 1 if self._has_classes else values.shape[-1]

    @property
    def baseline(self) -> float:
        """The loss of the best answer by the clock alone to the whole data set.

        The answer is a constant where targets are at the last step, else one for each step. Its
        loss is the entropy of the classes, in nats, or the variance of the numbers; steps weigh as
        much as they do in the loss. Inputs, and lengths, are not used: of the few examples at each
        step, those shown tell every answer apart where no two inputs are the same.
        """
        values, lengths = self._target
        if self.targets_at == "last":
            weights = np.full(len(values), 1 / len(values))
            step = np.zeros(len(values), int)
        else:
            is_valid = np.arange(self.steps) < lengths[:, None]
            _, step = np.nonzero(is_valid)
            values = values[is_valid]
            weights = (is_valid / lengths[:, None])[is_valid] / len(lengths)
        if self._has_classes:
            return class_entropy(values, weights, step)
        return target_variance(values.astype(float), weights, step)

    @property
    def threshold(self) -> float:
        """The user's threshold, or a tenth of the baseline."""
        return super().threshold if self.solved_below is None else self.solved_below

    @property
    def read_step(self) -> int | None:
        """T − 1; None where lengths differ."""
        return self.steps - 1 if self._has_one_length else None

    def loss(self, outputs: Float[Array, "steps outputs"], target: Target) -> Float[Array, ""]:
        """Cross-entropy in nats, or squared error (mean over outputs); mean over valid steps."""
        return self._mean(self._step_loss, outputs, target)

    def memory_loss(
        self, outputs: Float[Array, "steps outputs"], target: Target
    ) -> Float[Array, ""]:
        """The loss at the last step that is no padding.

        Where every step has a loss, ∂L/∂h_t of their mean is made by the step's own loss, whatever
        the cell forgets; that of the last step's loss has to come back from there.
        """
        return self._at_last(self._step_loss, outputs, target)

    @property
    def loss_is_memory_loss(self) -> bool:
        """Whether targets are at the last step only."""
        return self.targets_at == "last"

    def metric(self, outputs: Float[Array, "steps outputs"], target: Target) -> Float[Array, ""]:
        """Share of classes that are right, or the squared error; mean over valid steps."""
        return self._mean(is_right if self._has_classes else squared_error, outputs, target)

    @property
    def _step_loss(self) -> Score:
        return cross_entropy if self._has_classes else squared_error

    @property
    def _target(self) -> Target:
        return self._data.examples.targets

    @property
    def _has_classes(self) -> bool:
        return self._target.values.dtype.kind == "i"

    @property
    def _has_one_length(self) -> bool:
        return bool((self._target.length == self.steps).all())

    def _mean(self, score: Score, outputs: Array, target: Target) -> Array:
        """Mean of a score over the steps that have targets."""
        if self.targets_at == "last":
            return self._at_last(score, outputs, target)
        is_valid = jnp.arange(self.steps) < target.length
        scores = score(jnp.where(is_valid[:, None], outputs, 0.0), target.values)
        return jnp.sum(scores, where=is_valid) / target.length

    def _at_last(self, score: Score, outputs: Array, target: Target) -> Array:
        values = target.values
        values = values[None] if self.targets_at == "last" else self._last(values, target)
        return score(self._last(outputs, target), values)[0]

    def _last(self, steps: Array, target: Target) -> Array:
        """The last of the steps that is no padding, with its axis of time."""
        if self._has_one_length:
            return steps[-1:]
        return lax.dynamic_slice_in_dim(steps, target.length - 1, 1)


def _in_current_folder(path: str, key: str) -> Source:
    return read_source(user_path(path), key)
