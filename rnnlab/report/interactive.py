"""Interactive figures of results, drawn by plotly from what Matplotlib's functions draw."""

from collections.abc import Callable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report import figures
from rnnlab.report.figures.records import present_settings
from rnnlab.report.figures.style import own_style
from rnnlab.results.read import Results
from rnnlab.support.errors import UserError

INSTALL = "pip install 'rnnlab[plotly]'"


class Interactive:
    """Interactive figures: the same data as those of ``rnnlab.figures``, to zoom into and to pick.

    A click on an entry of the legend hides a setting with its seeds. Each returns a plotly figure;
    each raises a UserError where plotly is not installed, or where the runs did not record what it
    shows.
    """

    def __init__(self, results: Results) -> None:
        self._results = results

    def __repr__(self) -> str:
        names = ", ".join(f"{name}()" for name in dir(type(self)) if not name.startswith("_"))
        return f"<interactive figures of {self._results.name!r}: {names}>"

    def decay(self, *, quantity: str = "c", step: int = 0) -> Any:
        """The gradient against the distance back in time, see ``figures.gradient_decay``."""
        gradients = self._results.gradients
        return _drawn(figures.gradient_decay, gradients, quantity=quantity, step=step)

    def heatmap(self, *, setting: str = "", quantity: str = "c", normalise: bool = True) -> Any:
        """The gradient, training step against t, see ``figures.gradient_heatmap``.

        The default is the first setting that has the quantity.
        """
        gradients = self._results.gradients
        of_quantity = gradients[gradients["quantity"] == quantity]
        options = {"quantity": quantity, "normalise": normalise}
        setting = setting or _first(of_quantity, quantity)
        return _drawn(figures.gradient_heatmap, gradients, setting=setting, **options)

    def learning_curves(self) -> Any:
        """The training loss, see ``figures.learning_curves``."""
        return _drawn(figures.learning_curves, self._results.training, self._results.runs)

    def gate_over_time(self, *, gate: str = "f", step: int = 0) -> Any:
        """A mean gate against t, see ``figures.gate_over_time``."""
        options = {"gate": gate, "step": step, "runs": self._results.runs}
        return _drawn(figures.gate_over_time, self._results.gates, **options)

    def gate_over_training(self, *, gate: str = "f") -> Any:
        """A mean gate against the training step, see ``figures.gate_over_training``."""
        options = {"gate": gate, "runs": self._results.runs}
        return _drawn(figures.gate_over_training, self._results.gates, **options)

    def jacobian_paths(self, *, setting: str = "", step: int = 0) -> Any:
        """Sizes of ∂c_t/∂c_{t−1} by path, see ``figures.jacobian_paths``.

        The default is the first setting that has them.
        """
        jacobians = self._results.jacobians
        setting = setting or _first(jacobians, "jacobians")
        return _drawn(figures.jacobian_paths, jacobians, setting=setting, step=step)

    def indirect_share(self, *, step: int = 0) -> Any:
        """The share of the indirect paths against the bias, see ``figures.indirect_share``."""
        results = self._results
        return _drawn(figures.indirect_share, results.jacobians, results.runs, step=step)

    def sensitivity(self, *, step: int = 0) -> Any:
        """‖∂c_T/∂c_t‖ against T − t, see ``figures.sensitivity_curves``."""
        options = {"step": step, "runs": self._results.runs}
        return _drawn(figures.sensitivity_curves, self._results.jacobians, **options)

    def lyapunov(self, *, step: int = 0) -> Any:
        """Lyapunov exponents in order, see ``figures.lyapunov_spectrum``."""
        return _drawn(figures.lyapunov_spectrum, self._results.lyapunov, step=step)

    def eigenvalues(self, *, setting: str = "", step: int = 0) -> Any:
        """Eigenvalues of a step, see ``figures.eigenvalue_plane``.

        The default is the first setting that has them.
        """
        eigenvalues = self._results.eigenvalues
        setting = setting or _first(eigenvalues, "eigenvalues")
        return _drawn(figures.eigenvalue_plane, eigenvalues, setting=setting, step=step)


def _first(frame: pd.DataFrame, what: str) -> str:
    settings = present_settings(frame)
    if not settings:
        raise UserError(f"no setting has {what!r}")
    return settings[0]


def _drawn(draw: Callable[..., Axes], *tables: Any, **options: Any) -> Any:
    """A plotly figure of what a function of ``rnnlab.figures`` draws on an axes."""
    try:
        from rnnlab.report.plotly_figure import figure_of
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "plotly":
            raise
        raise UserError(f"interactive figures need plotly: {INSTALL}") from None
    with own_style():
        return figure_of(draw(*tables, Figure().subplots(), **options))
