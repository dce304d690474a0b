"""Arrays of statistics as tidy data frames."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

INDEX = ["step", "layer", "t"]


def by_step_layer_time(steps: Sequence[int], statistics: Mapping[str, Any]) -> pd.DataFrame:
    """One row for each step, layer and time step.

    Args:
        steps: the training steps.
        statistics: by column, arrays (steps, layers, time).
    """
    if not statistics:
        return pd.DataFrame(columns=INDEX)
    _, layers, time = next(iter(statistics.values())).shape
    levels = [np.asarray(axis, np.int32) for axis in (steps, range(layers), range(time))]
    index = pd.MultiIndex.from_product(levels, names=INDEX)
    return pd.DataFrame({k: np.ravel(v) for k, v in statistics.items()}, index).reset_index()


def by_name(
    steps: Sequence[int], statistics: Mapping[str, Mapping[str, Any]], variable: str
) -> pd.DataFrame:
    """One row for each step, layer, time step and name.

    Args:
        steps: the training steps.
        statistics: by name and column, arrays (steps, layers, time).
        variable: the column that holds the name.
    """
    frames = []
    for name, columns in statistics.items():
        values = by_step_layer_time(steps, columns)
        values.insert(3, variable, name)
        frames.append(values)
    front = ["step", "t", "layer", variable]
    if not frames:
        return pd.DataFrame(columns=front)
    frame = pd.concat(frames, ignore_index=True)
    return frame[front + [column for column in frame.columns if column not in front]]
