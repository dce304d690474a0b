"""Optimisers and learning-rate schedules of optax, by name."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Union

import optax
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, create_model

Fraction = Annotated[float, Field(ge=0, lt=1)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Choice(BaseModel):
    """One entry of a table, with the options of a function of optax as fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    function: ClassVar[Callable[..., Any]]
    kind: str

    def build(self, *arguments: Any) -> Any:
        """Call the function with these arguments and the options."""
        return type(self).function(*arguments, **self.model_dump(exclude={"kind"}))


def _choice(name: str, what: str, function: Callable[..., Any], **options: Any) -> type[Choice]:
    """Make an entry; options are (type with bounds, default) by name."""
    kind = name.lower()
    fields = options | {"kind": (Literal[kind], kind)}
    model = create_model(name, __base__=Choice, __doc__=what, **fields)
    model.function = staticmethod(function)
    return model


def _warmup(learning_rate: float, _: int, steps: int) -> optax.Schedule:
    """Linear warm-up; update ``steps`` is the first at the full rate."""
    return optax.linear_schedule(0.0, learning_rate, steps)


# Each optimiser is built from a learning rate: a number, or a function of the step.
OPTIMIZERS = [
    _choice("SGD", "Stochastic gradient descent.", optax.sgd),
    _choice(
        "Momentum",
        "Gradient descent with heavy-ball momentum.",
        optax.sgd,
        momentum=(Fraction, 0.9),
    ),
    _choice("Adam", "Adam (Kingma & Ba 2015).", optax.adam),
    _choice(
        "AdamW",
        "Adam with decoupled weight decay (Loshchilov & Hutter 2019).",
        optax.adamw,
        weight_decay=(NonNegative, 1e-4),
    ),
    _choice(
        "RMSprop",
        "RMSprop (Tieleman & Hinton 2012), with the decay of its mean of squares.",
        optax.rmsprop,
        decay=(Fraction, 0.9),
    ),
]
# Each schedule is built from a learning rate and the number of updates of a run.
SCHEDULES = [
    _choice("Constant", "The same rate throughout.", lambda learning_rate, _: learning_rate),
    _choice(
        "Cosine",
        "From the rate to zero along half a cosine (Loshchilov & Hutter 2017).",
        optax.cosine_decay_schedule,
    ),
    _choice(
        "Warmup",
        "Linear from zero to the rate, then constant.",
        _warmup,
        steps=(PositiveInt, 100),
    ),
]


def _by_name(value: Any) -> Any:
    """Accept a name in place of the entry with its defaults."""
    return {"kind": value} if isinstance(value, str) else value


def _one_of(choices: list[type[Choice]]) -> Any:
    return Annotated[Union[*choices], Field(discriminator="kind"), BeforeValidator(_by_name)]


if TYPE_CHECKING:
    AnyOptimizer = Choice
    AnySchedule = Choice
else:
    AnyOptimizer = _one_of(OPTIMIZERS)
    AnySchedule = _one_of(SCHEDULES)
