"""One step's Jacobian, split by path; J[i, j] = ∂(out)_i/∂(in)_j."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

Diagonal = Float[Array, "batch size"]
Matrix = Float[Array, "batch out size"]


class StepJacobian(NamedTuple):
    """One step of one layer, in the real view of the state (``rnnlab.cells.state``).

    The *carry* is the part of the state that goes along the direct path, ``Cell.carry``.
    ∂carry_t/∂carry_{t−1} takes the other parts of the previous state as the functions of
    carry_{t−1} that step t − 1 makes them: h_{t−1} = o_{t−1} ⊙ tanh(c_{t−1}), o_{t−1} given.

    Attributes:
        direct: ∂carry_t/∂carry_{t−1} along the direct path: its diagonal where it is a gate, else
            a matrix; None where there is none.
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
    """diag(d) Uᵀ: the Jacobian by h of a quantity whose slope by a = h U is d."""
    return d[..., :, None] * U.T


def both_through(
    d_h: Diagonal, d_c: Diagonal, U: Float[Array, "hidden hidden"]
) -> Float[Array, "batch state state"]:
    """[[diag(d_h) Uᵀ, 0], [diag(d_c) Uᵀ, 0]]: as ``through``, of the state (h, c) by (h, c)."""
    return _rows(d_h, d_c) * jnp.block([[U.T, jnp.zeros_like(U)], [U.T, jnp.zeros_like(U)]])


def both_diagonal(d_h: Diagonal, d_c: Diagonal) -> Float[Array, "batch state state"]:
    """[[0, diag(d_h)], [0, diag(d_c)]]: the state (h, c) by c, unit by unit."""
    eye = jnp.eye(d_h.shape[-1], dtype=d_h.dtype)
    return _rows(d_h, d_c) * jnp.block([[jnp.zeros_like(eye), eye], [jnp.zeros_like(eye), eye]])


def _rows(d_h: Diagonal, d_c: Diagonal) -> Float[Array, "batch state 1"]:
    """Factors of a matrix's rows, which is faster than to assemble it from four blocks."""
    return jnp.concatenate([d_h, d_c], axis=-1)[..., :, None]
