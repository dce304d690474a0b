"""∂c_t/∂c_{t−1} split by path, and sensitivities: means over examples."""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array, Float

from rnnlab.cells import Cell
from rnnlab.gradients.decay import decay_per_step, half_life
from rnnlab.gradients.jacobian import path_sizes
from rnnlab.gradients.sensitivity import log_sensitivity
from rnnlab.recurrence.stack import Inputs, record_tapes
from rnnlab.training.frames import by_step_layer_time
from rnnlab.training.quantities.quantity import (
    AtRecords,
    Moment,
    OfCell,
    Option,
    Reported,
    Rows,
    Statistics,
)
from rnnlab.training.quantities.summary import AtEnds, FromMedians, column_of
from rnnlab.training.skipping import mean_where, recorded

JACOBIANS = Option(
    "jacobians",
    "Jacobians",
    "record.jacobians={every: …}, or measure the runs as they ended with rnnlab measure",
    "one step, ∂c_t/∂c_{t−1} (or h), top layer",
)
WHOLE_SEQUENCE = "the whole sequence, from the first step to the last"


def path_statistics(
    cell: Cell, params: Any, inputs: Inputs
) -> dict[str, Float[Array, "layers time"]]:
    """Sizes of ∂c_t/∂c_{t−1} by path, and sensitivities; means over examples.

    Returns:
        Arrays (layers, time): the columns of ``Jacobians.summary``, with ``spectral_radius``
        (``share`` over the examples whose total is not zero); log10 of the norms of
        ``sensitivity``, over the examples in which they are not zero; ``log10_excess``, the
        difference of total and direct product, over the examples in which neither is zero
        (``NOT_RECORDED`` where there are no such examples);
        ``zero_fraction`` and ``direct_zero_fraction``, the shares of examples in which these are.
    """
    tapes, _ = record_tapes(cell, params, inputs)
    sizes = [path_sizes(cell, tape, spectral_radius=True) for tape in tapes]
    columns: dict[str, Any] = jax.tree.map(lambda *layer: jnp.stack(layer), *sizes)
    found, _ = log_sensitivity(cell, params, inputs, cell.carry, cell.carry, None)
    logs = {
        "log10_sensitivity": found.log10_total,
        "log10_stack_sensitivity": found.log10_stack,
        "log10_direct_product": found.log10_direct,
        "log10_cell_product": found.log10_cell_product,
    }
    zeros = {"zero_fraction": jnp.mean(jnp.isneginf(found.log10_total), axis=-1)}
    if found.log10_direct is not None:
        zeros["direct_zero_fraction"] = jnp.mean(jnp.isneginf(found.log10_direct), axis=-1)
        zeros["log10_excess"] = _mean_excess(found.log10_total, found.log10_direct)
    means = {name: jnp.mean(v, axis=-1) for name, v in columns.items()}
    some = columns["total_frobenius"] != 0
    means["share"] = mean_where(some, columns["share"])
    means |= {k: mean_where(~jnp.isneginf(v), v) for k, v in logs.items() if v is not None}
    return means | zeros


def _mean_excess(
    total: Float[Array, "layers time batch"], direct: Float[Array, "layers time batch"]
) -> Float[Array, "layers time"]:
    """Mean difference over the examples in which neither is zero."""
    has_both = ~(jnp.isneginf(total) | jnp.isneginf(direct))
    return mean_where(has_both, jnp.where(has_both, total, 0) - jnp.where(has_both, direct, 0))


_path_statistics = jax.jit(path_statistics, static_argnums=0)


def sensitivity_decay(record: pd.DataFrame) -> float:
    """Slope of ``log10_sensitivity`` against the distance to the last step, decades per step.

    Over the steps at which no example is zero: means of fewer examples would be others' means.
    """
    log10 = column_of(record, "log10_sensitivity")
    is_whole = ~(column_of(record, "zero_fraction") > 0)
    return decay_per_step(log10.where(is_whole), record["t"].max() - record["t"])


def indirect_share(record: pd.DataFrame) -> float:
    """Mean over t ≥ 1 of ‖Σ indirect‖_F/‖total‖_F."""
    return float(column_of(record, "share")[record["t"] > 0].mean(skipna=False))


def mean_norm(record: pd.DataFrame, path: str) -> float:
    """Mean over t ≥ 1 of the spectral norm of a path; there is no step to t = 0."""
    return float(column_of(record, f"{path}_spectral")[record["t"] > 0].mean(skipna=False))


def left_at_first(record: pd.DataFrame) -> float:
    """log10‖∂c_T/∂c_0‖₂; −∞ where it is zero in all examples, and unknown where in some."""
    zeros, left = (
        float(column_of(record, name)[record["t"] == 0].iloc[0])
        for name in ("zero_fraction", "log10_sensitivity")
    )
    if 0 < zeros < 1:
        return math.nan
    return -math.inf if zeros == 1 else left


class JacobianPaths(AtRecords, OfCell):
    """∂c_t/∂c_{t−1} by path."""

    name = "jacobians"
    meaning = (
        "one-step Jacobians ∂c_t/∂c_{t−1} by path, and sensitivities; means over the first "
        "`jacobians.examples` of the batch, see [jacobian.md](jacobian.md)"
    )
    when = "at step 0, every `jacobians.every` steps and at the end"
    option = JACOBIANS
    columns: ClassVar = {
        "step": "of training",
        "layer": "from 0, the lowest",
        "t": "time step",
        "quantity": "what is carried: c, or h in a cell without c",
        "<path>_spectral": "spectral norm of `direct`, `indirect` (the sum of these paths), "
        "`total` and the path through each gate",
        "<path>_frobenius": "Frobenius norm/√hidden of the same",
        "share": "‖Σ indirect‖/‖total‖ (Frobenius), over the examples whose total is not zero",
        "spectral_radius": "of the whole state's Jacobian, ∂(h, c)_t/∂(h, c)_{t−1}",
        "log10_sensitivity": "log10‖∂c_T/∂c_t‖₂ to the last step T, over the examples that are not "
        "zero",
        "log10_stack_sensitivity": "the same of the top layer's c_T, through the whole stack",
        "log10_direct_product": "an approximation: greatest Π f over units",
        "log10_cell_product": "an approximation: norm of the product of `total`",
        "log10_excess": "`log10_sensitivity` less `log10_direct_product`, over the examples in "
        "which neither is zero",
        "zero_fraction": "share of the examples whose sensitivity is zero",
        "direct_zero_fraction": "share of the examples whose direct product is zero",
    }
    summary = (
        AtEnds(
            "one_step_norm",
            "mean over t ≥ 1 of ‖∂c_t/∂c_{t−1}‖₂, all paths, in the top layer",
            lambda record, _: mean_norm(record, "total"),
            label="one-step norm",
        ),
        AtEnds(
            "indirect_norm",
            "the same of its indirect paths together",
            lambda record, _: mean_norm(record, "indirect"),
            label="indirect part",
        ),
        AtEnds(
            "indirect_share",
            "mean over t ≥ 1 of ‖Σ indirect‖/‖total‖, Frobenius, in the top layer",
            lambda record, _: indirect_share(record),
            label="share indirect",
            form="{:.2g}",
        ),
        AtEnds(
            "sensitivity_decay",
            "slope of `log10_sensitivity` against T − t over the steps at which no example is "
            "zero, in the top layer",
            lambda record, _: sensitivity_decay(record),
        ),
        FromMedians(
            "sensitivity_half_life",
            "steps going back from the last in which ‖∂c_T/∂c_t‖ halves",
            "sensitivity_decay",
            half_life,
            label="sensitivity half-life",
            title=WHOLE_SEQUENCE,
        ),
        AtEnds(
            "left_at_first",
            "log10‖∂c_T/∂c_0‖₂ in the top layer: what is left of the last step's gradient at the "
            "first",
            lambda record, _: left_at_first(record),
            label="left at the first step, log10",
            title=WHOLE_SEQUENCE,
        ),
    )

    def measure(self, moment: Moment) -> Statistics:
        """``path_statistics`` of the first examples of the batch."""
        inputs = moment.batch.inputs[:, : self.examples(moment.record)]
        return path_statistics(moment.objective.cell, moment.params["cell"], inputs)

    def table(self, reported: Reported) -> pd.DataFrame:
        """One row for each record, layer and time step."""
        return _frame(reported.cell, reported.records[self.name])

    def of_cell(self, cell: Cell, params: Any, inputs: Inputs, step: int) -> pd.DataFrame:
        """``path_statistics`` for these inputs, with one row for each layer and time step."""
        statistics = recorded(_path_statistics(cell, params, inputs))
        columns = {name: np.asarray(values)[None] for name, values in statistics.items()}
        return _frame(cell, Rows([step], columns))


def _frame(cell: Cell, rows: Rows) -> pd.DataFrame:
    frame = by_step_layer_time(*rows)
    frame.insert(3, "quantity", cell.carry)
    return frame
