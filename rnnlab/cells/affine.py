"""The products of inputs and states with the kernels of several gates at once."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

Params = dict[str, Any]


def affine(
    params: Params,
    gates: str | tuple[str, ...],
    x: Float[Array, "batch inputs"] | None = None,
    h: Float[Array, "batch hidden"] | None = None,
) -> list[Float[Array, "batch hidden"]]:
    """Compute ``x W_k + h U_k + bias_k`` for every gate k, as one matrix product.

    Args:
        params: holds ``W_k`` (inputs, hidden), ``U_k`` (hidden, hidden) and ``bias_k`` (hidden,).
        gates: the names k.
        x: the input; without it the ``W_k`` are left out.
        h: the hidden state; without it the ``U_k`` are left out.

    Returns:
        One array (batch, hidden) for each gate, in the order of ``gates``.

    Raises:
        ValueError: a parameter is missing, or x has another number of features than the ``W_k``
            have rows.
    """

    gates = tuple(gates)
    if own := getattr(params, "affine", None):
        outputs: list[Array] = own(gates, x, h)
        return outputs
    total = side_by_side(params, "bias", gates)
    if x is not None:
        W = side_by_side(params, "W", gates)
        if x.shape[-1] != len(W):
            raise ValueError(
                f"inputs have {x.shape[-1]} features, and W_{gates[0]} is made for {len(W)}"
            )
        total = x @ W + total
    if h is not None:
        total = h @ side_by_side(params, "U", gates) + total
    return jnp.split(total, len(gates), axis=-1)


def side_by_side(params: Params, prefix: str, gates: tuple[str, ...]) -> Array:
    """The parameters of these gates, joined along their last axis; ValueError if one is missing."""
    if not isinstance(params, Mapping):
        got = type(params).__name__
        raise ValueError(
            f"affine reads arrays by name, and params are a {got}: make them with init"
        )
    if missing := [f"{prefix}_{k}" for k in gates if f"{prefix}_{k}" not in params]:
        raise ValueError(f"params lack {', '.join(missing)}; they have {', '.join(params)}")
    return jnp.concatenate([params[f"{prefix}_{k}"] for k in gates], axis=-1)
