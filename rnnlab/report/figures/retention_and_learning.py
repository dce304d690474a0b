"""Forget gate and gradient before training, and when runs solved the task, by setting."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from rnnlab.report.figures.palette import styles
from rnnlab.report.figures.seeds import LATE, marks, say_if_none_solved, unsolved_note
from rnnlab.report.figures.style import panels, row_height, title_label


def retention_and_learning(runs: pd.DataFrame) -> Figure:
    """Mean f_t and decay of the gradient before training, and when runs solved the task.

    There is one mark for each run. An open mark beyond the last training step (grey line) stands
    for unsolved runs; the number beside it is how many. Right of the grey line at 0 the gradient
    grows going back in time.

    Args:
        runs: the rows of ``Results.runs`` that ended.
    """
    looks = styles(runs)
    figure, axes = panels(1, 3, row_height(len(looks)), sharey=True)
    last_step = float(runs["training.steps"].max())
    columns = {
        "gate_first": "mean $f_t$ before training",
        "decay_first": r"decay of $\|\partial L/\partial c_t\|$ before training,"
        + "\ndecades per step (< 0: shrinks)",
        "solved_at": "solved at training step",
    }
    axes[0, 0].set_yticks(range(len(looks)), [title_label(setting, 30) for setting in looks])
    for ax, (column, label) in zip(axes[0], columns.items(), strict=True):
        is_end = column == "solved_at"
        late = LATE * last_step if is_end else np.nan
        marks(ax, runs[column].astype(float), runs["setting"], looks, late, from_zero=is_end)
        ax.set_xlabel(label)
    axes[0, 1].axvline(0, color="0.6", linewidth=0.6)
    axes[0, 2].axvline(last_step, color="0.6", linewidth=0.6)
    axes[0, 2].set_title(unsolved_note(runs["solved_at"]), fontsize=7)
    say_if_none_solved(axes[0, 2], runs["solved_at"], last_step)
    return figure
