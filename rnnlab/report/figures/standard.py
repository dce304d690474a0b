"""The standard figures: what each is made from, and when it applies.

To add a figure, write its file and add a line to ``STANDARD``, or to ``OF_JACOBIANS`` where
``rnnlab measure`` should draw it too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
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


class Drawn(NamedTuple):
    """Figures by file name, and why others could not be drawn, by theirs."""

    figures: dict[str, Figure]
    failed: dict[str, str]


def draw_standard(figures: Mapping[str, Standard], results: Results | Ends) -> Drawn:
    """Draw the figures that apply to the results; one that fails costs no other.

    Raises:
        UserError: the results do not have what a figure needs.
    """
    drawn, failed = Drawn({}, {})
    for name, standard in figures.items():
        if standard.applies(results):
            before = plt.get_fignums()
            try:
                made = standard.draw(results)
            except UserError:
                raise
            except Exception as error:
                failed[name] = first_line(error)
                for number in set(plt.get_fignums()) - set(before):
                    plt.close(number)
            else:
                drawn |= {name: made} if isinstance(made, Figure) else made
    return Drawn(drawn, failed)


def first_line(error: Exception) -> str:
    """The kind of an error and the first line of what it says."""
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"[:300]
