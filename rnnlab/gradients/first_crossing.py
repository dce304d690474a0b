"""The least factor on a kernel at which the linear map s ↦ keep ⊙ s + factor · K s turns unstable.

An eigenvalue may leave the unit circle and come back within any short interval of factors, so no
grid is safe. Here an interval is passed only with a proof that the map is stable all over it: the
map A(x) is affine in the factor x, so ‖T A(x) T⁻¹‖₂ is convex in x for any T, and where it is below
1 at both ends of an interval, the spectral radius is below 1 between them too (a common quadratic
Lyapunov function; Boyd et al. 1994, Linear Matrix Inequalities in System and Control Theory).
"""

import warnings
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from jaxtyping import Float64, Inexact
from scipy.linalg import (
    LinAlgError,
    cholesky,
    eig,
    eigh,
    solve_continuous_lyapunov,
    solve_triangular,
)
from scipy.optimize import brentq
from scipy.sparse.csgraph import connected_components

Matrix = Float64[np.ndarray, "n n"]
AnyMatrix = Inexact[np.ndarray, "n n"]

CLOSE = 1e-9
TO_ROUNDING = 0.1
MOST_INTERVALS = 2000


def first_crossing(leak: Float64[np.ndarray, " n"], kernel: Matrix) -> float:
    """The least x > 0 at which diag(1 − leak) + x · kernel has an eigenvalue of modulus 1.

    Units that do not reach each other through the kernel are taken apart: the eigenvalues are those
    of the strongly connected parts.

    Args:
        leak: 1 − keep, in [0, 1], which may be below the rounding error of keep.
        kernel: the matrix K.

    Returns:
        The factor; 0 where the map is not stable at 0; ∞ where it stays stable, or is only made
        unstable by changes of the size of rounding errors; NaN where ``MOST_INTERVALS`` intervals
        do not lead to the crossing.
    """
    _, part = connected_components(kernel != 0, connection="strong")
    own = [np.flatnonzero(part == index) for index in range(part.max() + 1)]
    # NaN of one part is NaN of all: the crossing of that part may come first.
    return float(np.min([_of_part(leak[units], kernel[np.ix_(units, units)]) for units in own]))


def _of_part(leak: Float64[np.ndarray, " n"], kernel: Matrix) -> float:
    size = np.abs(kernel).max()
    if leak.min() <= 0:
        return 0.0
    if size == 0:
        return np.inf
    with np.errstate(over="ignore"):
        if len(leak) == 1:
            return float((leak[0] if kernel[0, 0] > 0 else 2 - leak[0]) / size)
        return _crossing(leak, kernel / size) / size


def _crossing(leak: Float64[np.ndarray, " n"], K: Matrix) -> float:
    """Pass one interval that is proved to be stable after the other, up to the crossing.

    Where none longer than ``CLOSE`` · x is proved to be stable, one of this length is passed.
    """

    def change(x: float) -> Matrix:
        """A(x) − I, so that a tiny leak is not rounded away."""
        return x * K - np.diag(leak)

    x = 0.0
    for _ in range(MOST_INTERVALS):
        length = max((_stable_length(change(x), K, T) for T in _norms(change(x))), default=0.0)
        x += length
        beyond = x * (1 + CLOSE)
        is_past = _excess(change(beyond)) >= 0
        if (is_past or length < CLOSE * x) and _is_rounding(change(beyond), beyond * K):
            return np.inf
        if is_past:
            if _excess(change(x)) >= 0:
                return x
            return brentq(lambda x: _excess(change(x)), x, beyond, xtol=1e-15 * x)
        x = max(x, (x - length) * (1 + CLOSE))
    return np.nan


def _excess(B: Matrix) -> float:
    """max|λ|² − 1 over the eigenvalues λ = 1 + ν of I + B."""
    ν = np.linalg.eigvals(B)
    return float((2 * ν.real + np.abs(ν) ** 2).max())


def _norms(B: Matrix) -> Iterator[AnyMatrix]:
    """Matrices T with ‖T(I + B)T⁻¹‖₂ < 1, for a stable I + B.

    Eigenvectors bring an interval to a simple crossing at once; where they are nearly parallel,
    the solution of Lyapunov's equation does better.
    """
    with suppress(LinAlgError):
        yield np.linalg.inv(eig(B)[1])
    # The Cayley transform (A + I)⁻¹(A − I) takes the unit circle to the imaginary axis.
    C = np.linalg.solve(2 * np.eye(len(B)) + B, B)
    with suppress(LinAlgError), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of scipy: nearly singular
        yield cholesky(solve_continuous_lyapunov(C.T, -np.eye(len(B))))


def _stable_length(B: Matrix, K: Matrix, T: AnyMatrix) -> float:
    """The greatest δ such that ‖T(I + B + xK)T⁻¹‖₂ < 1 for all x in [0, δ); 0 where not at x = 0.

    With B and K in the basis of T it is I − (I + B + δK)ᴴ(I + B + δK) = H − δG − δ²KᴴK that must
    stay positive: with H = LLᴴ and μ = 1/δ, μ must exceed the greatest eigenvalue of
    [[L⁻¹GL⁻ᴴ, L⁻¹Kᴴ], [KL⁻ᴴ, 0]].
    """
    inverse = np.linalg.inv(T)
    B, K = T @ B @ inverse, T @ K @ inverse
    half = K + B.conj().T @ K
    try:
        L = cholesky(-(B + B.conj().T + B.conj().T @ B), lower=True)
    except LinAlgError:
        return 0.0
    left = solve_triangular(L, half + half.conj().T, lower=True)
    G = solve_triangular(L, left.conj().T, lower=True)
    Y = solve_triangular(L, K.conj().T, lower=True)
    whole = np.block([[(G + G.conj().T) / 2, Y], [Y.conj().T, np.zeros_like(Y)]])
    last = 2 * len(L) - 1
    return 1 / float(eigh(whole, eigvals_only=True, subset_by_index=(last, last))[0])


def _is_rounding(B: Matrix, xK: Matrix) -> bool:
    """Whether rounding the entries of B moves the greatest eigenvalue as much as x itself does."""
    ν, left, right = eig(B, left=True, right=True)
    top = np.argmax(2 * ν.real + np.abs(ν) ** 2)
    y, v, λ = left[:, top], right[:, top], 1 + ν[top]
    product = y.conj() @ v
    y = y * product / max(abs(product), np.finfo(float).tiny)  # now yᴴv > 0
    moved = abs((λ.conj() * (y.conj() @ xK @ v)).real)
    rounding = np.finfo(float).eps * len(B) * abs(λ) * (np.abs(y) @ np.abs(B) @ np.abs(v))
    return bool(moved * TO_ROUNDING <= rounding)
