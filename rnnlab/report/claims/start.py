"""What is measured of each run before training: one step back, and the whole sequence."""

from collections.abc import Mapping

import pandas as pd

from rnnlab.report.figures.records import top_layer


def one_step(jacobians: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    """Sizes of one step back in the top layer, means over t ≥ 1, one row a run.

    Args:
        jacobians: ``Results.jacobians``.
        columns: of it, by the names that they get.
    """
    record = _at_start(jacobians)
    later = record[record["t"] > 0].groupby("run")
    return pd.DataFrame({name: later[column].mean() for name, column in columns.items()})


def sensitivity_at_first_step(jacobians: pd.DataFrame) -> pd.Series:
    """log10 ‖∂c_T/∂c_0‖₂ in the top layer, by run; of ``Results.jacobians``."""
    record = _at_start(jacobians)
    return record[record["t"] == 0].set_index("run")["log10_sensitivity"]


def gradient_at_first_step(gradients: pd.DataFrame) -> pd.Series:
    """log10 of ‖∂L/∂c_0‖/‖∂L/∂c_T‖ in the top layer, by run; of ``Results.gradients``."""
    record = _at_start(gradients[gradients["quantity"] == "c"])
    first, last = (
        record[record[column] == 0].set_index("run")["log10_mean"] for column in ("t", "distance")
    )
    return first - last


def _at_start(record: pd.DataFrame) -> pd.DataFrame:
    return top_layer(record[record["step"] == 0])
