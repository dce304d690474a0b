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
    x, y = _points(log10_mean, distance)
    if len(y) < 2:
        return math.nan
    x = x - x.mean()
    return float(x @ y / (x @ x))


def straightness(log10_mean: pd.Series, distance: pd.Series) -> float:
    """R² of the line whose slope is ``decay_per_step``: 1 where the decay is exponential.

    Over finite points at distances ≥ 0; NaN with fewer than three, or where all are equal.
    """
    x, y = _points(log10_mean, distance)
    if len(y) < 3 or np.ptp(y) == 0:
        return math.nan
    return float(np.corrcoef(x, y)[0, 1] ** 2)


def residual(log10_mean: pd.Series, distance: pd.Series) -> float:
    """Root mean square distance from the line whose slope is ``decay_per_step``, in decades.

    Over the points of ``straightness``, and NaN where that is.
    """
    _, y = _points(log10_mean, distance)
    unexplained = 1 - straightness(log10_mean, distance)
    return float(np.std(y) * np.sqrt(np.maximum(0.0, unexplained))) if len(y) else math.nan


def _points(log10_mean: pd.Series, distance: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Distance and log10, where they are finite and the distance is ≥ 0."""
    used = np.isfinite(log10_mean) & (distance >= 0)
    return distance[used].to_numpy(float), log10_mean[used].to_numpy(float)


def half_life(decay: float) -> float:
    """Steps back in time until a gradient that decays so many decades a step is halved; or ∞."""
    if math.isnan(decay):
        return math.nan
    return math.log10(2) / -decay if decay < 0 else math.inf


def summarize_run(
    tables: dict[str, pd.DataFrame], threshold: float, read_step: int | None
) -> dict[str, Any]:
    """The few numbers of a run that tables are made of.

    Decays, shares and mean forget gate are those of the top layer, at the first and at the last
    record; decay is that of c where the cell has one, else of h.

    Args:
        tables: see ``rnnlab.training.frames``.
        threshold: the task's.
        read_step: where distances count from; None: no decay.
    """
    training, gradients, gates = (tables[name] for name in ("training", "gradients", "gates"))
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
        **(_summarize_jacobians(tables) if "jacobians" in tables else {}),
    }


def _summarize_jacobians(tables: dict[str, pd.DataFrame]) -> dict[str, float]:
    """Sensitivity's decay, the indirect path's share and the top exponent, first and last."""
    jacobians, lyapunov = tables["jacobians"], tables["lyapunov"].assign(layer=0)
    values = {
        "sensitivity_decay": _at_first_and_last(jacobians, sensitivity_decay),
        "indirect_share": _at_first_and_last(jacobians, indirect_share),
        "top_exponent": _at_first_and_last(lyapunov, top_exponent),
    }
    return {
        f"{name}_{end}": value
        for name, pair in values.items()
        for end, value in zip(("first", "last"), pair, strict=True)
    }


def sensitivity_decay(record: pd.DataFrame) -> float:
    """Slope of ``log10_sensitivity`` against the distance to the last step, decades per step."""
    return decay_per_step(record["log10_sensitivity"], record["t"].max() - record["t"])


def indirect_share(record: pd.DataFrame) -> float:
    """Mean over t ≥ 1 of ‖Σ indirect‖_F/‖total‖_F."""
    return float(record.loc[record["t"] > 0, "share"].mean(skipna=False))


def top_exponent(record: pd.DataFrame) -> float:
    """Mean over examples of the greatest Lyapunov exponent."""
    return float(record.loc[record["index"] == 0, "exponent"].mean(skipna=False))


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
