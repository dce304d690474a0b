"""Does a larger forget bias keep ∂C_t/∂C_{t−1} near one, and does that help learning?

From the results of ``configs/forget_bias.yaml``: the standard table and figures, and one figure
that sets the gradient's half-life at initialisation beside the step at which the task is solved.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from rnnlab.figures.style import line_style, math_label, panels
from rnnlab.findings import Findings, standard_findings
from rnnlab.results import Results


def analyse(results: Results) -> Findings:
    """Table, figures, and one sentence a setting."""
    standard = standard_findings(results)
    figures = {"retention_and_learning": retention_and_learning(results.runs)} | standard.figures
    return Findings(standard.table, figures, sentences(standard.table))


def retention_and_learning(runs: pd.DataFrame) -> Figure:
    """For each run (a mark): mean f_t and gradient decay at step 0, and when it was solved."""
    figure, axes = panels(1, 3, sharey=True)
    settings = list(runs["setting"].cat.categories)
    runs = runs[runs["status"].isin(["finished", "diverged"])]
    last_step = runs["training.steps"].max()
    columns = {
        "forget_first": "mean $f_t$ at initialisation",
        "decay_first": r"decay of $\|\partial L/\partial c_t\|$ at"
        + "\ninitialisation, decades per step",
        "solved_at": "solved at training step",
    }
    for ax, (column, label) in zip(axes[0], columns.items(), strict=True):
        for index, setting in enumerate(settings):
            own = runs.loc[runs["setting"] == setting, column].astype(float).reset_index(drop=True)
            rows = index + 0.3 * (np.arange(len(own)) - (len(own) - 1) / 2) / max(1, len(own))
            style = line_style(index) | {"linestyle": "", "markersize": 4}
            ax.plot(own, rows, **style)
            if column == "solved_at":
                late = np.full(own.isna().sum(), 1.06 * last_step)
                ax.plot(late, rows[own.isna()], **style | {"markerfacecolor": "none"})
        ax.set_xlabel(label)
    axes[0, 2].set_xlim(left=0)
    axes[0, 1].axvline(0, color="0.6", linewidth=0.6)
    axes[0, 2].axvline(last_step, color="0.6", linewidth=0.6)
    axes[0, 2].set_title("open: unsolved when training ended", fontsize=7)
    axes[0, 0].set_yticks(range(len(settings)), [math_label(s) for s in settings])
    axes[0, 0].set_ylim(len(settings) - 0.5, -0.5)
    return figure


def sentences(table: pd.DataFrame) -> str:
    """What the table says, a line a setting."""
    lines = []
    for _, row in table[table["decay_first"].notna()].iterrows():
        decay = row["decay_first"]
        direction = "shrinks" if decay < 0 else "grows"
        solved = f"solved in {row['solved']} of {row['runs']} runs"
        if np.isfinite(row["solved_at"]):
            solved += f", at step {row['solved_at']:.0f} (median)"
        lines.append(
            f"{row['setting']}: mean f_t {row['forget_first']:.3f} at initialisation, where the "
            f"gradient {direction} by {abs(decay):.4f} decades a step going back; {solved}."
        )
    return "\n".join(lines)
