"""Figures: functions of data frames and an optional ``ax``, which they return.

``standard`` lists those that are drawn for every experiment.
"""

from rnnlab.report.figures.eigenvalues import eigenvalue_plane, eigenvalues_figure
from rnnlab.report.figures.gates import gate_over_time, gate_over_training, gates_figure
from rnnlab.report.figures.gradient_decay import gradient_decay, gradient_decay_figure
from rnnlab.report.figures.heatmap import gradient_heatmap, heatmap_figure
from rnnlab.report.figures.indirect_share import (
    has_biases,
    indirect_share,
    indirect_share_figure,
)
from rnnlab.report.figures.jacobian_paths import jacobian_paths, jacobian_paths_figure
from rnnlab.report.figures.learning_curves import learning_curves, learning_curves_figure
from rnnlab.report.figures.lyapunov import lyapunov_figure, lyapunov_spectrum
from rnnlab.report.figures.sensitivity import sensitivity_curves, sensitivity_figure

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
