"""Eigenvalues of the state's Jacobian in the complex plane."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.figures.on_axes import NEW_AXES, on_axes
from rnnlab.report.figures.palette import category
from rnnlab.report.figures.records import present_settings, recorded, top_layer
from rnnlab.report.figures.style import figure_legend, panel_for_each, step_title


@on_axes
def eigenvalue_plane(
    eigenvalues: pd.DataFrame, ax: Axes = NEW_AXES, *, setting: str, step: int = 0
) -> Axes:
    """Draw the eigenvalues of ∂(h, c)_t/∂(h, c)_{t−1} of the top layer, of all seeds.

    The grey line is the unit circle, the dashed line the ring predicted from the zero state, its
    centre and radius means over seeds.

    Args:
        eigenvalues: ``Results.eigenvalues``.
        ax: where to draw; default a new figure.
        setting: label of the setting.
        step: training step.

    Raises:
        UserError: the setting or the step was not recorded.
    """
    own = top_layer(recorded(eigenvalues, setting=setting, step=step))
    ax.plot(
        own["real"], own["imag"], "o", color=category(1).light, markersize=2, label="eigenvalues"
    )
    ax.plot(*_circle(0.0, 1.0), color="0.6", linewidth=0.8, label="unit circle")
    centre, radius = own[["ring_centre", "ring_radius"]].mean()
    if np.isfinite(radius):
        ring = _circle(centre, radius)
        ax.plot(
            *ring, "--", color=category(2).light, linewidth=1, label="predicted at the zero state"
        )
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xlabel("real part")
    ax.set_ylabel("imaginary part")
    return ax


def _circle(centre: float, radius: float) -> tuple[np.ndarray, np.ndarray]:
    angle = np.linspace(0, 2 * np.pi, 200)
    return centre + radius * np.cos(angle), radius * np.sin(angle)


def eigenvalues_figure(eigenvalues: pd.DataFrame, step: int) -> Figure:
    """A panel for each setting."""
    settings = present_settings(eigenvalues)
    figure, axes = panel_for_each(settings)
    for ax, setting in zip(axes, settings, strict=True):
        eigenvalue_plane(eigenvalues, ax, setting=setting, step=step)
    figure.suptitle(f"eigenvalues of the state's Jacobian, {step_title(step)}", fontsize=8)
    figure_legend(figure, axes, [])
    return figure
