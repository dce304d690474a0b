"""The copy task."""

from math import log
from typing import Annotated, ClassVar, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key
from pydantic import Field, PositiveInt

from rnnlab.tasks.losses import cross_entropy, is_right
from rnnlab.tasks.task import Task


class Copying(Task):
    """Remember K symbols over a gap, then repeat them (Arjovsky et al. 2016).

    K symbols, m blanks, a delimiter, then blanks during which the symbols are recalled::

        input   a b _ _ _ : _ _        K = 2, T = 4, m = T − 1 = 3
        target  _ _ _ _ _ _ a b

    ``gap="fixed"``: m = T − 1, length T + 2K. ``gap="variable"``: m ~ U{1..T} for each example,
    padded with blanks at the end to length T + 2K + 1 (Henaff et al. 2016).
    Inputs are one-hot over blank, the alphabet and the delimiter; outputs over blank and alphabet.

    Attributes:
        length: T, the gap in time steps, within which blanks are shown.
        symbols: K, how many symbols are to be remembered.
        alphabet: number of different symbols.
        gap: ``fixed``, T − 1 blanks; ``variable``, 1 to T, drawn for each example.
    """

    metric_name: ClassVar[str] = "recall accuracy"

    length: PositiveInt = 100
    symbols: PositiveInt = 10
    alphabet: Annotated[int, Field(ge=2)] = 8
    gap: Literal["fixed", "variable"] = "fixed"

    @property
    def steps(self) -> int:
        """Number of time steps, T + 2K, or T + 2K + 1 with a variable gap."""
        return self.length + 2 * self.symbols + (self.gap == "variable")

    @property
    def input_size(self) -> int:
        """Blank, symbols, delimiter."""
        return self.alphabet + 2

    @property
    def output_size(self) -> int:
        """Blank, symbols."""
        return self.alphabet + 1

    @property
    def baseline(self) -> float:
        """K ln(alphabet) / length, in nats, of who knows when to recall but not what.

        With a variable gap this clock counts from the delimiter. At recall only blanks are shown.
        """
        return self.symbols * log(self.alphabet) / self.steps

    @property
    def threshold(self) -> float:
        """A tenth of the baseline."""
        return 0.1 * self.baseline

    @property
    def read_step(self) -> int | None:
        """The delimiter's step T + K − 1; None with a variable gap."""
        return self.length + self.symbols - 1 if self.gap == "fixed" else None

    @property
    def t_max(self) -> float:
        """1.5 T (Tallec & Ollivier 2018)."""
        return 1.5 * self.length

    def sample(
        self, key: Key[Array, ""]
    ) -> tuple[Float[Array, "time classes"], Int[Array, " time"]]:
        """One-hot inputs (time, alphabet + 2) and target classes (time,)."""
        symbol_key, gap_key = jax.random.split(key)
        symbols = jax.random.randint(symbol_key, (self.symbols,), 1, self.alphabet + 1, jnp.int32)
        if self.gap == "fixed":
            blanks = jnp.asarray(self.length - 1)
        else:
            blanks = jax.random.randint(gap_key, (), 1, self.length + 1, jnp.int32)
        delimiter = self.symbols + blanks
        nothing = jnp.zeros(self.steps, symbols.dtype)
        shown = nothing.at[: self.symbols].set(symbols).at[delimiter].set(self.alphabet + 1)
        target = nothing.at[delimiter + 1 + jnp.arange(self.symbols)].set(symbols)
        return jax.nn.one_hot(shown, self.input_size), target

    def loss(
        self, outputs: Float[Array, "time classes"], target: Int[Array, " time"]
    ) -> Float[Array, ""]:
        """Cross-entropy in nats, mean over all positions."""
        return cross_entropy(outputs, target).mean()

    def memory_loss(
        self, outputs: Float[Array, "time classes"], target: Int[Array, " time"]
    ) -> Float[Array, ""]:
        """Cross-entropy in nats, mean over the K recall positions."""
        return self._recall_mean(cross_entropy(outputs, target), target)

    def metric(
        self, outputs: Float[Array, "time classes"], target: Int[Array, " time"]
    ) -> Float[Array, ""]:
        """Share of the K recall positions that are answered right."""
        return self._recall_mean(is_right(outputs, target), target)

    def recall_positions(self, target: Int[Array, " time"]) -> Bool[Array, " time"]:
        """The K steps at which a symbol, and no blank, is the target."""
        return target > 0

    def _recall_mean(self, values: Array, target: Array) -> Array:
        return jnp.sum(jnp.where(self.recall_positions(target), values, 0.0)) / self.symbols
