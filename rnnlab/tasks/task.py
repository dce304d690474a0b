"""The base class of tasks: sequences to read, and a loss that needs memory."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from jaxtyping import Array, Float, Key

from rnnlab.support.options import Options


class Task(Options, ABC):
    """A task: settings as fields; ``sample``, ``loss`` and the rest written for one example.

    rnnlab draws batches by mapping ``sample`` over keys, so ``sample`` must be pure JAX code whose
    shapes depend on the settings only, and each example must come from its key. Configs check a
    task of your own before anything is trained (``tasks.checks``).

    Attributes:
        metric_name: the name of ``metric``.
        output_steps: the time steps at which ``loss`` and ``metric`` read the output.
        has_one_example: whether ``sample`` is meant to give the same example for every key.
    """

    metric_name: ClassVar[str] = "loss"
    output_steps: ClassVar[slice] = slice(None)
    has_one_example: ClassVar[bool] = False

    @property
    @abstractmethod
    def input_size(self) -> int:
        """Number of input features."""

    @property
    @abstractmethod
    def output_size(self) -> int:
        """Number of output features."""

    @property
    @abstractmethod
    def baseline(self) -> float:
        """The loss of the best answer that remembers nothing.

        Such an answer knows the clock, that is the place in the sequence, or in the part of it that
        is asked for, and what is shown there.
        """

    @property
    @abstractmethod
    def threshold(self) -> float:
        """The training loss below which the task counts as solved."""

    @property
    @abstractmethod
    def read_step(self) -> int | None:
        """The last time step before the memory loss is read, or None where examples differ.

        Distances back in time are counted from here: with None, decay per step and half-life of
        recorded gradients are not known.
        """

    @property
    def t_max(self) -> float | None:
        """The longest time scale that chrono initialisation should draw, or None."""
        return None

    @abstractmethod
    def sample(self, key: Key[Array, ""]) -> tuple[Float[Array, "time features"], Any]:
        """One example: inputs (time, features) and a target of any fixed shape."""

    @abstractmethod
    def loss(self, outputs: Float[Array, "steps outputs"], target: Any) -> Float[Array, ""]:
        """The loss that training minimises, for one example; outputs at ``output_steps``."""

    def memory_loss(self, outputs: Float[Array, "steps outputs"], target: Any) -> Float[Array, ""]:
        """The part of the loss that needs memory, for one example; default the whole loss."""
        return self.loss(outputs, target)

    def metric(self, outputs: Float[Array, "steps outputs"], target: Any) -> Float[Array, ""]:
        """A second figure of merit, for one example; default the loss."""
        return self.loss(outputs, target)

    @property
    def loss_is_memory_loss(self) -> bool:
        """Whether every part of the loss needs memory."""
        return type(self).memory_loss is Task.memory_loss
