"""What a run reported, as tidy data frames."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rnnlab.training.program import Chunk

TRAINING_COLUMNS = ["step", "loss", "gradient_norm", "update_norm", "eval_loss", "eval_metric"]


def training_frame(chunks: Chunk, starts: Sequence[int], last_step: int) -> pd.DataFrame:
    """One row a step up to ``last_step``; evaluation columns are NaN between records.

    Args:
        chunks: arrays with a leading chunk axis.
        starts: the step at which each chunk starts.
        last_step: the last step that was reached.
    """
    steps, rows = _each_step_once(chunks, starts)
    scalars = pd.DataFrame(
        {name: np.ravel(values)[rows] for name, values in chunks.steps._asdict().items()},
        index=steps,
    )
    evaluation = pd.DataFrame(
        {"eval_loss": chunks.recorded.eval_loss, "eval_metric": chunks.recorded.eval_metric},
        index=np.asarray(starts),
    )
    frame = scalars.join(evaluation).rename_axis("step").reset_index()
    return frame.loc[frame["step"] <= last_step, TRAINING_COLUMNS]


def means_frame(chunks: Chunk, starts: Sequence[int], last_step: int) -> pd.DataFrame:
    """One row for each step up to ``last_step``, layer and time step; see ``step_means``."""
    steps, rows = _each_step_once(chunks, starts)
    wanted = steps <= last_step
    columns = {
        name: values.reshape(-1, *values.shape[2:])[rows[wanted]]
        for name, values in chunks.means.items()
    }
    return _by_step_layer_time(columns, steps[wanted].tolist())


def _each_step_once(chunks: Chunk, starts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Steps in order, and where each is found among those of all chunks: in the last that has it.

    A chunk has room for more steps than some have; what is behind their end is in the next.
    """
    length = chunks.steps.loss.shape[1]
    steps = np.add.outer(np.asarray(starts), np.arange(length)).ravel()
    found, from_behind = np.unique(steps[::-1], return_index=True)
    return found, len(steps) - 1 - from_behind


def gradients_frame(chunks: Chunk, starts: Sequence[int]) -> pd.DataFrame:
    """One row for each recorded step, layer, quantity (h, c) and time step."""
    return _long(chunks.recorded.gradients, starts, "quantity")


def gates_frame(chunks: Chunk, starts: Sequence[int]) -> pd.DataFrame:
    """One row for each recorded step, layer, gate and time step."""
    return _long(chunks.recorded.gates, starts, "gate")


def jacobians_frame(
    statistics: dict[str, Any], steps: Sequence[int], quantity: str
) -> pd.DataFrame:
    """One row for each of these steps, layer and time step.

    Args:
        statistics: see ``path_statistics``; arrays (steps, layers, time).
        steps: of training.
        quantity: the carry, c or h.
    """
    frame = _by_step_layer_time(statistics, steps)
    frame.insert(3, "quantity", quantity)
    return frame


def _long(
    statistics: dict[str, dict[str, Any]], steps: Sequence[int], variable: str
) -> pd.DataFrame:
    frames = []
    for name, columns in statistics.items():
        values = _by_step_layer_time(columns, steps)
        values.insert(3, variable, name)
        frames.append(values)
    if not frames:
        return pd.DataFrame(columns=["step", "t", "layer", variable])
    frame = pd.concat(frames, ignore_index=True)
    front = ["step", "t", "layer", variable]
    return frame[front + [column for column in frame.columns if column not in front]]


def _by_step_layer_time(columns: dict[str, Any], steps: Sequence[int]) -> pd.DataFrame:
    _, layers, time = next(iter(columns.values())).shape
    levels = [np.asarray(axis, np.int32) for axis in (steps, range(layers), range(time))]
    index = pd.MultiIndex.from_product(levels, names=["step", "layer", "t"])
    return pd.DataFrame({k: np.ravel(v) for k, v in columns.items()}, index).reset_index()
