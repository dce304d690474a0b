"""The adding problem."""

from typing import Annotated, ClassVar, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
from pydantic import Field

from rnnlab.tasks.task import Task


class Adding(Task):
    """Add the two marked numbers of a sequence (Hochreiter & Schmidhuber 1997).

    Each step shows (value ~ U[0, 1], marker); the target is the sum of the two marked values and
    the loss is the squared error of the last output. In the form of Arjovsky et al. 2016 one
    marker lies in each half of the sequence::

        value   0.3  0.9  0.1  0.6
        marker  0    1    1    0      target 0.9 + 0.1

    Attributes:
        length: T, number of time steps.
        markers: ``halves``, one uniform in [0, ⌊T/2⌋) and one in [⌊T/2⌋, T); ``anywhere``, two
            distinct positions (Bai et al. 2018).
    """

    metric_name: ClassVar[str] = "squared error"
    output_steps: ClassVar[slice] = slice(-1, None)

    length: Annotated[int, Field(ge=2)] = 100
    markers: Literal["halves", "anywhere"] = "halves"

    @property
    def input_size(self) -> int:
        """Value and marker."""
        return 2

    @property
    def output_size(self) -> int:
        """The sum."""
        return 1

    @property
    def baseline(self) -> float:
        """Mean squared error of who knows the last step only, 1/6, or less where it is marked.

        Answering 1 gives Var(U + U) = 1/6. A marked last step shows one of the two values v, and
        v + 1/2 gives Var(U) = 1/12.
        """
        second_half = self.length - self.length // 2
        marked = 1 / second_half if self.markers == "halves" else 2 / self.length
        return 1 / 6 - marked / 12

    @property
    def threshold(self) -> float:
        """Mean squared error 0.01."""
        return 0.01

    @property
    def read_step(self) -> int:
        """T − 1."""
        return self.length - 1

    @property
    def t_max(self) -> float:
        """T (Tallec & Ollivier 2018)."""
        return float(self.length)

    def sample(self, key: Key[Array, ""]) -> tuple[Float[Array, "time 2"], Float[Array, ""]]:
        """Inputs (T, 2) and their marked sum."""
        value_key, marker_key = jax.random.split(key)
        values = jax.random.uniform(value_key, (self.length,), jnp.float32).astype(float)
        first, second = self._positions(marker_key)
        markers = jnp.zeros(self.length).at[jnp.stack([first, second])].set(1.0)
        return jnp.stack([values, markers], axis=1), values[first] + values[second]

    def _positions(self, key: Key[Array, ""]) -> tuple[Array, Array]:
        first_key, second_key = jax.random.split(key)
        if self.markers == "halves":
            half = self.length // 2
            first = jax.random.randint(first_key, (), 0, half, jnp.int32)
            second = jax.random.randint(second_key, (), half, self.length, jnp.int32)
        else:
            first = jax.random.randint(first_key, (), 0, self.length, jnp.int32)
            other = jax.random.randint(second_key, (), 0, self.length - 1, jnp.int32)
            second = other + (other >= first)
        return first, second

    def loss(self, outputs: Float[Array, "steps 1"], target: Float[Array, ""]) -> Float[Array, ""]:
        """Squared error of the last output."""
        return (outputs[-1, 0] - target) ** 2
