"""Code that the built-in cells share: kernels drawn by name, a choice of activation."""

from collections.abc import Callable
from typing import Annotated, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key
from pydantic import Field

from rnnlab.cells.affine import Params
from rnnlab.cells.cell import AtInit, Cell
from rnnlab.cells.initializers import InputKernel, RecurrentKernel, kernel

Activation = Literal["tanh", "relu"]
ACTIVATIONS: dict[Activation, Callable[[Array], Array]] = {"tanh": jnp.tanh, "relu": jax.nn.relu}
# φ' as a function of φ.
SLOPES: dict[Activation, Callable[[Array], Array]] = {
    "tanh": lambda y: 1 - y**2,
    "relu": lambda y: (y > 0).astype(y.dtype),
}
Finite = Annotated[float, Field(allow_inf_nan=False)]
SHORTEST_CHRONO = 3
ChronoLength = Annotated[float, Field(ge=SHORTEST_CHRONO, allow_inf_nan=False)]


def require_slope_at_zero(activation: Activation) -> None:
    """Raise a ValueError where the activation has no derivative at 0."""
    if activation == "relu":
        raise ValueError("activation 'relu' has no derivative at the zero state: use 'tanh'")


class KernelCell(Cell):
    """A cell whose kernels are drawn by name.

    Attributes:
        input_kernel: how the initial W of every gate is drawn.
        recurrent_kernel: how the initial U of every gate is drawn.
        recurrent_gain: factor on every initial U.
    """

    input_kernel: Annotated[InputKernel, AtInit] = "glorot"
    recurrent_kernel: Annotated[RecurrentKernel, AtInit] = "orthogonal"
    recurrent_gain: Annotated[float, AtInit, Field(gt=0, allow_inf_nan=False)] = 1.0

    def input_kernels(
        self, key: Key[Array, ""], gates: str | tuple[str, ...], input_size: int
    ) -> Params:
        """``W_k`` (input_size, hidden) for every gate k."""
        keys = jax.random.split(key, len(gates))
        return {
            f"W_{k}": kernel(self.input_kernel, subkey, input_size, self.hidden)
            for k, subkey in zip(gates, keys, strict=True)
        }

    def recurrent_kernels(self, key: Key[Array, ""], gates: tuple[str, ...] | str) -> Params:
        """``U_k`` (hidden, hidden) for every gate k."""
        keys, square = jax.random.split(key, len(gates)), (self.hidden, self.hidden)
        return {
            f"U_{k}": kernel(self.recurrent_kernel, subkey, *square, self.recurrent_gain)
            for k, subkey in zip(gates, keys, strict=True)
        }

    def biases(self, **values: float | Array) -> Params:
        """``bias_k`` (hidden,) for every gate k, each given as one number or as one per unit."""
        return {
            f"bias_{k}": jnp.broadcast_to(jnp.asarray(value, dtype=float), (self.hidden,))
            for k, value in values.items()
        }
