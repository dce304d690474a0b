"""A gate over time and over training, beside the value that its bias alone would give."""

import math
from numbers import Real
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import expit

from rnnlab.report.figures.style import (
    axes_or_new,
    figure_legend,
    legend_if_new,
    line_style,
    panels,
    require,
    seed_band,
    settings_of,
    step_title,
    top_layer,
)

BIAS_OF_GATE = {"f": "cell.forget_bias", "z": "cell.update_bias"}


def gate_over_time(
    gates: pd.DataFrame,
    ax: Axes | None = None,
    *,
    gate: str = "f",
    step: int = 0,
    runs: pd.DataFrame | None = None,
) -> Axes:
    """Mean gate of the top layer against t, at one training step.

    Median over seeds with a band from least to greatest.

    Args:
        gates: ``Results.gates``.
        ax: where to draw; default a new figure.
        gate: which one.
        step: training step of the record.
        runs: ``Results.runs``; with it, σ(bias) is drawn as a thin line.
    """
    given, ax = ax, axes_or_new(ax)
    require(gates, "gate", gate)
    require(gates, "step", step)
    _gate_lines(gates[gates["step"] == step], ax, gate, "t")
    _bias_lines(runs, ax, gate, settings_of(gates))
    ax.set_xlabel("time step t")
    ax.set_ylabel(f"mean ${gate}_t$")
    ax.set_title(step_title(step))
    return legend_if_new(ax, given)


def gate_over_training(
    gates: pd.DataFrame,
    ax: Axes | None = None,
    *,
    gate: str = "f",
    runs: pd.DataFrame | None = None,
) -> Axes:
    """Mean gate of the top layer over units, examples and time, against training step."""
    given, ax = ax, axes_or_new(ax)
    require(gates, "gate", gate)
    _gate_lines(gates, ax, gate, "step")
    _bias_lines(runs, ax, gate, settings_of(gates))
    ax.set_xlabel("training step")
    ax.set_ylabel(f"mean ${gate}_t$ over all t")
    ax.set_title("over training")
    return legend_if_new(ax, given)


def gates_figure(gates: pd.DataFrame, runs: pd.DataFrame, gate: str) -> Figure:
    """Over time before training and at the end, and over training."""
    figure, axes = panels(1, 3, sharey=True)
    last = int(gates["step"].max())
    gate_over_time(gates, axes[0, 0], gate=gate, step=0, runs=runs)
    gate_over_time(gates, axes[0, 1], gate=gate, step=last, runs=runs)
    gate_over_training(gates, axes[0, 2], gate=gate, runs=runs)
    axes[0, 1].set_ylabel("")
    axes[0, 2].set_ylabel("")
    figure_legend(figure, list(axes.flat), settings_of(gates))
    return figure


def bias_value(bias: Any, t_max: float) -> float:
    """σ(b), or under chrono its mean over u ~ U[1, t_max − 1], 1 − ln(t_max/2)/(t_max − 2).

    NaN for anything else, which only a user's own cell may have.
    """
    if bias == "chrono":
        return 1 - math.log(t_max / 2) / (t_max - 2)
    return float(expit(bias)) if isinstance(bias, Real) else math.nan


def _gate_lines(gates: pd.DataFrame, ax: Axes, gate: str, x: str) -> None:
    own = gates[gates["gate"] == gate]
    top = top_layer(own)
    for index, setting in enumerate(settings_of(gates)):
        lines = top[top["setting"] == setting]
        if not lines.empty:
            wide = lines.pivot_table(index=x, columns="seed", values="mean")
            seed_band(ax, wide, index, setting)


def _bias_lines(runs: pd.DataFrame | None, ax: Axes, gate: str, settings: list[str]) -> None:
    key = BIAS_OF_GATE.get(gate, "")
    if runs is None or key not in runs:
        return
    symbol = rf"$\sigma(b_{gate})$, for chrono its mean"
    for index, setting in enumerate(settings):
        own = runs[runs["setting"] == setting].iloc[0]
        value = bias_value(own[key], own.get("cell.t_max", math.nan))
        if not math.isnan(value):
            colour = line_style(index)["color"]
            ax.axhline(value, color=colour, linewidth=0.6, alpha=0.7, zorder=0)
    ax.plot([], [], color="0.4", linewidth=0.6, label=symbol)
