"""Predictions from the equations of the cells in closed form, to compare measurements with."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import ArrayLike, Complex128
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import roots_legendre

from rnnlab.cells import CELLS
from rnnlab.cells.cell import Cell
from rnnlab.cells.closed_forms import bias_to_keep, critical_gain, forget_timescale, half_life
from rnnlab.cells.facts import Linearisation
from rnnlab.cells.kernels import SHORTEST_CHRONO
from rnnlab.cells.state import state_size
from rnnlab.gradients.first_crossing import first_crossing

__all__ = [
    "Ring",
    "bias_to_keep",
    "chrono_retention",
    "critical_factor",
    "critical_gain",
    "eigenvalue_ring",
    "fixed_point_eigenvalues",
    "forget_timescale",
    "half_life",
    "mean_field_exponent",
    "recurrent_kernel",
    "spectral_radius",
]

RETENTION_NODES = 100
LEFT_OUT = 40.0


def fixed_point_eigenvalues(
    cell: Cell, params: Any
) -> Complex128[np.ndarray, "*layers eigenvalues"]:
    """Eigenvalues of ∂state_t/∂state_{t−1} at the zero state with zero input.

    The zero state is stable where all are below 1 in modulus. Derived from the step's equations:
    LSTM, n zeros and the eigenvalues of diag(f) + diag(i) U_gᵀ diag(o); GRU, those of
    diag(z) + diag((1 − z) ⊙ r) U_nᵀ for both reset conventions; vanilla RNN, those of U_hᵀ. The
    gates are the sigmoids of their biases; kernels are transposed as h multiplies from the left.

    Args:
        cell: an LSTM, a GRU or a VanillaRNN, with tanh.
        params: its parameters, as ``cell.init`` makes them.

    Returns:
        Sorted by modulus, greatest first: (2 hidden,) for the LSTM, else (hidden,). A cell of
        several layers has one row a layer: together they are the eigenvalues of the stack.

    Raises:
        ValueError: the zero state is no fixed point, the activation has no derivative at 0, or
            the cell is of another class.
    """
    if not _says_its_linearisation(cell):
        known = ", ".join(kind.__name__ for kind in CELLS.values() if "linearised" in vars(kind))
        raise ValueError(f"eigenvalues are known for {known}, not for {type(cell).__name__}")
    if cell.layers == 1:
        return _layer_eigenvalues(cell, params)
    return np.stack([_layer_eigenvalues(cell, layer) for layer in params])


def critical_factor(cell: Cell, params: Any) -> float:
    """The factor on the candidate's recurrent kernel at which the zero state loses stability.

    The least s > 0 at which an eigenvalue of diag(f) + s diag(i ⊙ o) U_gᵀ (GRU and vanilla RNN
    likewise, see ``fixed_point_eigenvalues``) has modulus 1, for one layer, without the candidate's
    bias; at larger s the zero state may be stable again. Every s up to it is proved to be stable,
    see ``first_crossing``. Where biases are equal and U_g has a real positive eigenvalue equal to
    its spectral radius, s times that radius is ``critical_gain``.

    Returns:
        The factor, exact for a kernel that differs from the given one by rounding errors; ∞ where
        the zero state stays stable whatever s, or only changes of the size of rounding errors make
        it unstable; NaN for cells other than LSTM, GRU and VanillaRNN, with tanh.

    Raises:
        ValueError: the kernel or a bias is not finite.
    """
    linear = _linearised(cell, params)
    if linear is None:
        return np.nan
    leak = 1 - linear.keep if linear.leak is None else linear.leak
    kernel = linear.write[:, None] * linear.U.T
    if not (np.isfinite(leak).all() and np.isfinite(kernel).all()):
        raise ValueError(
            f"{linear.kernel} or a bias of a gate holds numbers that are NaN or infinite"
        )
    return first_crossing(leak, kernel)


class Ring(NamedTuple):
    """A circle on the real axis of the complex plane."""

    centre: float
    radius: float


def eigenvalue_ring(cell: Cell, params: Any) -> Ring:
    """The region that holds the eigenvalues of ``fixed_point_eigenvalues``, for one layer.

    They lie around the mean of f (GRU: z; vanilla RNN: 0), within a radius of the mean of i ⊙ o
    (GRU: (1 − z) ⊙ r; vanilla RNN: 1) times the spectral radius of the recurrent kernel; on the
    circle itself where that kernel is orthogonal and biases are equal across units. The candidate's
    bias is left out.

    Returns:
        The circle; NaN for cells other than LSTM, GRU and VanillaRNN with tanh.
    """
    linear = _linearised(cell, params)
    if linear is None:
        return Ring(np.nan, np.nan)
    radius = float(np.mean(linear.write)) * spectral_radius(linear.U)
    return Ring(float(np.mean(linear.keep)), radius)


def spectral_radius(U: ArrayLike) -> float:
    """The greatest modulus of an eigenvalue."""
    return float(np.abs(np.linalg.eigvals(np.asarray(U, float))).max())


def recurrent_kernel(cell: Cell, params: Any) -> tuple[str, np.ndarray]:
    """Name and values of the candidate's recurrent kernel in one layer.

    Raises:
        ValueError: the cell's class does not define its linearisation at the zero state.
    """
    linear = _linearised(cell, params)
    if linear is None:
        raise ValueError(f"{type(cell).__name__} says no linearisation at the zero state")
    return linear.kernel, linear.U


def _linearised(cell: Cell, params: Any) -> Linearisation | None:
    """The cell's linearisation at the zero state; None where it has none, as with relu."""
    if not _says_its_linearisation(cell):
        return None
    try:
        return cell.linearised(params)
    except ValueError:
        return None


def _says_its_linearisation(cell: Cell) -> bool:
    """Whether the class itself defines it: a subclass may have another step."""
    return "linearised" in vars(type(cell))


def chrono_retention(t_max: float, steps: ArrayLike) -> np.float64 | np.ndarray:
    """Mean over units of f^steps, the fraction of c that chrono forget gates keep before training.

    f = u/(1 + u), u ~ U[1, t_max − 1] (Tallec & Ollivier 2018, equation 16): the mean of
    (u/(1 + u))^steps, by Gauss–Legendre quadrature over log(1 + u).

    Args:
        t_max: the longest time scale, in steps.
        steps: the number of steps.

    Raises:
        ValueError: ``t_max`` below 3 or not finite, or negative ``steps``.
    """
    steps = np.asarray(steps, float)
    if not SHORTEST_CHRONO <= t_max < np.inf:
        raise ValueError(f"t_max must be finite and at least {SHORTEST_CHRONO}, got {t_max}")
    if not np.all(steps >= 0):
        raise ValueError(f"steps must be at least 0, got {steps.min()}")
    nodes, weights = roots_legendre(RETENTION_NODES)
    # Over log τ, from the longest down to where less than e^−40 of the whole is left.
    with np.errstate(divide="ignore"):
        span = np.log1p(LEFT_OUT * t_max / steps)[..., None]
    span = np.minimum(span, min(np.log(t_max / 2), LEFT_OUT))
    of_longest = np.exp(span * (nodes - 1) / 2)
    kept = np.exp(steps[..., None] * np.log1p(-1 / (t_max * of_longest)))
    whole = np.sum(weights * of_longest * kept, axis=-1) * span[..., 0] / 2
    return np.minimum(whole / (1 - 2 / t_max), 1.0)


def mean_field_exponent(gain: float) -> float:
    """Largest Lyapunov exponent of h_t = tanh(U h_{t−1}), U_ij ~ N(0, gain²/n), n → ∞.

    It is ln gain up to gain 1, where h decays to 0. Above, it is the mean-field result of Engelken
    et al. 2023 for discrete time: ½ ln(gain² ⟨φ'(√q z)²⟩) with q = gain² ⟨tanh²(√q z)⟩ the variance
    of the pre-activations and z standard normal.

    Args:
        gain: √n times the standard deviation of U's entries, the spectral radius as n → ∞.

    Returns:
        Natural logarithm per step; positive in chaos.

    Raises:
        ValueError: ``gain`` is not positive and finite.
    """
    if not 0 < gain < np.inf:
        raise ValueError(f"gain must be positive and finite, got {gain}")
    if gain <= 1:
        return float(np.log(gain))

    def growth(x: float) -> float:
        """gain² ⟨tanh²(√q z)⟩ / q − 1 at √q = gain x; only its sign counts at x = 0."""
        if x == 0:
            return gain - 1
        return _normal_mean(lambda z: (np.tanh(gain * x * z) / x) ** 2) - 1

    with np.errstate(over="ignore"):
        s = gain * brentq(growth, 0.0, 1 + 1e-9, xtol=1e-15)
        steepness = max(s, 1.0)
        slope = _normal_mean(lambda z: (1 - np.tanh(s * z) ** 2) ** 2, steepness)
    return float(np.log(gain) + 0.5 * (np.log(slope) - np.log(steepness)))


def _layer_eigenvalues(cell: Cell, params: Any) -> Complex128[np.ndarray, " eigenvalues"]:
    linear = cell.linearised(params)
    for name in linear.zero_biases:
        if np.any(params.get(name, 0.0)):
            raise ValueError(f"{name} is not 0: the zero state is no fixed point of the cell")
    # diag(i) Uᵀ diag(o) and diag(i ⊙ o) Uᵀ are similar through diag(o), which leaves diag(f).
    matrix = np.diag(linear.keep) + linear.write[:, None] * linear.U.T
    eigenvalues = np.linalg.eigvals(matrix).astype(complex)
    missing = np.zeros(state_size(cell) - len(eigenvalues))
    eigenvalues = np.concatenate([eigenvalues, missing])
    return eigenvalues[np.argsort(-np.abs(eigenvalues), kind="stable")]


def _normal_mean(of: Callable[[float], float], zoom: float = 1.0) -> float:
    """``zoom`` times the mean of an even function of a standard normal z, which ends near 1/zoom.

    By integration over the logarithm of w = zoom · z.
    """

    def density(log_w: float) -> float:
        w = np.exp(log_w)
        return of(w / zoom) * w * np.exp(-((w / zoom) ** 2) / 2)

    return np.sqrt(2 / np.pi) * quad(density, -40.0, 3.0, epsabs=0.0, epsrel=1e-12, limit=200)[0]
