"""The indirect path's share of ∂c_t/∂c_{t−1}, against the initial bias."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.config.labels import UNNAMED, label_each
from rnnlab.report.figures.biases import biases_in, numeric_biases
from rnnlab.report.figures.on_axes import NEW_AXES, on_axes
from rnnlab.report.figures.palette import styles_of
from rnnlab.report.figures.records import recorded, top_layer
from rnnlab.report.figures.style import (
    figure_legend,
    math_label,
    panels,
    step_title,
)

# Settings of one kind have the same keys.
KINDS = ("task.kind", "cell.kind", "training.optimizer", "training.schedule")


@on_axes
def indirect_share(
    jacobians: pd.DataFrame, runs: pd.DataFrame, ax: Axes = NEW_AXES, *, step: int = 0
) -> Axes:
    """Draw the share of the indirect path, ‖Σ indirect‖/‖total‖ (Frobenius), against the bias.

    It is the mean over t ≥ 1 in the top layer: a mark for each seed, and a line through the medians
    over seeds. Settings that differ in more than a numeric bias are on lines of their own; a
    setting without a numeric bias is a horizontal line.

    Args:
        jacobians: ``Results.jacobians``.
        runs: ``Results.runs``.
        ax: where to draw; default a new figure.
        step: training step of the record.

    Raises:
        UserError: the step was not recorded.
    """
    record = recorded(jacobians, step=step)
    record = top_layer(record[record["t"] > 0])
    shares = record.groupby(["setting", "seed"], observed=True)["share"].mean()
    points = shares.rename("share").reset_index().merge(_lines(runs), on="setting")
    looks = styles_of(list(dict.fromkeys(points["line"])))
    for line, own in points.groupby("line", sort=False):
        style = looks[str(line)].line | {"label": math_label(str(line))}
        if own["share"].isna().all():
            continue
        if own["bias"].isna().all():
            ax.axhline(own["share"].median(), **style | {"marker": ""})
            continue
        seeds = style | {"linestyle": "", "alpha": 0.5, "markersize": 2, "label": None}
        ax.plot(own["bias"], own["share"], **seeds)
        medians = own.groupby("bias")["share"].median()
        ax.plot(medians.index, medians, **style)
    ax.set_ylim(bottom=0)
    symbols = ", ".join(math_label(bias.symbol) for bias in biases_in(runs))
    ax.set_xlabel(f"initial bias {symbols}" if symbols else "")
    ax.set_ylabel("share of the indirect path")
    ax.set_title(step_title(step))
    return ax


def indirect_share_figure(
    jacobians: pd.DataFrame, runs: pd.DataFrame, steps: Sequence[int]
) -> Figure:
    """A panel for each of the training steps."""
    figure, axes = panels(1, len(steps), sharey=True)
    for ax, step in zip(axes[0], steps, strict=True):
        indirect_share(jacobians, runs, ax, step=step).label_outer()
    figure_legend(figure, list(axes[0]), [])
    return figure


def has_biases(runs: pd.DataFrame) -> bool:
    """Whether settings differ in a numeric bias, so that there is something to draw against."""
    values = {_bias(run) for _, run in runs.drop_duplicates("setting").iterrows()}
    return len({value for value in values if not np.isnan(value)}) > 1


def _bias(run: pd.Series) -> float:
    return next(iter(numeric_biases(run).values()), np.nan)


def _lines(runs: pd.DataFrame) -> pd.DataFrame:
    """Each setting's numeric bias, and its label without the bias."""
    own = runs.drop_duplicates("setting")
    each = [run for _, run in own.iterrows()]
    unnamed = [dict.fromkeys(numeric_biases(run), UNNAMED) for run in each]
    lines = label_each([flat | bias for flat, bias in zip(_flat(own), unnamed, strict=True)])
    return pd.DataFrame({"setting": own["setting"], "bias": [*map(_bias, each)], "line": lines})


def _flat(settings: pd.DataFrame) -> list[dict[str, Any]]:
    """Each setting's values by dotted key; None where only others of its kind have a value."""
    own = settings[[key for key in settings.columns if "." in key]]
    kinds = [own[kind] for kind in KINDS if kind in own]
    of_kind = own.notna().groupby(kinds).transform("any").to_dict("records")
    values = own.astype(object).where(own.notna(), None).to_dict("records")
    return [
        {str(key): value for key, value in row.items() if known[key]}
        for row, known in zip(values, of_kind, strict=True)
    ]
