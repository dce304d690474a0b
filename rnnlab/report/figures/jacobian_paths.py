"""∂c_t/∂c_{t−1} by path: over time, and the indirect path's share against the bias."""

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.figures.style import (
    axes_or_new,
    figure_legend,
    legend_if_new,
    line_style,
    math_label,
    panel_for_each,
    panels,
    require,
    seed_band,
    settings_of,
    step_title,
    top_layer,
)

PARTS = ("direct", "indirect", "total")
BIASES = {"cell.forget_bias": "$b_f$", "cell.update_bias": "$b_z$"}


def jacobian_paths(
    jacobians: pd.DataFrame, ax: Axes | None = None, *, setting: str, step: int = 0
) -> Axes:
    """Spectral norms of the direct path, the indirect one and the whole, against t.

    Of the top layer, means over examples; medians over seeds, with a band from least to greatest.

    Args:
        jacobians: ``Results.jacobians``.
        ax: where to draw; default a new figure.
        setting: label of the setting.
        step: training step of the record.

    Raises:
        UserError: the setting or the step was not recorded.
    """
    given, ax = ax, axes_or_new(ax)
    require(jacobians, "setting", setting)
    require(jacobians, "step", step)
    own = jacobians[(jacobians["setting"] == setting) & (jacobians["step"] == step)]
    for index, part in enumerate(PARTS):
        column = f"{part}_spectral"
        if column in own and own[column].notna().any():
            wide = top_layer(own).pivot_table(index="t", columns="seed", values=column)
            seed_band(ax, wide, index, part)
    ax.axhline(1, color="0.6", linewidth=0.6, zorder=0)
    ax.set_xlabel("time step t")
    ax.set_ylabel("spectral norm")
    return legend_if_new(ax, given)


def jacobian_paths_figure(jacobians: pd.DataFrame, step: int) -> Figure:
    """A panel for each setting."""
    present = set(jacobians["setting"])
    settings = [setting for setting in settings_of(jacobians) if setting in present]
    figure, axes = panel_for_each(settings, sharex=True, sharey=True)
    for ax, setting in zip(axes, settings, strict=True):
        jacobian_paths(jacobians, ax, setting=setting, step=step).label_outer()
    figure.suptitle(f"parts of the one-step Jacobian, {step_title(step)}", fontsize=8)
    figure_legend(figure, axes, PARTS)
    return figure


def indirect_share(
    jacobians: pd.DataFrame, runs: pd.DataFrame, ax: Axes | None = None, *, step: int = 0
) -> Axes:
    """Share of the indirect path, ‖Σ indirect‖/‖total‖ (Frobenius), against the forget bias.

    Mean over t ≥ 1 of the top layer; a mark a seed, a line through their medians. Settings that
    differ in more than a numeric bias are lines of their own.

    Args:
        jacobians: ``Results.jacobians``.
        runs: ``Results.runs``.
        ax: where to draw; default a new figure.
        step: training step of the record.

    Raises:
        UserError: the step was not recorded.
    """
    given, ax = ax, axes_or_new(ax)
    require(jacobians, "step", step)
    record = top_layer(jacobians[(jacobians["step"] == step) & (jacobians["t"] > 0)])
    shares = record.groupby(["setting", "seed"], observed=True)["share"].mean()
    points = shares.rename("share").reset_index().merge(_lines(runs), on="setting")
    for index, (line, own) in enumerate(points.groupby("line", sort=False)):
        style = line_style(index)
        if own["bias"].isna().all():
            ax.axhline(own["share"].median(), label=math_label(str(line)), **style | {"marker": ""})
            continue
        ax.plot(own["bias"], own["share"], **style | {"linestyle": "", "alpha": 0.6})
        medians = own.groupby("bias")["share"].median()
        ax.plot(medians.index, medians, label=math_label(str(line)), **style)
    ax.set_ylim(bottom=0)
    symbols = [symbol for key, symbol in BIASES.items() if key in runs and runs[key].notna().any()]
    ax.set_xlabel("initial bias " + ", ".join(symbols) if symbols else "")
    ax.set_ylabel("share of the indirect path")
    ax.set_title(step_title(step))
    return legend_if_new(ax, given)


def indirect_share_figure(jacobians: pd.DataFrame, runs: pd.DataFrame, steps: list[int]) -> Figure:
    """A panel for each of the training steps."""
    figure, axes = panels(1, len(steps), sharey=True)
    for ax, step in zip(axes[0], steps, strict=True):
        indirect_share(jacobians, runs, ax, step=step).label_outer()
    figure_legend(figure, list(axes[0]), [])
    return figure


def has_biases(runs: pd.DataFrame) -> bool:
    """Whether settings differ in a numeric bias, so that there is something to draw against."""
    return len(set(_lines(runs)["bias"].dropna())) > 1


def _lines(runs: pd.DataFrame) -> pd.DataFrame:
    """Each setting's numeric bias, and its label without it."""
    rows = []
    for setting, group in runs.groupby("setting", observed=True, sort=False):
        bias, line = math.nan, str(setting)
        for key, symbol in (("cell.forget_bias", "b_f"), ("cell.update_bias", "b_z")):
            value = group.iloc[0].get(key)
            if isinstance(value, int | float) and math.isfinite(value):
                bias = value
                others = [part for part in line.split(", ") if part != f"{symbol} = {value:g}"]
                line = ", ".join(others) or symbol
        rows.append({"setting": setting, "bias": bias, "line": line})
    return pd.DataFrame(rows)
