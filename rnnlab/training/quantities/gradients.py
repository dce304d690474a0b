"""Adjoint norms ‖∂L/∂h_t‖, ‖∂L/∂c_t‖ and so on: statistics over examples."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import jax.numpy as jnp
import pandas as pd
from jax import lax
from jaxtyping import Array, Float, Int

from rnnlab.gradients.decay import decay_per_step, half_life
from rnnlab.training.frames import by_name
from rnnlab.training.quantities.quantity import AtRecords, Moment, Reported, Statistics
from rnnlab.training.quantities.summary import AtEnds, Facts, FromMedians, Number, column_of
from rnnlab.training.skipping import NOT_RECORDED, mean_where


def mean_and_zeros(
    log10_norms: Float[Array, "layers time batch"],
) -> dict[str, Float[Array, "layers time"]]:
    """Mean of log10 norms over the examples whose norm is not zero, and the share that reads zero.

    The mean is ``NOT_RECORDED`` where there is no such example, and NaN where the norm of one is.
    """
    is_zero = jnp.isneginf(log10_norms)
    return {
        "log10_mean": mean_where(~is_zero, log10_norms),
        "zero_fraction": jnp.mean(is_zero, axis=-1),
    }


def adjoint_statistics(
    log10_norms: Float[Array, "layers time batch"],
) -> dict[str, Float[Array, "layers time"]]:
    """``mean_and_zeros``, and the 10/50/90 % quantiles of log10 norms over the same examples."""
    is_zero = jnp.isneginf(log10_norms)
    nonzero = jnp.sum(~is_zero, axis=-1)
    behind = jnp.where(nonzero > 0, jnp.inf, 0.0)[..., None]
    ordered = jnp.sort(jnp.where(is_zero, behind, log10_norms), axis=-1)
    last = ordered[..., -1]  # NaN where any is
    quantiles = _of_first(ordered, nonzero, jnp.array([0.1, 0.5, 0.9]))
    quantiles = jnp.where(jnp.isnan(last), last, quantiles)
    q10, q50, q90 = jnp.where(nonzero > 0, quantiles, NOT_RECORDED)
    return mean_and_zeros(log10_norms) | {"log10_q10": q10, "log10_q50": q50, "log10_q90": q90}


def _of_first(
    ordered: Float[Array, "layers time batch"],
    count: Int[Array, "layers time"],
    levels: Float[Array, " levels"],
) -> Float[Array, "levels layers time"]:
    """``jnp.quantile`` of the first ``count`` entries along the last axis."""
    position = levels[:, None, None] * (count.astype(ordered.dtype) - 1)
    low, high = jnp.floor(position), jnp.ceil(position)
    layer, t = (lax.broadcasted_iota(int, position.shape, axis) for axis in (1, 2))
    below, above = (
        ordered[layer, t, jnp.clip(at, 0, jnp.maximum(count - 1, 0)).astype(int)]
        for at in (low, high)
    )
    above_weight = position - low
    return below * (1 - above_weight) + above * above_weight


def _decay(record: pd.DataFrame, facts: Facts) -> float:
    if facts.read_step is None:
        return math.nan
    carry = record[record["quantity"] == facts.carry]
    is_whole = ~(column_of(carry, "zero_fraction") > 0)
    return decay_per_step(carry["log10_mean"].where(is_whole), facts.read_step - carry["t"])


def _carry(_: pd.DataFrame, facts: Facts) -> str:
    return facts.carry


def _few(furthest: int) -> list[int]:
    """Select the distances 0, 1, 3, 10, 30, … and the largest."""
    powers = [digit * 10**power for power in range(len(str(furthest))) for digit in (1, 3)]
    return [0, *(number for number in powers if number < furthest), furthest]


class Gradients(AtRecords):
    """Adjoint norms of each part of the state."""

    name = "gradients"
    meaning = "norms of the memory loss's total derivative by each part of the state"
    columns: ClassVar = {
        "step": "of training",
        "t": "time step",
        "layer": "from 0, the lowest",
        "quantity": "the part of the state, such as h and c",
        "log10_mean": "mean of log10‖∂L/∂·_t‖₂ over the examples whose norm is not zero",
        "log10_q10": "10 % quantile, over the same",
        "log10_q50": "median, over the same",
        "log10_q90": "90 % quantile, over the same",
        "zero_fraction": "share of the examples whose norm reads zero",
    }
    summary = (
        AtEnds(
            "decay",
            "least-squares slope of `log10_mean` against the distance back in time over the steps "
            "at which no example reads zero, in the top layer, of c where the cell has one, else "
            "of h; negative: the gradient vanishes going back",
            _decay,
        ),
        Number("decay_of", "the part of the state that `decay` is of", _carry, "same"),
        FromMedians(
            "half_life",
            "log10(2)/−`decay`: steps back in which the gradient halves, ∞ where it does not decay",
            "decay",
            half_life,
        ),
    )

    def measure(self, moment: Moment) -> Statistics:
        """``adjoint_statistics`` by part of the state."""
        return {name: adjoint_statistics(norms) for name, norms in moment.log10_norms.items()}

    def table(self, reported: Reported) -> pd.DataFrame:
        """One row for each record, layer, part of the state and time step."""
        return by_name(*reported.records[self.name], "quantity")

    def as_read(self, table: pd.DataFrame, summary: Mapping[str, Any]) -> pd.DataFrame:
        """Add ``distance``, the number of steps from t to where the memory loss is read, or NaN."""
        read_step = summary.get("read_step")
        distance = (math.nan if read_step is None else float(read_step)) - table["t"]
        return table.assign(distance=distance)

    def curves(self, table: pd.DataFrame) -> pd.DataFrame:
        """``gradients/c/layer0/log10_at_distance_10`` and so on, at a few distances.

        Values are means over examples; where there is no distance, a few ``t`` take its place.
        """
        place = "distance" if table["distance"].notna().any() else "t"
        table = table[table[place].isin(_few(int(table[place].max())))]
        where = table[place].astype(int).astype(str)
        prefix = "gradients/" + table["quantity"] + "/layer" + table["layer"].astype(str)
        name = prefix + f"/log10_at_{place}_" + where
        return pd.DataFrame({"step": table["step"], "name": name, "value": table["log10_mean"]})
