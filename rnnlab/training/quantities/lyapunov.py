"""Lyapunov exponents of the whole state."""

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
import pandas as pd

from rnnlab.cells import Cell
from rnnlab.cells.state import state_size
from rnnlab.gradients.lyapunov import average_growth, log_growth
from rnnlab.recurrence.stack import Inputs
from rnnlab.training.quantities.jacobian_paths import JACOBIANS, WHOLE_SEQUENCE
from rnnlab.training.quantities.quantity import AtStartAndEnd
from rnnlab.training.quantities.summary import AtEnds

MOST_EXPONENTS = 64


def top_exponent(record: pd.DataFrame) -> float:
    """Mean over examples of the greatest finite-time exponent."""
    return float(record.loc[record["index"] == 0, "exponent"].mean(skipna=False))


def top_asymptotic(record: pd.DataFrame) -> float:
    """Mean over examples of the greatest asymptotic exponent; NaN where one is not settled."""
    return float(record.loc[record["index"] == 0, "asymptotic"].mean(skipna=False))


class Lyapunov(AtStartAndEnd):
    """The greatest exponents, 64 at most."""

    name = "lyapunov"
    meaning = (
        "the greatest 64 Lyapunov exponents of all layers' state, on the first "
        "`jacobians.examples` of the evaluation set"
    )
    option = JACOBIANS
    columns: ClassVar = {
        "step": "of training: the first or the last",
        "example": "of the evaluation set",
        "index": "from 0, the greatest",
        "exponent": "finite-time: over these steps, natural logarithm per step",
        "asymptotic": "estimate of the exponent in the long run; NaN: not settled at this length",
        "asymptotic_low": "lower end of its 95 % interval",
        "asymptotic_high": "upper end",
    }
    summary = (
        AtEnds(
            "top_exponent",
            "the greatest finite-time Lyapunov exponent, natural logarithm per step, of the whole "
            "state",
            lambda record, _: top_exponent(record),
            label="top exponent (finite-time)",
            form="{:+.2g}",
            title=WHOLE_SEQUENCE,
        ),
        AtEnds(
            "top_asymptotic",
            "the estimate of the same in the long run; none where it is not settled at this length",
            lambda record, _: top_asymptotic(record),
        ),
    )

    def of_cell(self, cell: Cell, params: Any, inputs: Inputs, step: int) -> pd.DataFrame:
        """One row for each example and index."""
        k = min(MOST_EXPONENTS, cell.layers * state_size(cell))
        twice = jnp.concatenate([inputs, inputs])
        found = average_growth(log_growth(cell, params, twice, k, None)[0])
        example, index = (axis.ravel() for axis in np.indices(found.exponents.shape))
        return pd.DataFrame(
            {
                "step": step,
                "example": example,
                "index": index,
                "exponent": np.ravel(found.exponents),
                "asymptotic": np.ravel(found.asymptotic),
                "asymptotic_low": np.ravel(found.low),
                "asymptotic_high": np.ravel(found.high),
            }
        )
