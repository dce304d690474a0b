"""Figures: functions of a data frame and an optional ``ax``, which they return."""

from rnnlab.figures.gates import gate_over_time, gate_over_training, gates_figure
from rnnlab.figures.gradient_decay import gradient_decay, gradient_decay_figure
from rnnlab.figures.heatmap import gradient_heatmap, heatmap_figure
from rnnlab.figures.learning_curves import learning_curves, learning_curves_figure

__all__ = [
    "gate_over_time",
    "gate_over_training",
    "gates_figure",
    "gradient_decay",
    "gradient_decay_figure",
    "gradient_heatmap",
    "heatmap_figure",
    "learning_curves",
    "learning_curves_figure",
]
