"""One step's Jacobian, split by path; J[i, j] = ∂(out)_i/∂(in)_j."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

Diagonal = Float[Array, "batch size"]
Matrix = Float[Array, "batch out size"]


class StepJacobian(NamedTuple):
    """The Jacobian of a layer's step, in the real view of the state (``rnnlab.cells.state``).

    The *carry* is the part of the state that the direct path carries, ``Cell.carry``.
    ∂carry_t/∂carry_{t−1} treats the other parts of the previous state as functions of carry_{t−1},
    as step t − 1 computes them: h_{t−1} = o_{t−1} ⊙ tanh(c_{t−1}) with o_{t−1} held constant.

    Attributes:
        direct: ∂carry_t/∂carry_{t−1} along the direct path: the diagonal where the path is a gate,
            else a matrix; None where there is no direct path.
        indirect: ∂carry_t/∂carry_{t−1} through each gate.
        others_by_carry: ∂(other part)_t/∂carry_t within the step, by part: a diagonal or a matrix.
        state: ∂state_t/∂state_{t−1}, parts in the order of ``State``.
    """

    direct: Diagonal | Matrix | None
    indirect: dict[str, Matrix]
    others_by_carry: dict[str, Diagonal | Matrix]
    state: Float[Array, "batch state state"]

    @property
    def all_indirect(self) -> Matrix:
        """Σ indirect."""
        return sum(self.indirect.values())  # type: ignore[return-value]

    @property
    def total(self) -> Matrix:
        """direct + Σ indirect."""
        return self.all_indirect + (0 if self.direct is None else as_matrix(self.direct))


def as_matrix(direct: Diagonal | Matrix) -> Matrix:
    """A direct path as a matrix."""
    return diagonal(direct) if direct.ndim == 2 else direct


def diagonal(d: Diagonal) -> Matrix:
    """diag(d)."""
    return d[..., :, None] * jnp.eye(d.shape[-1], dtype=d.dtype)


def through(d: Diagonal, U: Float[Array, "hidden hidden"]) -> Matrix:
    """diag(d) Uᵀ: the Jacobian with respect to h, where d is the derivative by a = h U."""
    return d[..., :, None] * U.T


def both_through(
    d_h: Diagonal, d_c: Diagonal, U: Float[Array, "hidden hidden"]
) -> Float[Array, "batch state state"]:
    """[[diag(d_h) Uᵀ, 0], [diag(d_c) Uᵀ, 0]]: like ``through``, for the state (h, c)."""
    return _rows(d_h, d_c) * jnp.block([[U.T, jnp.zeros_like(U)], [U.T, jnp.zeros_like(U)]])


def both_diagonal(d_h: Diagonal, d_c: Diagonal) -> Float[Array, "batch state state"]:
    """[[0, diag(d_h)], [0, diag(d_c)]]: the derivative of the state (h, c) by c, unit by unit."""
    eye = jnp.eye(d_h.shape[-1], dtype=d_h.dtype)
    return _rows(d_h, d_c) * jnp.block([[jnp.zeros_like(eye), eye], [jnp.zeros_like(eye), eye]])


def _rows(d_h: Diagonal, d_c: Diagonal) -> Float[Array, "batch state 1"]:
    """Join factors of a matrix's rows; faster than assembling the matrix from four blocks."""
    return jnp.concatenate([d_h, d_c], axis=-1)[..., :, None]
