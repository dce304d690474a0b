"""The layout that figures of concepts share."""

from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from rnnlab.report.figures.style import RC, panels


def two_panels(script: str, left: Callable[[Axes], None], right: Callable[[Axes], None]) -> None:
    """Draw two panels, each with a legend, into the PNG beside the script that is called so.

    Args:
        script: path of the file, whose name ends in ``_figure.py``.
        left: draws the left panel.
        right: draws the right one.
    """
    figure, axes = panels(1, 2)
    with plt.rc_context(RC):
        for ax, draw in zip(axes[0], (left, right), strict=True):
            draw(ax)
            ax.legend(fontsize=6, handlelength=3)
        figure.set_size_inches(6.4, 2.8)
        figure.savefig(Path(script.removesuffix("_figure.py") + ".png"))
