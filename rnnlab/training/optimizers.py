"""Optimisers and learning-rate schedules of optax, by name."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Union

import jax
import optax
from pydantic import BeforeValidator, Field, PositiveInt, create_model

from rnnlab.support.options import Options

Fraction = Annotated[float, Field(ge=0, lt=1)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
# With a smaller one g / ε could overflow float32, and 0 / 0 would be NaN.
Epsilon = Annotated[float, Field(ge=1e-30, allow_inf_nan=False)]


class Choice(Options):
    """One entry of a table, with the options of a function of optax as fields."""

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


def _adam(
    learning_rate: Any, beta1: float, beta2: float, epsilon: float
) -> optax.GradientTransformation:
    return optax.adam(learning_rate, beta1, beta2, epsilon)


def _adamw(
    learning_rate: Any,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    decay_biases: bool,
) -> optax.GradientTransformation:
    mask = None if decay_biases else _are_no_biases
    moments = (beta1, beta2, epsilon)
    return optax.adamw(learning_rate, *moments, weight_decay=weight_decay, mask=mask)


def _are_no_biases(params: Any) -> Any:
    """For each parameter whether its name does not begin with ``bias``."""

    def is_no_bias(path: tuple[Any, ...], _: Any) -> bool:
        return not jax.tree_util.keystr(path[-1:], simple=True).startswith("bias")

    return jax.tree_util.tree_map_with_path(is_no_bias, params)


def _rmsprop(
    learning_rate: Any, decay: float, epsilon: float, epsilon_in_root: bool, initial_mean: float
) -> optax.GradientTransformation:
    return optax.rmsprop(
        learning_rate, decay, epsilon, initial_scale=initial_mean, eps_in_sqrt=epsilon_in_root
    )


def _means(kind: Any, meaning: str) -> Any:
    """A type, with what the option means."""
    return Annotated[kind, Field(description=meaning)]


MOMENTS = {
    "beta1": (_means(Fraction, "share of the last mean of g that is kept"), 0.9),
    "beta2": (_means(Fraction, "share of the last mean of g² that is kept"), 0.999),
    "epsilon": (_means(Epsilon, "ε, added to √v̂"), 1e-8),
}
# Each optimiser is built from a learning rate: a number, or a function of the step.
OPTIMIZERS = [
    _choice("SGD", "Stochastic gradient descent.", optax.sgd),
    _choice(
        "Momentum",
        "Gradient descent with heavy-ball momentum.",
        optax.sgd,
        momentum=(_means(Fraction, "factor on the last velocity, which is kept"), 0.9),
    ),
    _choice(
        "Adam",
        "Adam (Kingma & Ba 2015, algorithm 1): the step is m̂ / (√v̂ + ε), as in PyTorch. "
        "Keras adds its ε to √v before v is corrected for its start at 0.",
        _adam,
        **MOMENTS,
    ),
    _choice(
        "AdamW",
        "Adam with decoupled weight decay (Loshchilov & Hutter 2019): each update also takes "
        "rate · weight_decay · w from every parameter w. Biases shrink too, unless decay_biases "
        "is false; biases are the parameters whose names begin with bias.",
        _adamw,
        **MOMENTS,
        weight_decay=(_means(NonNegative, "factor on a parameter in its own decay"), 1e-4),
        decay_biases=(_means(bool, "whether biases decay too"), True),
    ),
    _choice(
        "RMSprop",
        "RMSprop (Tieleman & Hinton 2012): v is the mean of squares, which begins at "
        "initial_mean, and decay its memory. The step is g / (√v + ε), as in PyTorch, or "
        "g / √(v + ε), as in Keras, where epsilon_in_root is true.",
        _rmsprop,
        decay=(_means(Fraction, "share of the last v that is kept"), 0.9),
        epsilon=(_means(Epsilon, "ε"), 1e-8),
        epsilon_in_root=(_means(bool, "whether ε is added within the root"), False),
        initial_mean=(_means(NonNegative, "v before the first update"), 0.0),
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
        steps=(_means(PositiveInt, "number of updates until the rate is reached"), 100),
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
