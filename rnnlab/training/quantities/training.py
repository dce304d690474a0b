"""Losses and norms of every update, and the evaluation at records."""

from typing import ClassVar

import numpy as np
import pandas as pd

from rnnlab.training.quantities.quantity import AtRecords, Moment, Reported, Statistics
from rnnlab.training.quantities.summary import Facts, Number

SOLVED_WINDOW = 50
# The names of the columns in dashboards.
CURVES = {
    "loss": "training/loss",
    "gradient_norm": "training/gradient_norm",
    "update_norm": "training/update_norm",
    "eval_loss": "eval/loss",
    "eval_metric": "eval/metric",
}


def solved_at(training: pd.DataFrame, threshold: float) -> int | None:
    """First step at which the mean training loss of the last 50 steps is below the threshold.

    Args:
        training: columns ``step``, ``loss``.
        threshold: see ``Task.threshold``.
    """
    recent = training["loss"].rolling(SOLVED_WINDOW).mean()
    solved = training["step"][recent < threshold]
    return None if solved.empty else int(solved.iloc[0])


def _last_step(table: pd.DataFrame, _: Facts) -> int:
    return int(table["step"].iloc[-1])


def _solved_at(table: pd.DataFrame, facts: Facts) -> int | None:
    return solved_at(table, facts.threshold)


class TrainingCurves(AtRecords):
    """The scalars of every update, and the evaluation at records."""

    name = "training"
    meaning = "losses and norms of every update, and the evaluation at records"
    when = "at every step, the evaluation at every record"
    columns: ClassVar = {
        "step": "of training",
        "loss": "of the batch, before its update",
        "gradient_norm": "2-norm over all parameters, before clipping",
        "update_norm": "2-norm over all parameters",
        "eval_loss": "at records: loss of 256 examples that stay the same (of [data](data.md) "
        "of your own those held out, if fewer)",
        "eval_metric": "at records: their metric, see `metric` in `run.json`",
    }
    summary = (
        Number("last_step", "the step that was reached", _last_step, None),
        Number(
            "final_loss",
            "evaluation loss after the last update",
            lambda table, _: float(table["eval_loss"].iloc[-1]),
        ),
        Number(
            "solved_at",
            "first step at which the mean training loss of the last 50 steps is below the task's "
            "threshold (adding 0.01, copy a tenth of the baseline)",
            _solved_at,
            "median step",
        ),
        Number(
            "final_metric",
            "evaluation metric after the last update",
            lambda table, _: float(table["eval_metric"].iloc[-1]),
        ),
    )

    def measure(self, moment: Moment) -> Statistics:
        """Mean loss and mean metric on the evaluation set, each a scalar."""
        loss, metric = moment.objective.evaluate(moment.params, moment.evaluation)
        return {"eval_loss": loss, "eval_metric": metric}

    def table(self, reported: Reported) -> pd.DataFrame:
        """One row per step; evaluation columns are NaN between records."""
        updates, records = reported.updates, reported.records[self.name]
        scalars = {name: np.ravel(values) for name, values in updates.statistics.items()}
        evaluation = pd.DataFrame(records.statistics, index=records.steps)
        frame = pd.DataFrame(scalars, index=updates.steps).join(evaluation)
        return frame.rename_axis("step").reset_index()[list(self.columns)]

    def curves(self, table: pd.DataFrame) -> pd.DataFrame:
        """Every column, under its name in dashboards."""
        table = table.rename(columns=CURVES)
        names = [name for name in CURVES.values() if name in table]
        return table.melt("step", names, var_name="name")
