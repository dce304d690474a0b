"""Figures of what is recorded at the start and at the end of a run alone."""

import pandas as pd

from rnnlab.report.figures.records import starts_and_ends
from rnnlab.report.figures.standard import OF_JACOBIANS, Drawn, Ends, draw_standard


def jacobian_figures(
    jacobians: pd.DataFrame, lyapunov: pd.DataFrame, eigenvalues: pd.DataFrame, runs: pd.DataFrame
) -> Drawn:
    """Figures of the one-step Jacobians at the start and at the end of each run, by file name.

    The end of a run that diverged is drawn together with that of the others.
    """
    end = int(lyapunov["step"].max())
    ends = Ends(
        starts_and_ends(jacobians, end),
        starts_and_ends(lyapunov, end),
        starts_and_ends(eigenvalues, end),
        runs,
    )
    return draw_standard(OF_JACOBIANS, ends)
