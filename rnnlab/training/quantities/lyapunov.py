"""Lyapunov exponents of the whole state."""

from typing import Any, ClassVar

import numpy as np
import pandas as pd

from rnnlab.cells import Cell
from rnnlab.cells.state import state_size
from rnnlab.gradients.lyapunov import average_growth, log_growth
from rnnlab.recurrence.stack import Inputs
from rnnlab.training.quantities.jacobian_paths import JACOBIANS
from rnnlab.training.quantities.quantity import AtStartAndEnd
from rnnlab.training.quantities.summary import AtEnds

MOST_EXPONENTS = 64


def top_exponent(record: pd.DataFrame) -> float:
    """Mean over examples of the greatest Lyapunov exponent."""
    return float(record.loc[record["index"] == 0, "exponent"].mean(skipna=False))


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
        "exponent": "natural logarithm per step",
        "standard_error": "of the mean over time",
    }
    summary = (
        AtEnds(
            "top_exponent",
            "the greatest Lyapunov exponent, natural logarithm per step, of the whole state",
            lambda record, _: top_exponent(record),
            label="top exponent",
            form="{:+.2g}",
        ),
    )

    def of_cell(self, cell: Cell, params: Any, inputs: Inputs, step: int) -> pd.DataFrame:
        """One row for each example and index."""
        k = min(MOST_EXPONENTS, cell.layers * state_size(cell))
        found = average_growth(log_growth(cell, params, inputs, k, None)[0])
        example, index = (axis.ravel() for axis in np.indices(found.exponents.shape))
        return pd.DataFrame(
            {
                "step": step,
                "example": example,
                "index": index,
                "exponent": np.ravel(found.exponents),
                "standard_error": np.ravel(found.standard_error),
            }
        )
