"""Optimisers and learning-rate schedules, by name, from optax."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Annotated, Any, Literal

import optax
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt

Fraction = Annotated[float, Field(ge=0, lt=1)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
LearningRate = float | Callable[[Any], Any]


def _named(value: Any) -> Any:
    """Let a bare name stand for that kind with its defaults."""
    return {"kind": value} if isinstance(value, str) else value


class _Choice(BaseModel, ABC):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Optimizer(_Choice):
    """An optimiser of optax; its fields are that optimiser's options."""

    @abstractmethod
    def build(self, learning_rate: LearningRate) -> optax.GradientTransformation:
        """The optax transformation."""


class SGD(Optimizer):
    """Stochastic gradient descent."""

    kind: Literal["sgd"] = "sgd"

    def build(self, learning_rate: LearningRate) -> optax.GradientTransformation:
        """``optax.sgd``."""
        return optax.sgd(learning_rate)


class Momentum(Optimizer):
    """Gradient descent with heavy-ball momentum."""

    kind: Literal["momentum"] = "momentum"
    momentum: Fraction = 0.9

    def build(self, learning_rate: LearningRate) -> optax.GradientTransformation:
        """``optax.sgd`` with momentum."""
        return optax.sgd(learning_rate, momentum=self.momentum)


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015)."""

    kind: Literal["adam"] = "adam"

    def build(self, learning_rate: LearningRate) -> optax.GradientTransformation:
        """``optax.adam``."""
        return optax.adam(learning_rate)


class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019)."""

    kind: Literal["adamw"] = "adamw"
    weight_decay: NonNegative = 1e-4

    def build(self, learning_rate: LearningRate) -> optax.GradientTransformation:
        """``optax.adamw``."""
        return optax.adamw(learning_rate, weight_decay=self.weight_decay)


class RMSprop(Optimizer):
    """RMSprop (Tieleman & Hinton 2012), with the decay of its mean of squares."""

    kind: Literal["rmsprop"] = "rmsprop"
    decay: Fraction = 0.9

    def build(self, learning_rate: LearningRate) -> optax.GradientTransformation:
        """``optax.rmsprop``."""
        return optax.rmsprop(learning_rate, decay=self.decay)


class Schedule(_Choice):
    """How the learning rate changes over a run."""

    @abstractmethod
    def build(self, learning_rate: float, steps: int) -> LearningRate:
        """The rate, or a function of the step, for a run of ``steps`` updates."""


class Constant(Schedule):
    """The same rate throughout."""

    kind: Literal["constant"] = "constant"

    def build(self, learning_rate: float, steps: int) -> LearningRate:
        """The rate itself."""
        return learning_rate


class Cosine(Schedule):
    """From the rate to zero along half a cosine (Loshchilov & Hutter 2017)."""

    kind: Literal["cosine"] = "cosine"

    def build(self, learning_rate: float, steps: int) -> LearningRate:
        """``optax.cosine_decay_schedule`` over the whole run."""
        return optax.cosine_decay_schedule(learning_rate, steps)


class Warmup(Schedule):
    """Linear from zero to the rate, then constant."""

    kind: Literal["warmup"] = "warmup"
    steps: PositiveInt = 100

    def build(self, learning_rate: float, steps: int) -> LearningRate:
        """``optax.linear_schedule``; update ``self.steps`` is the first at the full rate."""
        return optax.linear_schedule(0.0, learning_rate, self.steps)


AnyOptimizer = Annotated[
    SGD | Momentum | Adam | AdamW | RMSprop, Field(discriminator="kind"), BeforeValidator(_named)
]
AnySchedule = Annotated[
    Constant | Cosine | Warmup, Field(discriminator="kind"), BeforeValidator(_named)
]
