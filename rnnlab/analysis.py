"""What a run's records say, in numbers: solved when, how fast gradients decay."""

import math
from typing import Any

import numpy as np
import pandas as pd

SOLVED_WINDOW = 50


def solved_at(training: pd.DataFrame, threshold: float) -> int | None:
    """First step at which the mean training loss of the last 50 steps is below the threshold.

    Args:
        training: columns ``step``, ``loss``.
        threshold: see ``Task.threshold``.
    """
    recent = training["loss"].rolling(SOLVED_WINDOW).mean()
    solved = training["step"][recent < threshold]
    return None if solved.empty else int(solved.iloc[0])


def decay_per_step(log10_mean: pd.Series, distance: pd.Series) -> float:
    """Least-squares slope of log10 adjoint norms against distance back in time, in decades a step.

    Negative: the gradient vanishes going back. Over finite points at distances ≥ 0; NaN with
    fewer than two.
    """
    used = np.isfinite(log10_mean) & (distance >= 0)
    if used.sum() < 2:
        return math.nan
    x, y = distance[used].to_numpy(float), log10_mean[used].to_numpy(float)
    x = x - x.mean()
    return float(x @ y / (x @ x))


def half_life(decay: float) -> float:
    """Steps back in time until a gradient that decays so many decades a step is halved; or ∞."""
    if math.isnan(decay):
        return math.nan
    return math.log10(2) / -decay if decay < 0 else math.inf


def summarize_run(
    training: pd.DataFrame,
    gradients: pd.DataFrame,
    gates: pd.DataFrame,
    threshold: float,
    read_step: int | None,
) -> dict[str, Any]:
    """The few numbers of a run that tables are made of.

    Decay and mean forget gate are those of the top layer, at the first and at the last record;
    decay is that of c where the cell has one, else of h.

    Args:
        training: see ``rnnlab.frames``.
        gradients: likewise.
        gates: likewise.
        threshold: the task's.
        read_step: where distances count from; None: no decay.
    """
    quantity = "c" if (gradients["quantity"] == "c").any() else "h"
    decays = _at_first_and_last(
        gradients[gradients["quantity"] == quantity],
        lambda record: _record_decay(record, read_step),
    )
    forget = _at_first_and_last(
        gates[gates["gate"] == "f"], lambda record: float(record["mean"].mean())
    )
    last = training.iloc[-1]
    return {
        "last_step": int(last["step"]),
        "final_loss": float(last["eval_loss"]),
        "final_metric": float(last["eval_metric"]),
        "solved_at": solved_at(training, threshold),
        "forget_first": forget[0],
        "forget_last": forget[1],
        "decay_of": quantity,
        "decay_first": decays[0],
        "decay_last": decays[1],
    }


def _record_decay(record: pd.DataFrame, read_step: int | None) -> float:
    if read_step is None:
        return math.nan
    return decay_per_step(record["log10_mean"], read_step - record["t"])


def _at_first_and_last(frame: pd.DataFrame, value: Any) -> tuple[float, float]:
    """A value of the top layer's first and last record; NaN where there is none."""
    if frame.empty:
        return math.nan, math.nan
    top = frame[frame["layer"] == frame["layer"].max()]
    first, last = top["step"].min(), top["step"].max()
    return value(top[top["step"] == first]), value(top[top["step"] == last])
