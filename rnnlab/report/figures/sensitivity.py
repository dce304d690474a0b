"""‖∂c_T/∂c_t‖ against the distance to the last step, beside what the bias alone would give."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.figures.biases import direct_biases, has_chrono, log10_kept, run_of
from rnnlab.report.figures.on_axes import NEW_AXES, on_axes
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
    step_title,
    symbol,
)


@on_axes
def sensitivity_curves(
    jacobians: pd.DataFrame,
    ax: Axes = NEW_AXES,
    *,
    step: int = 0,
    runs: pd.DataFrame | None = None,
) -> Axes:
    """Draw log10‖∂c_T/∂c_t‖₂ (h, in a cell without c) of the top layer against T − t.

    Lines are medians over seeds of the mean over examples, each seed is a thin line.

    Args:
        jacobians: ``Results.jacobians``.
        ax: where to draw; default a new figure.
        step: training step of the record.
        runs: ``Results.runs``; with it, thin lines show σ(bias)^(T−t), for chrono its mean.

    Raises:
        UserError: the step was not recorded.
    """
    record = top_layer(recorded(jacobians, step=step))
    distance = record["t"].max() - record["t"]
    record = record.assign(distance=distance, log10=sensitivity_with_zeros(record))
    has_bias = False
    for style, setting, values in by_seed(record, "distance", "log10"):
        seed_lines(ax, values, style, setting)
        if runs is not None:
            kept = log10_kept(run_of(runs, setting), values.index.to_numpy())
            ax.plot(values.index, kept, color=style.light, linewidth=0.8, linestyle=":", zorder=0)
            has_bias |= bool(np.isfinite(kept).any())
    _limit_to_measured(ax, top_layer(jacobians)["log10_sensitivity"])
    if runs is not None and has_bias:
        drawn = runs[runs["setting"].isin(present_settings(record))]
        chrono = " (chrono: mean)" if has_chrono(drawn, direct_biases().values()) else ""
        label = rf"$\sigma(b)^{{T-t}}$, initial $b${chrono}"
        ax.plot([], [], color="0.4", linewidth=0.8, linestyle=":", label=label)
    ax.set_xlabel("steps back in time, $T-t$")
    quantities = [symbol(quantity) for quantity in sorted(set(record["quantity"]))]
    norms = [rf"\|\partial {name}_T/\partial {name}_t\|_2" for name in quantities]
    ax.set_ylabel(rf"$\log_{{10}}\,{'$ or $'.join(norms)}$")
    ax.set_title(step_title(step))
    return ax


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


def _limit_to_measured(ax: Axes, values: pd.Series) -> None:
    """Limit the y axis to all measured values, as the lines of σ(b) may go far below them."""
    finite = values[np.isfinite(values)]
    if len(finite):
        margin = 0.1 * max(1.0, finite.max() - finite.min())
        lowest = max(ax.get_ylim()[0], finite.min() - 3 * margin)
        ax.set_ylim(min(lowest, finite.min() - margin), finite.max() + margin)
