"""Figures: functions of a data frame and an optional ``ax``, which they return."""

from rnnlab.report.figures.gates import gate_over_time, gate_over_training, gates_figure
from rnnlab.report.figures.gradient_decay import gradient_decay, gradient_decay_figure
from rnnlab.report.figures.heatmap import gradient_heatmap, heatmap_figure
from rnnlab.report.figures.jacobian_paths import (
    has_biases,
    indirect_share,
    indirect_share_figure,
    jacobian_paths,
    jacobian_paths_figure,
)
from rnnlab.report.figures.learning_curves import learning_curves, learning_curves_figure
from rnnlab.report.figures.sensitivity import sensitivity_curves, sensitivity_figure
from rnnlab.report.figures.spectra import (
    eigenvalue_plane,
    eigenvalues_figure,
    lyapunov_figure,
    lyapunov_spectrum,
)

__all__ = [
    "eigenvalue_plane",
    "eigenvalues_figure",
    "gate_over_time",
    "gate_over_training",
    "gates_figure",
    "gradient_decay",
    "gradient_decay_figure",
    "gradient_heatmap",
    "has_biases",
    "heatmap_figure",
    "indirect_share",
    "indirect_share_figure",
    "jacobian_paths",
    "jacobian_paths_figure",
    "learning_curves",
    "learning_curves_figure",
    "lyapunov_figure",
    "lyapunov_spectrum",
    "sensitivity_curves",
    "sensitivity_figure",
]
