"""Sizes of ∂c_t/∂c_{t−1} over time: the direct path, the indirect one, and their sum."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.figures.on_axes import NEW_AXES, on_axes
from rnnlab.report.figures.palette import category
from rnnlab.report.figures.records import present_settings, recorded, top_layer
from rnnlab.report.figures.seeds import seed_lines
from rnnlab.report.figures.style import figure_legend, panel_for_each, step_title

# In the order of the legend, with the styles that they have in every figure.
PARTS = {"direct": category(1), "indirect": category(2), "total": category(0)}


@on_axes
def jacobian_paths(
    jacobians: pd.DataFrame, ax: Axes = NEW_AXES, *, setting: str, step: int = 0
) -> Axes:
    """Draw spectral norms of the direct path, the indirect path and the total, against t.

    They are those of the top layer. Lines are medians over seeds of the mean over examples, each
    seed is a thin line. A cell without a direct path has no line for it.

    Args:
        jacobians: ``Results.jacobians``.
        ax: where to draw; default a new figure.
        setting: label of the setting.
        step: training step of the record.

    Raises:
        UserError: the setting or the step was not recorded.
    """
    record = top_layer(recorded(jacobians, setting=setting, step=step))
    for part, style in PARTS.items():
        column = f"{part}_spectral"
        if column in record and record[column].notna().any():
            wide = record.pivot_table(index="t", columns="seed", values=column)
            seed_lines(ax, wide, style, part)
    ax.axhline(1, color="0.6", linewidth=0.6, zorder=0)
    ax.set_xlabel("time step t")
    ax.set_ylabel("spectral norm")
    return ax


def jacobian_paths_figure(jacobians: pd.DataFrame, step: int) -> Figure:
    """A panel for each setting."""
    settings = present_settings(jacobians)
    figure, axes = panel_for_each(settings, sharex=True, sharey=True)
    for ax, setting in zip(axes, settings, strict=True):
        jacobian_paths(jacobians, ax, setting=setting, step=step).label_outer()
    figure.suptitle(f"parts of the one-step Jacobian, {step_title(step)}", fontsize=8)
    figure_legend(figure, axes, list(PARTS))
    return figure
