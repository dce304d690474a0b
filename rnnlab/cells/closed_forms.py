"""Closed-form results on a gate that multiplies the old state, and on the LSTM's zero state."""

import numpy as np
from jaxtyping import ArrayLike
from scipy.special import expit, exprel


def forget_timescale(b: ArrayLike) -> np.float64 | np.ndarray:
    """−1/ln σ(b): the number of steps in which a forget gate of bias b alone divides c by e.

    The gate's pre-activation is its bias. The time scale 1/(1 − σ(b)) of Tallec & Ollivier 2018 is
    longer, by half a step when b is large.

    Args:
        b: the whole offset before the sigmoid.

    Returns:
        The number of steps; ∞ at b > 709, where it exceeds the largest float.
    """
    with np.errstate(over="ignore", divide="ignore"):
        return 1 / np.logaddexp(0.0, -np.asarray(b, float))


def bias_to_keep(kept: ArrayLike, steps: ArrayLike) -> np.float64 | np.ndarray:
    """The bias b at which σ(b)^steps = kept: a forget gate alone then keeps this fraction.

    ``bias_to_keep(exp(−1), T)`` is the bias of time scale T, see ``forget_timescale``.

    Args:
        kept: the fraction that is kept, in (0, 1).
        steps: the number of steps, > 0 and finite.

    Raises:
        ValueError: an argument is outside its range, or no float holds the bias.
    """
    kept, steps = np.asarray(kept, float), np.asarray(steps, float)
    _check_all((kept > 0) & (kept < 1), "kept must be above 0 and below 1", kept)
    _check_all((steps > 0) & (steps < np.inf), "steps must be above 0 and finite", steps)
    with np.errstate(over="ignore"):
        rate = -np.log(kept) / steps  # −ln σ(b)
    _check_all(rate < np.inf, "no float holds the bias: steps is too small", steps)
    # b = −ln(e^rate − 1), where neither e^rate nor the difference nor a small rate is rounded away.
    of_large = -rate - np.log1p(-np.exp(-np.maximum(rate, 1)))
    of_small = np.log(steps) - np.log(-np.log(kept)) - np.log(exprel(np.minimum(rate, 1)))
    return np.where(rate > 1, of_large, of_small)[()]


def _check_all(is_right: ArrayLike, what: str, values: ArrayLike) -> None:
    if not np.all(is_right):
        wrong = np.broadcast_to(values, np.shape(is_right))[np.logical_not(is_right)]
        raise ValueError(f"{what}, got {wrong.flat[0]}")


def half_life(b: ArrayLike) -> np.float64 | np.ndarray:
    """ln 2 · ``forget_timescale(b)``: the number of steps in which a forget gate alone halves c."""
    return np.log(2) * forget_timescale(b)


def critical_gain(
    b_f: ArrayLike, b_i: ArrayLike = 0.0, b_o: ArrayLike = 0.0
) -> np.float64 | np.ndarray:
    """The real positive eigenvalue of U_g at which the LSTM's zero fixed point loses stability.

    (1 − σ(b_f)) / (σ(b_i) σ(b_o)), with zero input, b_g = 0 and biases equal across units; derived
    from the step's equations, see ``theory.fixed_point_eigenvalues``. An eigenvalue in any other
    direction of the complex plane must be larger.

    Args:
        b_f: bias of the forget gate.
        b_i: bias of the input gate.
        b_o: bias of the output gate.

    Returns:
        The gain; ∞ or 0 where it is beyond the range of floats.
    """
    b_f, b_i, b_o = (np.asarray(b, float) for b in (b_f, b_i, b_o))
    # σ(b) = e^min(b, 0) σ(|b|): the powers of e are joined before any of them underflows.
    log_powers = -np.maximum(b_f, 0) - np.minimum(b_i, 0) - np.minimum(b_o, 0)
    with np.errstate(over="ignore"):
        return np.exp(log_powers) * expit(np.abs(b_f)) / (expit(np.abs(b_i)) * expit(np.abs(b_o)))
