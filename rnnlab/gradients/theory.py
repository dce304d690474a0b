"""What the equations of the cells say in closed form, to hold measurements to."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import ArrayLike, Complex128
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import expit, roots_legendre

from rnnlab.cells.cell import Cell, Params
from rnnlab.cells.gru import GRU
from rnnlab.cells.kernels import SHORTEST_CHRONO
from rnnlab.cells.lstm import LSTM
from rnnlab.cells.vanilla import VanillaRNN

RETENTION_NODES = 100


def forget_timescale(b: ArrayLike) -> np.float64 | np.ndarray:
    """−1/ln σ(b): the steps in which a forget gate of bias b alone shrinks c by e.

    The gate's pre-activation is its bias. The time scale 1/(1 − σ(b)) of Tallec & Ollivier 2018 is
    longer, by half a step when b is large.

    Args:
        b: the whole offset before the sigmoid.

    Returns:
        Steps; ∞ beyond the largest float, at b > 709.
    """
    with np.errstate(over="ignore", divide="ignore"):
        return 1 / np.logaddexp(0.0, -np.asarray(b, float))


def bias_to_keep(kept: ArrayLike, steps: ArrayLike) -> np.float64 | np.ndarray:
    """The bias b at which σ(b)^steps = kept: what a forget gate alone needs to reach that far.

    ``bias_to_keep(exp(−1), T)`` is the bias of time scale T, see ``forget_timescale``.

    Args:
        kept: in (0, 1).
        steps: how many, > 0.
    """
    return -np.log(np.expm1(-np.log(np.asarray(kept, float)) / np.asarray(steps, float)))


def half_life(b: ArrayLike) -> np.float64 | np.ndarray:
    """ln 2 · ``forget_timescale(b)``: the steps in which the forget gate alone halves c."""
    return np.log(2) * forget_timescale(b)


def critical_gain(
    b_f: ArrayLike, b_i: ArrayLike = 0.0, b_o: ArrayLike = 0.0
) -> np.float64 | np.ndarray:
    """The real positive eigenvalue of U_g at which the LSTM's zero fixed point loses stability.

    (1 − σ(b_f)) / (σ(b_i) σ(b_o)), with zero input, b_g = 0 and biases equal across units;
    derived from the step's equations, see ``fixed_point_eigenvalues``. An eigenvalue in any other
    direction of the complex plane must be larger.

    Args:
        b_f: bias of the forget gate.
        b_i: bias of the input gate.
        b_o: bias of the output gate.
    """
    return expit(-np.asarray(b_f, float)) / (
        expit(np.asarray(b_i, float)) * expit(np.asarray(b_o, float))
    )


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
    if type(cell) not in _LINEARISED:
        raise ValueError(
            f"eigenvalues are known for LSTM, GRU and VanillaRNN, not for {type(cell).__name__}"
        )
    if getattr(cell, "activation", "tanh") != "tanh":
        raise ValueError("activation 'relu' has no derivative at the zero state: use 'tanh'")
    if cell.layers == 1:
        return _layer_eigenvalues(cell, params)
    return np.stack([_layer_eigenvalues(cell, layer) for layer in params])


def critical_factor(cell: Cell, params: Params) -> float:
    """How many times as large the candidate's recurrent kernel makes the zero state unstable.

    The least s at which an eigenvalue of diag(f) + s diag(i ⊙ o) U_gᵀ (GRU and vanilla RNN
    likewise, see ``fixed_point_eigenvalues``) has modulus 1; of one layer, its candidate's bias
    left out. Where biases are equal and U_g has a real positive eigenvalue as large as its spectral
    radius, s times that is ``critical_gain``.

    Returns:
        ∞ where none does up to a spectral radius of 10⁶; not a number for other cells than LSTM,
        GRU and VanillaRNN, with tanh.
    """
    if not _is_linearised(cell):
        return np.nan
    keep, write, U = _linearise(cell, params)
    radius = spectral_radius(U)
    if radius == 0:
        return np.inf
    kernel = write[:, None] * U.T / radius

    def excess(gain: float) -> float:
        return spectral_radius(np.diag(keep) + gain * kernel) - 1

    gains = np.geomspace(1e-6, 1e6, 61)
    above = next((i for i, gain in enumerate(gains) if excess(gain) >= 0), None)
    if above is None:
        return np.inf
    return brentq(excess, gains[above - 1] if above else 0.0, gains[above], rtol=1e-12) / radius


class Ring(NamedTuple):
    """A circle on the real axis of the complex plane."""

    centre: float
    radius: float


def eigenvalue_ring(cell: Cell, params: Params) -> Ring:
    """Where the eigenvalues of ``fixed_point_eigenvalues`` lie, of one layer.

    Around the mean of f (GRU: z; vanilla RNN: 0), within the mean of i ⊙ o (GRU: (1 − z) ⊙ r;
    vanilla RNN: 1) times the spectral radius of the recurrent kernel: on the circle where that is
    orthogonal and biases are equal across units. The candidate's bias is left out.

    Returns:
        Not numbers for other cells than LSTM, GRU and VanillaRNN, with tanh.
    """
    if not _is_linearised(cell):
        return Ring(np.nan, np.nan)
    keep, write, U = _linearise(cell, params)
    return Ring(float(np.mean(keep)), float(np.mean(write)) * spectral_radius(U))


def spectral_radius(U: ArrayLike) -> float:
    """The greatest modulus of an eigenvalue."""
    return float(np.abs(np.linalg.eigvals(np.asarray(U, float))).max())


def recurrent_kernel(cell: Cell, params: Params) -> tuple[str, np.ndarray]:
    """Name and values of the candidate's recurrent kernel, of one layer of a built-in cell."""
    name = {LSTM: "U_g", GRU: "U_hn" if "U_hn" in params else "U_n"}.get(type(cell), "U_h")
    return name, np.asarray(params[name], float)


def _is_linearised(cell: Cell) -> bool:
    return type(cell) in _LINEARISED and getattr(cell, "activation", "tanh") == "tanh"


def chrono_retention(t_max: float, steps: ArrayLike) -> np.float64 | np.ndarray:
    """Mean over units of f^steps, what chrono forget gates alone keep of c before training.

    f = u/(1 + u), u ~ U[1, t_max − 1] (Tallec & Ollivier 2018, equation 16): the mean of
    (u/(1 + u))^steps, by Gauss–Legendre quadrature over log(1 + u).

    Args:
        t_max: the longest time scale, in steps.
        steps: how many steps later.

    Raises:
        ValueError: ``t_max`` below 3 or not finite, or negative ``steps``.
    """
    steps = np.asarray(steps, float)
    if not SHORTEST_CHRONO <= t_max < np.inf:
        raise ValueError(f"t_max must be finite and at least {SHORTEST_CHRONO}, got {t_max}")
    if not np.all(steps >= 0):
        raise ValueError(f"steps must be at least 0, got {steps.min()}")
    nodes, weights = roots_legendre(RETENTION_NODES)
    time_scales = 2 * (t_max / 2) ** ((1 + nodes) / 2)
    kept = np.exp(steps[..., None] * np.log1p(-1 / time_scales))
    return np.average(kept, axis=-1, weights=weights * time_scales)


def mean_field_exponent(gain: float) -> float:
    """Largest Lyapunov exponent of h_t = tanh(U h_{t−1}), U_ij ~ N(0, gain²/n), n → ∞.

    ln gain up to gain 1, where h dies out. Above, the mean field of Engelken et al. 2023 for
    discrete time: ½ ln(gain² ⟨φ'(√q z)²⟩) with q = gain² ⟨tanh²(√q z)⟩ the variance of the
    pre-activations and z standard normal.

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

    def growth(s: float) -> float:
        if s == 0:
            return gain**2 - 1
        return gain**2 * _normal_mean(lambda z: (np.tanh(s * z) / s) ** 2) - 1

    s = brentq(growth, 0.0, gain, xtol=1e-15)
    slope = _normal_mean(lambda z: (1 - np.tanh(s * z) ** 2) ** 2)
    return float(np.log(gain) + 0.5 * np.log(slope))


def _lstm(p: Params) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return expit(p["bias_f"]), expit(p["bias_i"]) * expit(p["bias_o"]), p["U_g"]


def _gru(p: Params) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    z = expit(p["bias_z"])
    return z, (1 - z) * expit(p["bias_r"]), p["U_hn"] if "U_hn" in p else p["U_n"]


def _vanilla(p: Params) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.zeros_like(p["bias_h"]), np.ones_like(p["bias_h"]), p["U_h"]


# What each unit keeps, what it writes and the recurrent kernel; the biases that must be 0.
_LINEARISED: dict[type[Cell], tuple[Callable[[Params], Any], tuple[str, ...]]] = {
    LSTM: (_lstm, ("bias_g",)),
    GRU: (_gru, ("bias_n", "bias_hn")),
    VanillaRNN: (_vanilla, ("bias_h",)),
}


def _linearise(cell: Cell, params: Params) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return _LINEARISED[type(cell)][0](
        {name: np.asarray(value, np.float64) for name, value in params.items()}
    )


def _layer_eigenvalues(cell: Cell, params: Params) -> Complex128[np.ndarray, " eigenvalues"]:
    for name in _LINEARISED[type(cell)][1]:
        if np.any(params.get(name, 0.0)):
            raise ValueError(f"{name} is not 0: the zero state is no fixed point of the cell")
    keep, write, U = _linearise(cell, params)
    # diag(i) Uᵀ diag(o) and diag(i ⊙ o) Uᵀ are similar through diag(o), which leaves diag(f).
    eigenvalues = np.linalg.eigvals(np.diag(keep) + write[:, None] * U.T).astype(complex)
    missing = np.zeros((len(cell.State._fields) - 1) * cell.hidden)
    eigenvalues = np.concatenate([eigenvalues, missing])
    return eigenvalues[np.argsort(-np.abs(eigenvalues), kind="stable")]


def _normal_mean(of: Callable[[float], float]) -> float:
    """Mean of an even function of a standard normal z, however narrow: over log z."""

    def density(log_z: float) -> float:
        z = np.exp(log_z)
        return of(z) * z * np.exp(-(z**2) / 2)

    return np.sqrt(2 / np.pi) * quad(density, -40.0, 3.0, epsabs=0.0, epsrel=1e-12, limit=200)[0]
