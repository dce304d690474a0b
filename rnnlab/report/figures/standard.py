"""The standard figures: what each is made from, and when it applies.

To add a figure, write its file and add a line to ``STANDARD``, or to ``OF_JACOBIANS`` where
``rnnlab measure`` should draw it too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from rnnlab.report.figures.eigenvalues import eigenvalues_figure
from rnnlab.report.figures.gates import gates_figures
from rnnlab.report.figures.gradient_decay import gradient_decay_figure, shown_steps
from rnnlab.report.figures.heatmap import heatmap_figures
from rnnlab.report.figures.indirect_share import has_biases, indirect_share_figure
from rnnlab.report.figures.jacobian_paths import jacobian_paths_figure
from rnnlab.report.figures.learning_curves import learning_curves_figure
from rnnlab.report.figures.lyapunov import lyapunov_figure
from rnnlab.report.figures.sensitivity import sensitivity_figure
from rnnlab.results.read import Results
from rnnlab.support.errors import UserError


class Standard(NamedTuple):
    """A standard figure, which is saved under its name in the registry.

    Attributes:
        draw: a function of results that returns the figure, or several figures by file name.
        applies: a function of results that tells whether they have what the figure shows.
    """

    draw: Callable[[Any], Figure | dict[str, Figure]]
    applies: Callable[[Any], bool] = lambda results: True


@dataclass(frozen=True)
class Ends:
    """Tables of Jacobians at the start and at the end of each run, and the runs."""

    jacobians: pd.DataFrame
    lyapunov: pd.DataFrame
    eigenvalues: pd.DataFrame
    runs: pd.DataFrame

    @property
    def steps(self) -> list[int]:
        """The training steps of the start and of the end."""
        return sorted({int(step) for step in self.jacobians["step"]})

    def each(self, name: str, draw: Callable[[int], Figure]) -> dict[str, Figure]:
        """A figure of the start, and a figure of the end whose name ends in ``_trained``."""
        suffixes = zip(self.steps, ("", "_trained"), strict=False)
        return {f"{name}{suffix}": draw(step) for step, suffix in suffixes}


# Functions of ``Results``.
STANDARD: dict[str, Standard] = {
    "gradient_decay": Standard(
        lambda r: gradient_decay_figure(r.gradients, shown_steps(r.gradients))
    ),
    "learning_curves": Standard(lambda r: learning_curves_figure(r.training, r.runs)),
    "heatmap": Standard(lambda r: heatmap_figures(r.gradients)),
    "gates": Standard(lambda r: gates_figures(r.gates, r.runs)),
}

# Functions of ``Ends``.
OF_JACOBIANS: dict[str, Standard] = {
    "sensitivity": Standard(lambda e: sensitivity_figure(e.jacobians, e.runs, e.steps)),
    "lyapunov": Standard(lambda e: lyapunov_figure(e.lyapunov, e.steps)),
    "indirect_share": Standard(
        lambda e: indirect_share_figure(e.jacobians, e.runs, e.steps), lambda e: has_biases(e.runs)
    ),
    "jacobian_paths": Standard(
        lambda e: e.each("jacobian_paths", lambda step: jacobian_paths_figure(e.jacobians, step))
    ),
    "eigenvalues": Standard(
        lambda e: e.each("eigenvalues", lambda step: eigenvalues_figure(e.eigenvalues, step))
    ),
}


def draw_standard(figures: Mapping[str, Standard], results: Results | Ends) -> dict[str, Figure]:
    """The figures that apply to the results, by file name.

    Raises:
        UserError: one cannot be drawn.
    """
    drawn: dict[str, Figure] = {}
    for name, standard in figures.items():
        if standard.applies(results):
            try:
                made = standard.draw(results)
            except UserError:
                raise
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"[:300]
                raise UserError(f"the figure {name} cannot be drawn: {reason}") from error
            drawn |= {name: made} if isinstance(made, Figure) else made
    return drawn
