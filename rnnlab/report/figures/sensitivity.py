"""‖∂c_T/∂c_t‖ against the distance to the last step, beside what the bias alone would give."""

from collections.abc import Sequence
from numbers import Real

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.gradients.theory import chrono_retention, forget_timescale
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

BIAS_KEYS = ("cell.forget_bias", "cell.update_bias")


def sensitivity_curves(
    jacobians: pd.DataFrame,
    ax: Axes | None = None,
    *,
    step: int = 0,
    runs: pd.DataFrame | None = None,
) -> Axes:
    """log10‖∂c_T/∂c_t‖₂ (of a cell without c: h) of the top layer against T − t.

    Means over examples; medians over seeds, with a band from least to greatest.

    Args:
        jacobians: ``Results.jacobians``.
        ax: where to draw; default a new figure.
        step: training step of the record.
        runs: ``Results.runs``; with it, thin lines show σ(bias)^(T−t), for chrono its mean.

    Raises:
        UserError: the step was not recorded.
    """
    given, ax = ax, axes_or_new(ax)
    require(jacobians, "step", step)
    record = top_layer(jacobians[jacobians["step"] == step])
    distance = record["t"].max() - record["t"]
    record = record.assign(distance=distance, log10=sensitivity_with_zeros(record))
    for index, setting in enumerate(settings_of(jacobians)):
        own = record[record["setting"] == setting]
        if own.empty:
            continue
        wide = own.pivot_table(index="distance", columns="seed", values="log10", dropna=False)
        seed_band(ax, wide, index, setting)
        if runs is not None:
            alone = _bias_alone(runs[runs["setting"] == setting].iloc[0], wide.index.to_numpy())
            ax.plot(wide.index, alone, color=line_style(index)["color"], linewidth=0.6, zorder=0)
    _limit_to_measured(ax, top_layer(jacobians)["log10_sensitivity"])
    if runs is not None:
        has_chrono = any("chrono" in set(runs[key]) for key in BIAS_KEYS if key in runs)
        label = r"$\sigma(b)^{T-t}$, initial $b$" + (" (chrono: mean)" if has_chrono else "")
        ax.plot([], [], color="0.4", linewidth=0.6, label=label)
    ax.set_xlabel("steps back in time, $T-t$")
    carries = "$ or $".join(
        rf"\|\partial {q}_T/\partial {q}_t\|_2" for q in sorted(set(record["quantity"]))
    )
    ax.set_ylabel(rf"$\log_{{10}}\,{carries}$")
    ax.set_title(step_title(step))
    return legend_if_new(ax, given)


def sensitivity_figure(jacobians: pd.DataFrame, runs: pd.DataFrame, steps: Sequence[int]) -> Figure:
    """A panel for each of the training steps."""
    figure, axes = panels(1, len(steps), sharey=True)
    for ax, step in zip(axes[0], steps, strict=True):
        sensitivity_curves(jacobians, ax, step=step, runs=runs).label_outer()
    figure_legend(figure, list(axes[0]), settings_of(jacobians))
    return figure


def sensitivity_with_zeros(jacobians: pd.DataFrame) -> pd.Series:
    """``log10_sensitivity``, −inf where every example reads zero."""
    return jacobians["log10_sensitivity"].mask(jacobians["zero_fraction"] == 1, -np.inf)


def _bias_alone(run: pd.Series, distance: np.ndarray) -> np.ndarray:
    """log10 of what the direct path would keep if its gate were its initial bias alone."""
    for key in BIAS_KEYS:
        bias = run.get(key)
        if bias == "chrono":
            return np.log10(chrono_retention(run["cell.t_max"], distance))
        if isinstance(bias, Real) and not np.isnan(float(bias)):
            return -distance / forget_timescale(float(bias)) / np.log(10)
    return np.full(len(distance), np.nan)


def _limit_to_measured(ax: Axes, values: pd.Series) -> None:
    """The lines of theory may go far below what was measured."""
    finite = values[np.isfinite(values)]
    if len(finite):
        margin = 0.1 * max(1.0, finite.max() - finite.min())
        low, high = finite.min() - 3 * margin, finite.max() + margin
        ax.set_ylim(max(ax.get_ylim()[0], low), min(max(ax.get_ylim()[1], high), high))
