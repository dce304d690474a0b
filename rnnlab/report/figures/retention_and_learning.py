"""Forget gate and gradient before training, and when runs solved the task, by setting."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from rnnlab.report.figures.style import LATE, marks, math_label, panels, unsolved_note


def retention_and_learning(runs: pd.DataFrame) -> Figure:
    """Mean f_t and decay of the gradient before training, and when runs solved the task.

    There is one mark for each run. Open marks beyond the last training step (grey line) are
    unsolved runs. Right of the grey line at 0 the gradient grows going back in time.

    Args:
        runs: the rows of ``Results.runs`` that ended.
    """
    figure, axes = panels(1, 3, sharey=True)
    settings = list(runs["setting"].cat.categories)
    last_step = runs["training.steps"].max()
    columns = {
        "gate_first": "mean $f_t$ before training",
        "decay_first": r"decay of $\|\partial L/\partial c_t\|$ before training,"
        + "\ndecades per step (< 0: shrinks)",
        "solved_at": "solved at training step",
    }
    for ax, (column, label) in zip(axes[0], columns.items(), strict=True):
        late = LATE * last_step if column == "solved_at" else np.nan
        marks(ax, runs[column].astype(float), runs["setting"], settings, late)
        ax.set_xlabel(label)
    axes[0, 2].set_xlim(left=0)
    axes[0, 1].axvline(0, color="0.6", linewidth=0.6)
    axes[0, 2].axvline(last_step, color="0.6", linewidth=0.6)
    note = unsolved_note(runs["solved_at"], "open: unsolved when training ended")
    axes[0, 2].set_title(note, fontsize=7)
    axes[0, 0].set_yticks(range(len(settings)), [math_label(s) for s in settings])
    axes[0, 0].set_ylim(len(settings) - 0.5, -0.5)
    return figure
