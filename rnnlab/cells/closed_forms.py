"""Closed-form results on a gate that multiplies the old state, and on the LSTM's zero state."""

import numpy as np
from jaxtyping import ArrayLike
from scipy.special import expit


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
        steps: the number of steps, > 0.
    """
    return -np.log(np.expm1(-np.log(np.asarray(kept, float)) / np.asarray(steps, float)))


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
    """
    return expit(-np.asarray(b_f, float)) / (
        expit(np.asarray(b_i, float)) * expit(np.asarray(b_o, float))
    )
