"""Eigenvalues of the state's Jacobian in the complex plane, and Lyapunov spectra."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.figures.style import (
    axes_or_new,
    figure_legend,
    legend_if_new,
    line_style,
    panel_for_each,
    panels,
    require,
    seed_band,
    settings_of,
    step_title,
    top_layer,
)


def eigenvalue_plane(
    eigenvalues: pd.DataFrame, ax: Axes | None = None, *, setting: str, step: int = 0
) -> Axes:
    """Eigenvalues of ∂(h, c)_t/∂(h, c)_{t−1} of the top layer; of all seeds.

    Grey: the unit circle. Dashed: the ring predicted from the zero state, mean over seeds.

    Args:
        eigenvalues: ``Results.eigenvalues``.
        ax: where to draw; default a new figure.
        setting: label of the setting.
        step: training step.

    Raises:
        UserError: the setting or the step was not recorded.
    """
    given, ax = ax, axes_or_new(ax)
    require(eigenvalues, "setting", setting)
    require(eigenvalues, "step", step)
    own = eigenvalues[(eigenvalues["setting"] == setting) & (eigenvalues["step"] == step)]
    own = top_layer(own)
    blue, orange = (line_style(index)["color"] for index in (1, 2))
    ax.plot(own["real"], own["imag"], "o", color=blue, markersize=2, label="eigenvalues")
    ax.plot(*_circle(0.0, 1.0), color="0.6", linewidth=0.8, label="unit circle")
    centre, radius = own[["ring_centre", "ring_radius"]].mean()
    if np.isfinite(radius):
        ring = _circle(centre, radius)
        ax.plot(*ring, "--", color=orange, linewidth=1, label="predicted at the zero state")
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xlabel("real part")
    ax.set_ylabel("imaginary part")
    return legend_if_new(ax, given)


def _circle(centre: float, radius: float) -> tuple[np.ndarray, np.ndarray]:
    angle = np.linspace(0, 2 * np.pi, 200)
    return centre + radius * np.cos(angle), radius * np.sin(angle)


def eigenvalues_figure(eigenvalues: pd.DataFrame, step: int) -> Figure:
    """A panel for each setting."""
    present = set(eigenvalues["setting"])
    settings = [setting for setting in settings_of(eigenvalues) if setting in present]
    figure, axes = panel_for_each(settings)
    for ax, setting in zip(axes, settings, strict=True):
        eigenvalue_plane(eigenvalues, ax, setting=setting, step=step)
    figure.suptitle(f"eigenvalues of the state's Jacobian, {step_title(step)}", fontsize=8)
    figure_legend(figure, axes, [])
    return figure


def lyapunov_spectrum(lyapunov: pd.DataFrame, ax: Axes | None = None, *, step: int = 0) -> Axes:
    """Lyapunov exponents in order, natural logarithm per step.

    Means over examples; medians over seeds, with a band from least to greatest.

    Args:
        lyapunov: ``Results.lyapunov``.
        ax: where to draw; default a new figure.
        step: training step.

    Raises:
        UserError: the step was not recorded.
    """
    given, ax = ax, axes_or_new(ax)
    require(lyapunov, "step", step)
    record = lyapunov[lyapunov["step"] == step]
    for index, setting in enumerate(settings_of(lyapunov)):
        own = record[record["setting"] == setting]
        if not own.empty:
            wide = own.pivot_table(index="index", columns="seed", values="exponent")
            wide.index += 1
            seed_band(ax, wide, index, setting)
    ax.axhline(0, color="0.6", linewidth=0.6, zorder=0)
    ax.set_xlabel("index, greatest first")
    ax.set_ylabel("Lyapunov exponent, per step")
    ax.set_title(step_title(step))
    return legend_if_new(ax, given)


def lyapunov_figure(lyapunov: pd.DataFrame, steps: Sequence[int]) -> Figure:
    """A panel for each of the training steps."""
    figure, axes = panels(1, len(steps), sharey=True)
    for ax, step in zip(axes[0], steps, strict=True):
        lyapunov_spectrum(lyapunov, ax, step=step).label_outer()
    figure_legend(figure, list(axes[0]), settings_of(lyapunov))
    return figure
