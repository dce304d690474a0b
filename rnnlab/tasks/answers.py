"""The probabilities of the symbols of answers to ``arithmetic``, exactly.

A result a ± b is written from its least digit on, with a carry: its digit at a place is
(a's ± b's ± carry) mod 10, and a's and b's digits are independent. The probabilities of a digit r
at a place, with each carry into it and out of it, are a 2 × 2 matrix; products of such matrices
along the places give those of several digits.
"""

import functools
import itertools

import numpy as np
from jaxtyping import Float

# By digit, the carry into the place, and that out of it.
Place = Float[np.ndarray, "10 2 2"]
# By index in the answer, the symbol shown there (the last one, or "="), and the next one.
Weights = Float[np.ndarray, "symbols 12 12"]
# Behind the digits; "=" is shown but never next, and "." the other way round.
MINUS, EQUALS, END = 10, 11, 11


@functools.cache
def least_loss(digits: int) -> float:
    """The least cross-entropy, in nats, of who knows an answer's index and the symbol shown there.

    It is a mean over the symbols of an answer and over answers, as in the task's loss.

    Args:
        digits: most digits of a number; each count of digits up to it is as likely as another.
    """
    weights = _weights(digits)
    known = np.broadcast_to(weights.sum(axis=2, keepdims=True), weights.shape)
    met = weights > 0
    return float(np.sum(weights[met] * np.log(known[met] / weights[met])))


def _weights(digits: int) -> Weights:
    """The weight of each step of an answer in the mean loss; their sum is 1."""
    weights = np.zeros((digits + 3, 12, 12))
    for count_a, count_b in itertools.product(range(1, digits + 1), repeat=2):
        pairs = [(_digits(count_a, p), _digits(count_b, p)) for p in range(digits + 1)]
        sums, differences = ([_place(a, b, minus) for a, b in pairs] for minus in (False, True))
        _add_written(weights, sums, is_negative=False)
        _add_written(weights, differences, is_negative=False)
        # With its two numbers exchanged, a difference below 0 is one above 0 behind a minus.
        _add_written(weights, differences, is_negative=True)
    return weights / (2 * digits**2)


def _digits(count: int, place: int) -> range:
    """The digits that a number of ``count`` digits may have at a place."""
    if place >= count:
        return range(1)
    return range(1 if place == count - 1 else 0, 10)


@functools.cache
def _place(of_a: range, of_b: range, is_difference: bool) -> Place:
    """The probabilities at a place where the numbers have such digits."""
    found = np.zeros((10, 2, 2))
    for a, b, carry in itertools.product(of_a, of_b, (0, 1)):
        out, digit = divmod(a - b - carry if is_difference else a + b + carry, 10)
        found[digit, carry, abs(out)] += 1 / (len(of_a) * len(of_b))
    return found


def _add_written(weights: Weights, places: list[Place], *, is_negative: bool) -> None:
    """Add the steps of the answers that are 0 or more, or of those below 0."""
    no_carry = np.array([1.0, 0.0])
    below = [no_carry]  # the carry into each place
    for place in places:
        below.append(below[-1] @ place.sum(axis=0))
    beyond = no_carry  # by carry: from here on there are digits 0 only, and no carry at the end
    for top in range(len(places) - 1, -1, -1):
        index, shown = (1, MINUS) if is_negative else (0, EQUALS)
        symbols = top + 2 + index
        # By digit and carry: a digit at a place, and above it what belongs to this length.
        found = places[top] @ beyond / symbols
        beyond = found[0] * symbols
        if top > 0 or is_negative:  # only the result 0 begins with a 0
            found[0] = 0
        if is_negative:
            weights[0, EQUALS, MINUS] += below[top] @ found.sum(axis=0)
        weights[index, shown, :10] += found @ below[top]
        for lower in range(top - 1, -1, -1):
            index += 1
            weights[index, :10, :10] += found @ (below[lower] @ places[lower]).T
            found = places[lower] @ found.sum(axis=0)
        weights[index + 1, :10, END] += found @ below[0]
