"""Measurements of a cell with given parameters on given inputs, as tidy data frames."""

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
    """Compute the tables of all quantities that need no training, such as ``jacobians``.

    Args:
        cell: the cell.
        params: its parameters.
        inputs: the cell's inputs, (time, batch, features).
        step: the training step at which the cell has these parameters.
    """
    quantities = [q for q in QUANTITIES.values() if isinstance(q, OfCell)]
    return {q.name: q.of_cell(cell, params, inputs, step) for q in quantities}


def measure_end(program: Program, params: Any, evaluation: Batch, step: int) -> Tables:
    """Compute the tables of the quantities that a run measures at its start and at its end.

    Args:
        program: the program of the run.
        params: parameters of the cell at the start or at the end.
        evaluation: the fixed evaluation set.
        step: the first or the last training step.
    """
    cell, record = program.objective.cell, program.record
    return {
        q.name: q.of_cell(cell, params, evaluation.inputs[:, : q.examples(record)], step)
        for q in program.recorded
        if isinstance(q, AtStartAndEnd)
    }
