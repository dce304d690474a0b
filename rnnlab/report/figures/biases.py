"""Initial biases of the gates that keep the state: their settings, symbols and effect."""

import math
from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from rnnlab.cells import CELLS
from rnnlab.cells.facts import GateBias
from rnnlab.cells.kernels import SHORTEST_CHRONO
from rnnlab.gradients.theory import chrono_retention, forget_timescale


def figure_name(bias: GateBias) -> str:
    """File name of the gate's figure: forget_gate for forget_bias."""
    return bias.option.removesuffix("_bias") + "_gate"


def direct_biases() -> dict[str, GateBias]:
    """The biases of the direct path's gates of all built-in cells, by gate."""
    biases = [
        bias for kind in CELLS.values() for bias in kind.gate_biases if bias.gate == kind.direct
    ]
    return {bias.gate: bias for bias in biases}


def run_of(runs: pd.DataFrame, setting: str) -> pd.Series:
    """The first run of a setting; empty if there is none."""
    own = runs[runs["setting"] == setting]
    return own.iloc[0] if len(own) else pd.Series(dtype=object)


def biases_in(runs: pd.DataFrame) -> list[GateBias]:
    """The biases that at least one run has as a setting."""
    biases = direct_biases().values()
    return [bias for bias in biases if bias.key in runs and runs[bias.key].notna().any()]


def has_chrono(runs: pd.DataFrame, biases: Iterable[GateBias]) -> bool:
    """Whether a run draws one of these biases by chrono initialisation."""
    return any((runs[bias.key] == "chrono").any() for bias in biases if bias.key in runs)


def number(value: Any) -> float:
    """A setting's value as a float; NaN if it is not a finite number."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else math.nan


def numeric_biases(run: pd.Series) -> dict[str, float]:
    """The biases of a run that are numbers, by key."""
    values = {bias.key: number(run.get(bias.key)) for bias in direct_biases().values()}
    return {key: value for key, value in values.items() if not math.isnan(value)}


def mean_gate(run: pd.Series, bias: GateBias) -> float:
    """The mean gate that the initial bias b alone gives.

    It is σ(b); for chrono, the mean over u ~ U[1, t_max − 1]: 1 − ln(t_max/2)/(t_max − 2).

    Returns:
        NaN if the run has no such bias, or another kind of bias, as a user's own cell may.
    """
    if t_max := _chrono_length(run, bias):
        return 1 - math.log(t_max / 2) / (t_max - 2)
    return float(expit(number(run.get(bias.key))))


def log10_kept(run: pd.Series, steps: np.ndarray) -> np.ndarray:
    """log10 of σ(b)^steps, for chrono of its mean over units; NaN without a known bias."""
    for bias in direct_biases().values():
        if t_max := _chrono_length(run, bias):
            return np.log10(chrono_retention(t_max, steps))
        if not math.isnan(b := number(run.get(bias.key))):
            return -steps / forget_timescale(b) / np.log(10)
    return np.full(len(steps), np.nan)


def _chrono_length(run: pd.Series, bias: GateBias) -> float:
    """The longest time scale of chrono initialisation in steps; 0 if the bias is none."""
    t_max = number(run.get("cell.t_max"))
    is_chrono = isinstance(run.get(bias.key), str) and run[bias.key] == "chrono"
    return t_max if is_chrono and t_max >= SHORTEST_CHRONO else 0.0
