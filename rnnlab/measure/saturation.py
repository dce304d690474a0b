"""Whether inputs saturate the gates, in which case they hardly pass a gradient."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from rnnlab.cells import Cell
from rnnlab.recurrence.stack import Inputs, outputs, unroll_observed

CLOSE = 1e-3
# The share of saturated values, beyond that with inputs of zero, from which on it is told.
MANY = 0.25


def saturation(cell: Cell, params: Any, inputs: Inputs) -> dict[str, float]:
    """How much of the lowest layer the inputs saturate.

    Args:
        cell: the cell.
        params: its parameters.
        inputs: (time, batch, features).

    Returns:
        ``saturated``: the share of the gates' values that lie within 10⁻³ of 0 or 1, over time,
        examples and units; of a cell without gates the share of its outputs within 10⁻³ of −1 or
        1, 0 if they go beyond. ``saturated_at_zero``: the same with inputs of zero.
        ``largest_input``: the largest size of an input.
    """
    return {
        "saturated": _share(cell, params, inputs),
        "saturated_at_zero": _share(cell, params, jnp.zeros_like(inputs)),
        "largest_input": float(jnp.max(jnp.abs(inputs))),
    }


def _share(cell: Cell, params: Any, inputs: Inputs) -> float:
    layer = unroll_observed(cell, params, inputs, collect=dict.fromkeys(cell.gates, _saturated))
    if cell.gates:
        return float(np.mean([np.mean(share[0]) for share in layer.collected.values()]))
    sizes = jnp.abs(outputs(cell, jax.tree.map(lambda states: states[0], layer.states)))
    return float(jnp.mean(sizes > 1 - CLOSE)) if jnp.max(sizes) <= 1 else 0.0


def _saturated(gate: Float[Array, "batch *units"]) -> Float[Array, ""]:
    return jnp.mean((gate < CLOSE) | (gate > 1 - CLOSE))


def in_words(row: dict[str, Any]) -> str:
    """Say which values saturate and how to mend it; an empty text where few do.

    Args:
        row: with what ``saturation`` returns, and ``has_gates``.
    """
    if row["saturated"] - row["saturated_at_zero"] < MANY:
        return ""
    what, ends = ("gates", "0 or 1") if row["has_gates"] else ("outputs", "−1 or 1")
    return (
        f"they saturate the lowest layer. {row['saturated']:.0%} of the {what}' values lie within "
        f"10⁻³ of {ends}, where they pass almost no gradient; with inputs of zero it would be "
        f"{row['saturated_at_zero']:.0%}. They are as large as {row['largest_input']:.3g}: "
        "scale the inputs first, to a standard deviation near 1."
    )
