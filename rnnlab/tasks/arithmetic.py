"""Addition and subtraction of numbers that are read between distractors."""

from typing import Annotated, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key
from pydantic import Field

from rnnlab.tasks.answers import least_loss
from rnnlab.tasks.task import Task

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789+-=."
LETTERS = 26
ZERO, PLUS, MINUS, EQUALS, END = (ALPHABET.index(symbol) for symbol in "0+-=.")
NOTHING = -1


class Arithmetic(Task):
    """Read a sum or a difference, then write what it is (Jozefowicz et al. 2015).

    Two numbers and the sign between them, random letters behind every symbol, "=", the answer and
    its end ".". From "=" on the next symbol is asked for, the answer so far being shown::

        input   7 k 5 - b x 8 2 c = - 7        digits = 2, distractors = 2
        target                    - 7 .

    Chosen where the paper leaves it open: each number has 1 to ``digits`` digits, each count as
    likely as another, and the first is not 0; + and − are equally likely, and so are 0 to
    ``distractors`` letters behind a symbol. Only the answer is asked for: nothing foretells a
    letter. Examples are padded at the end by inputs of zeros, where nothing is asked either.
    Inputs and outputs are one-hot over the paper's 40 symbols.

    Attributes:
        digits: most digits of a number.
        distractors: most letters behind a symbol.
    """

    metric_name: ClassVar[str] = "next-step accuracy"

    digits: Annotated[int, Field(ge=1, le=8)] = 8
    distractors: Annotated[int, Field(ge=0)] = 3

    @property
    def steps(self) -> int:
        """Number of time steps, those of the longest text less its last symbol."""
        return (2 * self.digits + 1) * (1 + self.distractors) + self.digits + 2

    @property
    def input_size(self) -> int:
        """The alphabet."""
        return len(ALPHABET)

    @property
    def output_size(self) -> int:
        """The alphabet."""
        return len(ALPHABET)

    @property
    def baseline(self) -> float:
        """The least loss of who knows the place in the answer and the symbol shown there.

        Exact: 1.30, 1.96 and 2.25 nats at 1, 3 and 8 digits, where a digit guessed costs ln 10.
        """
        return least_loss(self.digits)

    @property
    def threshold(self) -> float:
        """A tenth of the baseline."""
        return 0.1 * self.baseline

    @property
    def read_step(self) -> None:
        """None, since examples are read at different steps."""
        return None

    def sample(self, key: Key[Array, ""]) -> tuple[Float[Array, "time 40"], Int[Array, " time"]]:
        """One-hot inputs (time, 40), and the next symbol where it is asked for, else −1."""
        expression_key, distractor_key = jax.random.split(key)
        symbols, used, result = self._expression(expression_key)
        text, length = self._spread(distractor_key, symbols, used)
        answer = self._written(result)
        places = length + 1 + jnp.arange(len(answer))
        text = text.at[length].set(EQUALS)
        text = text.at[self._if(answer != NOTHING, places)].set(answer, mode="drop")
        target = jnp.where(jnp.arange(self.steps) >= length, text[1:], NOTHING)
        return jax.nn.one_hot(text[:-1], self.input_size), target

    def _expression(
        self, key: Key[Array, ""]
    ) -> tuple[Int[Array, " slots"], Bool[Array, " slots"], Int[Array, ""]]:
        """Digits, sign, digits, with which of them are used, and the result."""
        count_key, digit_key, first_key, sign_key = jax.random.split(key, 4)
        counts = jax.random.randint(count_key, (2,), 1, self.digits + 1, jnp.int32)
        digits = jax.random.randint(digit_key, (2, self.digits), 0, 10, jnp.int32)
        digits = digits.at[:, 0].set(jax.random.randint(first_key, (2,), 1, 10, jnp.int32))
        subtracted = jax.random.bernoulli(sign_key, jnp.float32(0.5))
        used = jnp.arange(self.digits) < counts[:, None]
        numbers = jnp.zeros(2, jnp.int32)
        for place in range(self.digits):
            numbers = jnp.where(used[:, place], 10 * numbers + digits[:, place], numbers)
        result = numbers[0] + jnp.where(subtracted, -numbers[1], numbers[1])
        sign = jnp.where(subtracted, MINUS, PLUS).astype(jnp.int32)[None]
        symbols = jnp.concatenate([ZERO + digits[0], sign, ZERO + digits[1]])
        return symbols, jnp.concatenate([used[0], jnp.array([True]), used[1]]), result

    def _spread(
        self, key: Key[Array, ""], symbols: Int[Array, " slots"], used: Bool[Array, " slots"]
    ) -> tuple[Int[Array, " text"], Int[Array, ""]]:
        """The symbols that are used with letters behind them, and how long that is."""
        count_key, letter_key = jax.random.split(key)
        slots = len(symbols)
        counts = jax.random.randint(count_key, (slots,), 0, self.distractors + 1, jnp.int32)
        letters = jax.random.randint(letter_key, (slots, self.distractors), 0, LETTERS, jnp.int32)
        widths = jnp.where(used, 1 + counts, 0)
        starts = jnp.cumsum(widths) - widths
        behind = jnp.arange(self.distractors)
        is_shown = used[:, None] & (behind < counts[:, None])
        places = starts[:, None] + 1 + behind
        text = jnp.full(self.steps + 1, NOTHING, jnp.int32)
        text = text.at[self._if(used, starts)].set(symbols, mode="drop")
        text = text.at[self._if(is_shown, places)].set(letters, mode="drop")
        return text, widths.sum()

    def _written(self, result: Int[Array, ""]) -> Int[Array, " longest"]:
        """The result's symbols, then ".", then nothing."""
        size, is_negative = jnp.abs(result), result < 0
        powers = jnp.array([10**power for power in range(self.digits + 1)], jnp.int32)
        index = jnp.arange(self.digits + 2)
        power = jnp.sum(size >= powers[1:]) - (index - is_negative)
        digit = size // powers[jnp.clip(power, 0, self.digits)] % 10
        behind = jnp.where(power == -1, END, NOTHING)
        text = jnp.where(power >= 0, ZERO + digit, behind)
        return jnp.where(is_negative & (index == 0), MINUS, text).astype(jnp.int32)

    def _if(self, wanted: Array, places: Array) -> Array:
        """Places in the text, and one behind it for what is not wanted."""
        return jnp.where(wanted, places, self.steps + 1)

    def loss(
        self, outputs: Float[Array, "time 40"], target: Int[Array, " time"]
    ) -> Float[Array, ""]:
        """Cross-entropy in nats, mean over the answer's symbols, its end included."""
        log_probabilities = jax.nn.log_softmax(outputs)
        indices = jnp.maximum(target, 0)[:, None]
        return _answer_mean(-jnp.take_along_axis(log_probabilities, indices, axis=1)[:, 0], target)

    def metric(
        self, outputs: Float[Array, "time 40"], target: Int[Array, " time"]
    ) -> Float[Array, ""]:
        """Share of the answer's symbols, its end included, that are foretold right."""
        return _answer_mean((outputs.argmax(-1) == target).astype(outputs.dtype), target)


def _answer_mean(values: Array, target: Array) -> Array:
    asked = target != NOTHING
    return jnp.sum(jnp.where(asked, values, 0.0)) / jnp.sum(asked)
