"""Statistics of gates over units and examples."""

from typing import ClassVar

import jax.numpy as jnp
import pandas as pd
from jax import lax
from jaxtyping import Array, Float

from rnnlab.training.frames import by_name
from rnnlab.training.quantities.quantity import AtRecords, Moment, Reported, Statistics
from rnnlab.training.quantities.summary import AtEnds, Facts


def gate_statistics(
    gate: Float[Array, "layers time batch *units"],
) -> dict[str, Float[Array, "layers time"]]:
    """Mean, standard deviation, 10/90 % quantiles and saturation over units and batch."""
    values = gate.reshape(*gate.shape[:2], -1)
    q10, q90 = quantiles(values, 0.1, 0.9)
    return {
        "mean": jnp.mean(values, axis=-1),
        "std": jnp.std(values, axis=-1),
        "q10": q10,
        "q90": q90,
        "below_0_1": jnp.mean(values < 0.1, axis=-1),
        "above_0_9": jnp.mean(values > 0.9, axis=-1),
    }


def gate_mean(gate: Float[Array, "layers time batch *units"]) -> Float[Array, "layers time"]:
    """The same mean as in ``gate_statistics``."""
    return jnp.mean(gate.reshape(*gate.shape[:2], -1), axis=-1)


def quantiles(values: Float[Array, "*leading n"], *levels: float) -> list[Float[Array, "*leading"]]:
    """Quantiles along the last axis, linear between order statistics; NaN where a value is NaN.

    Sorts the floats as integers in the same order, which is four times faster on a CPU.
    """
    integer = jnp.dtype(f"int{8 * values.dtype.itemsize}")
    keys = _reverse_negatives(lax.bitcast_convert_type(values, integer))
    ordered = lax.bitcast_convert_type(
        _reverse_negatives(lax.sort(keys, is_stable=False)), values.dtype
    )
    has_nan = jnp.isnan(values).any(axis=-1)
    results = []
    for level in levels:
        position = level * (values.shape[-1] - 1)
        below = int(position)
        low, high = ordered[..., below], ordered[..., min(below + 1, values.shape[-1] - 1)]
        quantile = low + (position - below) * (high - low)
        results.append(jnp.where(has_nan, values.max(axis=-1), quantile))
    return results


def _reverse_negatives(bits: Array) -> Array:
    """Flip all bits but the sign of negative numbers, so that floats order like integers."""
    return jnp.where(bits < 0, bits ^ jnp.iinfo(bits.dtype).max, bits)


def _mean_forget_gate(record: pd.DataFrame, _: Facts) -> float:
    return float(record.loc[record["gate"] == "f", "mean"].mean())


class Gates(AtRecords):
    """Statistics of each gate that the cell observes."""

    name = "gates"
    meaning = "statistics of each gate over units and the first `record.examples` of the batch"
    columns: ClassVar = {
        "step": "of training",
        "t": "time step",
        "layer": "from 0, the lowest",
        "gate": "its name in the cell's equations",
        "mean": "over units and examples",
        "std": "standard deviation, likewise",
        "q10": "10 % quantile, likewise",
        "q90": "90 % quantile, likewise",
        "below_0_1": "share of values below 0.1",
        "above_0_9": "share of values above 0.9",
    }
    summary = (
        AtEnds("forget", "mean over t of the forget gate f of the top layer", _mean_forget_gate),
    )

    def measure(self, moment: Moment) -> Statistics:
        """``gate_statistics`` by gate."""
        return {name: gate_statistics(gate) for name, gate in moment.gates.items()}

    def table(self, reported: Reported) -> pd.DataFrame:
        """One row for each record, layer, gate and time step."""
        return by_name(*reported.records[self.name], "gate")

    def curves(self, table: pd.DataFrame) -> pd.DataFrame | None:
        """``gates/f/layer0/mean`` and so on, over units, examples and time."""
        if table.empty:
            return None
        means = table.groupby(["step", "layer", "gate"])["mean"].mean().reset_index(name="value")
        means["name"] = "gates/" + means["gate"] + "/layer" + means["layer"].astype(str) + "/mean"
        return means[["step", "name", "value"]]
