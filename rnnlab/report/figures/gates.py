"""A gate over time and over training, beside the value that its bias alone would give."""

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.figures.biases import (
    direct_biases,
    figure_name,
    has_chrono,
    mean_gate,
    run_of,
)
from rnnlab.report.figures.on_axes import NEW_AXES, on_axes
from rnnlab.report.figures.palette import styles
from rnnlab.report.figures.records import (
    by_seed,
    present_settings,
    recorded,
    settings_of,
    top_layer,
)
from rnnlab.report.figures.seeds import seed_lines
from rnnlab.report.figures.style import (
    figure_legend,
    panels,
    safe_name,
    step_title,
    symbol,
)


@on_axes
def gate_over_time(
    gates: pd.DataFrame,
    ax: Axes = NEW_AXES,
    *,
    gate: str = "f",
    step: int = 0,
    runs: pd.DataFrame | None = None,
) -> Axes:
    """Draw the mean gate of the top layer against t, at one training step.

    Lines are medians over seeds, each seed is a dotted line.

    Args:
        gates: ``Results.gates``.
        ax: where to draw; default a new figure.
        gate: name of the gate.
        step: training step of the record.
        runs: ``Results.runs``; with it, σ(bias) is drawn as a dotted line.

    Raises:
        UserError: the gate or the step was not recorded.
    """
    _draw(recorded(gates, gate=gate, step=step), ax, gate, "t", runs)
    ax.set_xlabel("time step t")
    ax.set_ylabel(f"mean ${symbol(gate)}_t$")
    ax.set_title(step_title(step))
    return ax


@on_axes
def gate_over_training(
    gates: pd.DataFrame,
    ax: Axes = NEW_AXES,
    *,
    gate: str = "f",
    runs: pd.DataFrame | None = None,
) -> Axes:
    """Draw the mean gate of the top layer over units, examples and t, against training step.

    The arguments are those of ``gate_over_time``.

    Raises:
        UserError: the gate was not recorded.
    """
    _draw(recorded(gates, gate=gate), ax, gate, "step", runs)
    ax.set_xlabel("training step")
    ax.set_ylabel(f"mean ${symbol(gate)}_t$ over all t")
    ax.set_title("over training")
    return ax


def gates_figure(gates: pd.DataFrame, runs: pd.DataFrame, gate: str) -> Figure:
    """A gate over time before training and at the end, and over training."""
    figure, axes = panels(1, 3, sharey=True)
    last = int(gates["step"].max())
    gate_over_time(gates, axes[0, 0], gate=gate, step=0, runs=runs)
    gate_over_time(gates, axes[0, 1], gate=gate, step=last, runs=runs)
    gate_over_training(gates, axes[0, 2], gate=gate, runs=runs)
    axes[0, 1].set_ylabel("")
    axes[0, 2].set_ylabel("")
    figure_legend(figure, list(axes.flat), settings_of(gates))
    return figure


def gates_figures(gates: pd.DataFrame, runs: pd.DataFrame) -> dict[str, Figure]:
    """The figures of the gates in ``shown_gates``, by file name."""
    return {_file_name(gate): gates_figure(gates, runs, gate) for gate in shown_gates(gates)}


def shown_gates(gates: pd.DataFrame) -> list[str]:
    """The recorded gates that keep the state: f and z, and every gate of a cell without either."""
    by_setting = gates.groupby("setting", observed=True)["gate"].unique()
    direct = direct_biases()
    known = dict.fromkeys(gate for gate in direct if (gates["gate"] == gate).any())
    unknown = [gate for own in by_setting if not direct.keys() & set(own) for gate in own]
    return list(known | dict.fromkeys(unknown))


def _file_name(gate: str) -> str:
    bias = direct_biases().get(gate)
    return figure_name(bias) if bias else f"gate_{safe_name(gate)}"


def _draw(record: pd.DataFrame, ax: Axes, gate: str, x: str, runs: pd.DataFrame | None) -> None:
    for style, setting, values in by_seed(top_layer(record), x, "mean"):
        seed_lines(ax, values, style, setting)
    if runs is not None and gate in direct_biases():
        _draw_bias(runs, ax, gate, record)


def _draw_bias(runs: pd.DataFrame, ax: Axes, gate: str, record: pd.DataFrame) -> None:
    """A dotted line for each setting at the mean gate that its initial bias alone gives."""
    bias, shown = direct_biases()[gate], present_settings(record)
    values = {setting: mean_gate(run_of(runs, setting), bias) for setting in shown}
    looks = styles(record)
    for setting, value in values.items():
        if not math.isnan(value):
            line: Any = {"color": looks[setting].light, "linewidth": 0.8, "linestyle": ":"}
            ax.axhline(value, zorder=0, **line)
    if not all(map(math.isnan, values.values())):
        drawn = runs[runs["setting"].isin(shown)]
        chrono = ", for chrono its mean" if has_chrono(drawn, [bias]) else ""
        label = rf"$\sigma({bias.symbol})${chrono}"
        ax.plot([], [], color="0.4", linewidth=0.8, linestyle=":", label=label)
