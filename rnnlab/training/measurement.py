"""What is measured of a cell with given parameters on given inputs, as tidy data frames."""

from typing import Any

import pandas as pd

from rnnlab.cells import Cell
from rnnlab.recurrence.stack import Inputs
from rnnlab.training.objective import Batch
from rnnlab.training.program import Program
from rnnlab.training.quantities import QUANTITIES
from rnnlab.training.quantities.quantity import AtStartAndEnd, OfCell

Tables = dict[str, pd.DataFrame]


def measure(cell: Cell, params: Any, inputs: Inputs, step: int) -> Tables:
    """The tables of all quantities that need no training, such as ``jacobians``.

    Args:
        cell: the cell.
        params: its parameters.
        inputs: what it reads, (time, batch, features).
        step: of training, at which it has these parameters.
    """
    quantities = [q for q in QUANTITIES.values() if isinstance(q, OfCell)]
    return {q.name: q.of_cell(cell, params, inputs, step) for q in quantities}


def measure_end(program: Program, params: Any, evaluation: Batch, step: int) -> Tables:
    """The tables of what a run measures at its start and at its end.

    Args:
        program: that it runs.
        params: of the cell, at one of the two.
        evaluation: the fixed evaluation set.
        step: the first or the last.
    """
    cell, record = program.objective.cell, program.record
    return {
        q.name: q.of_cell(cell, params, evaluation.inputs[:, : q.examples(record)], step)
        for q in program.recorded
        if isinstance(q, AtStartAndEnd)
    }
