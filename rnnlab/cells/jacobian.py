"""What a cell says of one step's Jacobian, split by path; J[i, j] = ∂(out)_i/∂(in)_j."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

Diagonal = Float[Array, "batch hidden"]
Matrix = Float[Array, "batch hidden hidden"]


class StepJacobian(NamedTuple):
    """One step of one layer. The *carry* is c where the state has one, else h.

    Attributes:
        direct: diagonal of ∂carry_t/∂carry_{t−1} along the direct path; None where there is none.
        by_h: ∂carry_t/∂h_{t−1} through each gate.
        h_by_carry: diagonal of ∂h_t/∂c_t within the step; None where h is the carry.
        state: ∂state_t/∂state_{t−1}, h first.
    """

    direct: Diagonal | None
    by_h: dict[str, Matrix]
    h_by_carry: Diagonal | None
    state: Float[Array, "batch state state"]


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
