"""Draws the figure of docs/concepts/claims.md: three results of a rule, of made-up numbers.

python docs/concepts/claims_figure.py
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from rnnlab.report.claims.verdict import is_above
from rnnlab.report.figures.palette import category
from rnnlab.report.figures.style import RC, panels
from rnnlab.results.intervals import median_interval

THRESHOLD = 0.0
SEEDS = 7


def made_up() -> list[np.ndarray]:
    """Seven seeds in three cases."""
    rng = np.random.default_rng(4)
    return [rng.normal(mean, 1.0, SEEDS) for mean in (2.5, 0.3, -2.5)]


def main() -> None:
    """A row for each case: its seeds, their median and its interval, and the answer."""
    figure, axes = panels(1, 1)
    ax = axes[0, 0]
    with plt.rc_context(RC):
        for row, seeds in enumerate(made_up()):
            found = median_interval(seeds)
            style = category(row).line | {"linestyle": ""}
            ax.plot(seeds, np.full(SEEDS, row + 0.2), **style | {"alpha": 0.5})
            ax.plot([found.low, found.high], [row, row], color=style["color"], linewidth=1.5)
            ax.plot(found.mean, row, **style | {"markersize": 6})
            ax.text(5.2, row, is_above(found, THRESHOLD), va="center", color=style["color"])
        ax.axvline(THRESHOLD, color="0.4", linewidth=0.8)
        ax.set(yticks=[], xlim=(-5, 5), ylim=(2.5, -0.5), xlabel="a number, such as a difference")
        ax.set_title("rule: the number is above 0")
        figure.set_size_inches(4.6, 2.2)
        figure.savefig(Path(__file__).with_name("claims.png"))


if __name__ == "__main__":
    main()
