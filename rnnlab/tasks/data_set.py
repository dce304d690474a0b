"""Tasks on a data set; each seed holds out a part of it for evaluation."""

import functools
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key
from pydantic import Field

from rnnlab.support.errors import UserError
from rnnlab.tasks.task import Task


class Examples(NamedTuple):
    """Inputs (examples, time, features), and targets, each leaf of which has that first axis."""

    inputs: Any
    targets: Any


@dataclass(frozen=True)
class DataSet:
    """Examples in memory; data sets are equal where their identities are.

    Attributes:
        name: for messages.
        identity: tells apart data sets of different content.
        examples: NumPy arrays, of floating-point numbers or of integers.
    """

    name: str = field(compare=False)
    identity: str
    examples: Examples = field(compare=False)

    @property
    def size(self) -> int:
        """Number of examples."""
        return len(self.examples.inputs)

    @property
    def nbytes(self) -> int:
        """The size of the examples in bytes."""
        return sum(leaf.nbytes for leaf in jax.tree.leaves(self.examples))


class Pool(NamedTuple):
    """Examples that may be drawn.

    Attributes:
        rows: which of them, as indices of the data set.
        examples: the data set, as JAX arrays.
    """

    rows: Int[Array, " rows"]
    examples: Examples

    def draw(self, key: Key[Array, ""]) -> Examples:
        """One of them, each as likely as any other."""
        index = jax.random.randint(key, (), 0, len(self.rows), jnp.int32)
        return jax.tree.map(lambda leaf: leaf[self.rows[index]], self.examples)

    def first(self, most: int) -> Examples:
        """The first ``most`` examples, or all if there are fewer."""
        return jax.tree.map(lambda leaf: leaf[self.rows[:most]], self.examples)


class DataTask(Task):
    """A task on a data set.

    A run's seed decides which examples it holds out. Each update draws its examples from the
    others, uniformly and with replacement; evaluation is on those that are held out.

    Attributes:
        evaluation_share: share of the examples that is held out, rounded to whole examples.
    """

    evaluation_share: Annotated[float, Field(gt=0, lt=1)] = 0.2

    @property
    @abstractmethod
    def data(self) -> DataSet:
        """The examples."""

    def model_post_init(self, context: Any, /) -> None:
        """Refuse data that cannot be split.

        Raises:
            UserError: no example is held out, or none is left.
        """
        held_out, remaining = self._held_out, self.data.size - self._held_out
        if not (held_out and remaining):
            raise UserError(
                f"{self.data.name}: {self.data.size} examples are too few: evaluation_share "
                f"{self.evaluation_share:g} holds out {held_out} of them and leaves {remaining} to "
                "train on, and both must be 1 or more"
            )

    @property
    def _held_out(self) -> int:
        return round(self.evaluation_share * self.data.size)

    @property
    def input_size(self) -> int:
        """Number of features."""
        return self.data.examples.inputs.shape[2]

    @property
    def steps(self) -> int:
        """T, the number of time steps."""
        return self.data.examples.inputs.shape[1]

    @property
    def threshold(self) -> float:
        """A tenth of the baseline, as in the copy task."""
        return 0.1 * self.baseline

    @property
    def t_max(self) -> float:
        """T."""
        return float(self.steps)

    def split(self, key: Key[Array, ""]) -> tuple[Pool, Pool]:
        """The examples to train on and those that are held out, in random order."""
        order = jax.random.permutation(key, jnp.arange(self.data.size, dtype=jnp.int32))
        examples = self._examples()
        return Pool(order[self._held_out :], examples), Pool(order[: self._held_out], examples)

    def sample(self, key: Key[Array, ""]) -> tuple[Float[Array, "time features"], Any]:
        """Any example of the data set, held out or not; runs draw from ``split``."""
        return Pool(jnp.arange(self.data.size), self._examples()).draw(key)

    def _examples(self) -> Examples:
        return _for_jax(self.data, np.dtype(jnp.result_type(float)))


@functools.lru_cache(maxsize=1)
def _for_jax(data: DataSet, floats: np.dtype) -> Examples:
    """The examples as JAX arrays, made once for all runs: floats of this type, 32-bit integers.

    Tracing, which calls this too, must not make tracers of them.
    """
    types = {"f": floats, "i": np.dtype(np.int32)}
    with jax.ensure_compile_time_eval():
        return jax.tree.map(lambda a: jnp.asarray(a, types[a.dtype.kind]), data.examples)
