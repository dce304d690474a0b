"""The decay of the gradient of several cells, for each task and length: before training to end."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.gradients.decay import decay_per_step
from rnnlab.report.figures.gradient_decay import gradient_decay
from rnnlab.report.figures.records import by_seed, settings_of
from rnnlab.report.figures.seeds import seed_lines
from rnnlab.report.figures.style import figure_legend, panels


def decay_by_place(before: pd.DataFrame, training: pd.DataFrame) -> Figure:
    """Gradient against distance before training and at its end, and its decay while training.

    A row a task. Lines are medians over seeds, each seed is a thin line; both end where norms read
    zero, the median where it does in half of the runs.

    Args:
        before: gradients of h before training, as in ``Results.gradients``, with ``place``, the
            task and its length, and ``short``, the name of the cell.
        training: the same of the runs that train.
    """
    cells = list(dict.fromkeys([*before["short"], *training["short"]]))
    before, training = (
        frame.assign(setting=pd.Categorical(frame["short"], cells, ordered=True))
        for frame in (before, training)
    )
    places = sorted(before["place"].unique()), sorted(training["place"].unique())
    drawn, axes = panels(max(map(len, places)), 3)
    for row, *pair in zip(axes, *places, strict=True):
        for ax, frame, place in zip(row, (before, training), pair, strict=False):
            own = frame[frame["place"] == place]
            gradient_decay(own, ax, quantity="h", step=int(own["step"].max()))
            ax.set(title=f"{place}, {ax.get_title()}")
        _while_training(training[training["place"] == pair[1]], row[2])
        row[2].set_title(f"{pair[1]}, while training")
        lows, highs = zip(row[0].get_ylim(), row[1].get_ylim(), strict=True)
        row[0].set_ylim(min(lows), max(highs))
        row[1].sharey(row[0])
        row[1].set_ylabel("")
    figure_legend(drawn, list(axes.flat), settings_of(before))
    return drawn


def _while_training(training: pd.DataFrame, ax: Axes) -> None:
    """Decades per step at every record, one line a cell."""
    rows = training.groupby(["setting", "seed", "step"], observed=True)
    decays = rows[["log10_mean", "distance"]].apply(
        lambda record: decay_per_step(record["log10_mean"], record["distance"])
    )
    for style, cell, wide in by_seed(decays.rename("decay").reset_index(), "step", "decay"):
        seed_lines(ax, wide, style, cell)
    ax.set(xlabel="training step", ylabel="decades per step")
