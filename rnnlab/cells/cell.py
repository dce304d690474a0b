"""The base class of cells: settings, parameters, and one step in time."""

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Inexact, Key
from pydantic import PositiveInt

from rnnlab.cells.facts import GateBias, Linearisation, TorchLayer
from rnnlab.cells.jacobian import StepJacobian
from rnnlab.support.options import Options
from rnnlab.support.same_draws import same_draws

Observe = Callable[[str, Array], Array]


class HiddenState(NamedTuple):
    """The state of a cell that carries only h."""

    h: Array


class AtInit:
    """Marks an option that affects only the initial parameters."""


def unobserved(name: str, value: Array) -> Array:
    """The hook that does nothing: returns ``value``."""
    return value


class Cell(Options, ABC):
    """A recurrent cell: settings as fields, equations in ``init`` and ``step``.

    Subclass it and write both methods for a single layer; ``layers`` stacks any cell. Each value
    passed to ``observe`` can be recorded; ``step`` must pass each part of its new state, so that
    the gradient with respect to it can be recorded.

    A state that is not one or two arrays (batch, hidden) also needs ``initial_state``, and
    ``output`` where no part of it is called h.

    Attributes:
        State: NamedTuple of the carried arrays, each (batch, …), real or complex, of any shape.
        gates: names under which ``step`` observes its gates, each in (0, 1).
        direct: name of the observed gate that multiplies the previous carry: the direct path of
            ∂c_t/∂c_{t−1}. Where the direct path is not a gate, override ``direct_path`` instead.
        step_jacobian: one step's Jacobian in closed form, or None for automatic differentiation:
            ``(params, before, seen, others_by_carry) → StepJacobian``, from one layer's parameters,
            the previous ``State``, the values that ``step`` observed, and the diagonals of
            ∂(other part)_{t−1}/∂carry_{t−1}. It belongs to the ``step`` of its class: it is not
            used in a subclass that overrides ``step``.
        parallel_scan: all steps at once, for a cell that is linear in its state given the inputs,
            or None: ``(params, state, inputs) → states``, of one layer, from the initial state and
            inputs (time, batch, features) to the states after each step, (time, batch, …).
        label: the cell's name in tables and figures; default the class's name.
        gate_biases: the options that set initial biases of gates, the direct path's gate first.
        against_explosion: the advice of a diagnosis for a gradient that explodes.
        without_direct_path: the remark of a diagnosis on the paths of a cell without a direct path.
        hidden: number of units of a layer.
        layers: number of layers; each one above the first reads the ``output`` of the one below.
    """

    State: ClassVar[Any] = HiddenState
    gates: ClassVar[tuple[str, ...]] = ()
    direct: ClassVar[str | None] = None
    step_jacobian: ClassVar[Callable[..., StepJacobian] | None] = None
    parallel_scan: ClassVar[Callable[..., Any] | None] = None
    label: ClassVar[str] = ""
    gate_biases: ClassVar[tuple[GateBias, ...]] = ()
    against_explosion: ClassVar[str] = "scale the recurrent kernels down"
    without_direct_path: ClassVar[str] = ""

    hidden: PositiveInt = 64
    layers: PositiveInt = 1

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "init" in cls.__dict__:
            cls.init = _for_every_layer(same_draws(cls.init))  # type: ignore[method-assign]

    @abstractmethod
    def init(self, key: Key[Array, ""], input_size: int) -> Any:
        """Initial parameters of one layer: any pytree of numbers; those of a stack are a tuple.

        ``affine`` reads a dict of named arrays. Leaves of whole numbers or of booleans are held
        fixed while the others are trained.

        Args:
            key: determines every random number, in float64 the same as in float32.
            input_size: number of input features of the first layer.
        """

    @abstractmethod
    def step(
        self,
        params: Any,
        state: Any,
        x: Float[Array, "batch inputs"],
        observe: Observe = unobserved,
    ) -> Any:
        """The state after reading ``x``, for one layer.

        Args:
            params: one layer's parameters.
            state: the previous ``State``.
            x: input of this time step.
            observe: called as ``observe(name, value)``; the step must use the value returned.
        """

    def output(self, state: Any) -> Float[Array, "batch outputs"]:
        """The features that the layer above and the readout read: h, unless overridden."""
        return state.h

    @property
    def output_size(self) -> int:
        """Number of features of ``output``."""
        return int(jax.eval_shape(lambda: self.output(self.initial_state(1))).shape[-1])

    @property
    def carry(self) -> str:
        """The part of the state that the direct path carries, which is c, or else h, or the first.

        A cell whose carry is another part overrides this.
        """
        names = self.State._fields
        return next((name for name in ("c", "h") if name in names), names[0])

    @property
    def has_direct_path(self) -> bool:
        """Whether the class declares a direct path, by ``direct`` or ``direct_path``."""
        return self.direct is not None or type(self).direct_path is not Cell.direct_path

    def direct_path(
        self, params: Any, seen: dict[str, Array], carry: Inexact[Array, "batch *shape"]
    ) -> Inexact[Array, "batch *shape"]:
        """The contribution of the previous carry to the new one along the direct path.

        It is linear in ``carry``: a gate, a complex diagonal, α (I − β k kᵀ). The default is the
        observed gate that ``direct`` names, the same for all entries along the axes that it lacks.

        Args:
            params: one layer's parameters.
            seen: the values that ``step`` observed.
            carry: a previous carry, shaped as that part of the state.
        """
        assert self.direct is not None
        gate = seen[self.direct]
        return gate.reshape(gate.shape + (1,) * (carry.ndim - gate.ndim)) * carry

    def initial_state(self, batch: int) -> Any:
        """The all-zero ``State`` of one layer, arrays (batch, hidden) unless overridden."""
        return self.State(*(jnp.zeros((batch, self.hidden)) for _ in self.State._fields))

    def linearised(self, params: Any) -> Linearisation:
        """The dynamics near the zero state with zero input, for classes that define them.

        Args:
            params: one layer's parameters.

        Raises:
            ValueError: the class does not define them, or there is no derivative at the zero state.
        """
        raise ValueError(f"{type(self).__name__} says no linearisation at the zero state")

    @classmethod
    def against_vanishing(cls, wanted: int, decay: float, is_linearised: bool) -> str:
        """The advice of a diagnosis for a gradient that does not reach as far as wanted.

        Args:
            wanted: how many steps back the gradient should reach.
            decay: decay of the gradient, in decades per step back in time.
            is_linearised: whether the stability of the zero state is known.
        """
        return "no formula is known for a cell of your own."

    def torch_layer(self) -> TorchLayer:
        """The corresponding layer in PyTorch.

        Raises:
            ValueError: PyTorch has none.
        """
        raise ValueError(f"PyTorch has no counterpart of {type(self).__name__}")

    def dynamics(self) -> "Cell":
        """This cell with every option that affects only the initial parameters at its default.

        Two cells with equal dynamics run the same program on different parameters.
        """
        at_init = {
            name: field.default
            for name, field in type(self).model_fields.items()
            if AtInit in field.metadata
        }
        return self.model_copy(update=at_init)


def _for_every_layer(init: Callable[..., Any]) -> Callable[..., Any]:
    """Make an ``init`` written for one layer return a tuple of them for a stack."""

    @functools.wraps(init)
    def stacked(self: Cell, key: Array, input_size: int) -> Any:
        if self.layers == 1:
            return init(self, key, input_size)
        layer = self.model_copy(update={"layers": 1})
        sizes = [input_size] + [self.output_size] * (self.layers - 1)
        keys = jax.random.split(key, self.layers)
        return tuple(layer.init(k, size) for k, size in zip(keys, sizes, strict=True))

    return stacked
