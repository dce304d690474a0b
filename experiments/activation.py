"""Claim: tanh serves a shallow LSTM better than relu.

The activation is that of the candidate g and of the cell's output, h = o ⊙ φ(c); b_f = 1. Better
means to solve the task earlier. Of an LSTM of one layer, on adding and on the copy task, what is
judged is the share of pairs of runs, one of each activation, in which that with tanh solves it
earlier: above ½ on both the claim is supported, below ½ on either it is refuted, else undecided.
By the whole interval that an exact permutation test gives, widened for both tasks. A run that did
not solve the task is later than all, and so is one that diverged, even if it had solved it before.

Reported and not judged: 2 to 4 layers (adding); an RNN with U = I, which with relu is the IRNN (Le
et al. 2015; its input weights were drawn from N(0, 0.001²), ours are Glorot's); how many runs
diverged, the loss at the end, the greatest finite norm of the gradient over training, and the
gradient's decay before it.
"""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.claims.claim import Claim, Measured
from rnnlab.report.claims.evidence import (
    EARLIER,
    Number,
    earlier,
    ended,
    mean_of,
    median_of,
    number,
    numbers_frame,
    solved,
)
from rnnlab.report.claims.rules import Part, Rule, above
from rnnlab.report.claims.words import (
    estimate,
    estimate_if_measured,
    in_words,
    pairs_in_words,
    solved_in_words,
)
from rnnlab.report.figures.style import UNSOLVED, figure_legend, line_style, panels
from rnnlab.results.intervals import median_interval, share_interval
from rnnlab.results.read import Results

TASKS = ("adding", "copy")
ACTIVATIONS = ("tanh", "relu")
JUDGED = [f"{task}: LSTM, 1 layer" for task in TASKS]
AGAINST = "tanh − relu"
DIVERGED, LOSS = "share diverged", "final loss"
NORM = "log10 of the greatest gradient norm"
DECAY = "decades per step before training"


def measure(results: Results) -> Measured:
    """Compare the two activations in each network: when each solves the task, and how it ends."""
    runs = of_networks(results.runs, results.training)
    numbers = numbers_frame(compared(runs))
    return Measured(numbers, figure(runs), text(numbers))


def of_networks(runs: pd.DataFrame, training: pd.DataFrame) -> pd.DataFrame:
    """Runs that ended: which ``network`` each is, its ``activation``, and what is compared.

    ``final_loss`` is NaN where a run diverged.
    """
    runs = ended(runs)
    is_rnn, layers = runs["cell.kind"] == "rnn", runs["cell.layers"].astype(str)
    many = (layers + " layers").mask(runs["cell.layers"] == 1, "1 layer")
    names = ("LSTM, " + many).mask(is_rnn, "RNN, U = I")
    norms = training["gradient_norm"].replace(np.inf, np.nan).groupby(training["run"]).max()
    return runs.assign(
        network=runs["task.kind"] + ": " + names,
        tick=("LSTM\n" + layers).mask(is_rnn, "RNN\nU = I"),
        activation=runs["cell.activation"],
        final_loss=runs["final_loss"].astype(float).where(runs["status"] == "finished"),
        **{NORM: np.log10(runs["run"].map(norms)), DECAY: runs["decay_first"].astype(float)},
    )


def compared(runs: pd.DataFrame) -> list[Number]:
    """Numbers of each activation, and the share of pairs, for each network."""
    found: list[Number] = []
    for network, own in runs.groupby("network", sort=False):
        numbers = [
            *earlier(own, [ACTIVATIONS], len(JUDGED), by="activation"),
            *solved(own, by="activation"),
            *_ends(own),
            *median_of(own, NORM, by="activation"),
            *mean_of(own, DECAY, by="activation"),
        ]
        found += [one._replace(of=f"{network}, {one.of}") for one in numbers]
    return found


def _ends(runs: pd.DataFrame) -> list[Number]:
    """How many diverged, and the loss of the others."""
    found = []
    for activation, own in runs.groupby("activation", sort=False):
        losses = own["final_loss"].dropna()
        diverged = share_interval(len(own) - len(losses), len(own))
        found += [
            number(DIVERGED, str(activation), diverged, len(own)),
            number(LOSS, str(activation), median_interval(losses), len(losses)),
        ]
    return found


def parts(numbers: pd.DataFrame, settings: pd.DataFrame) -> list[Part]:
    """One part for each task, all of which have to hold."""
    return [judged(numbers, network) for network in JUDGED]


def judged(numbers: pd.DataFrame, network: str) -> Part:
    """In this network, tanh solves the task earlier than relu."""
    rule = Rule(EARLIER, f"{network}, {AGAINST}", above(0.5), if_measured=True)
    share = rule.obtained(numbers)
    if math.isnan(share.mean):
        return Part(network, [rule], words="not run")
    words = [f"tanh earlier in {pairs_in_words(share)}"]
    for activation in ACTIVATIONS:
        of = f"{network}, {activation}"
        diverged = estimate(numbers, DIVERGED, of).mean
        words.append(
            f"{activation} solves it {solved_in_words(numbers, of)} and diverges in {diverged:.0%}"
        )
    return Part(network, [rule], words=", ".join(words))


def text(numbers: pd.DataFrame) -> str:
    """A line for each network and activation."""
    lines = []
    for of in numbers.loc[numbers["quantity"] == DIVERGED, "of"]:
        diverged, loss = (estimate(numbers, quantity, of) for quantity in (DIVERGED, LOSS))
        norm, decay = (estimate_if_measured(numbers, quantity, of) for quantity in (NORM, DECAY))
        lines.append(
            f"{of}: solved {solved_in_words(numbers, of)}, "
            f"{diverged.mean:.0%} diverged, final loss {in_words(loss, '.2g')}, greatest gradient "
            f"norm 10^({in_words(norm, '.2f')}), {in_words(decay, '.2g')} decades per step before "
            "training"
        )
    return "\n".join(lines)


def figure(runs: pd.DataFrame) -> Figure:
    """When solved, final loss and greatest gradient norm (columns), for each task (rows).

    A mark a run; open: unsolved, on the left above the last training step (grey line). The grey
    line in the middle is the loss of remembering nothing.
    """
    drawn, axes = panels(len(TASKS), 3)
    for row, task in zip(axes, TASKS, strict=True):
        own = runs[runs["task.kind"] == task]
        networks = list(dict.fromkeys(own["network"]))
        last = float(own["training.steps"].max())
        columns = (own["solved_at"].fillna(1.06 * last), own["final_loss"], 10 ** own[NORM])
        for ax, values in zip(row, columns, strict=True):
            _marks(ax, own.assign(value=values), networks)
        row[0].axhline(last, color="0.6", linewidth=0.6)
        row[1].axhline(float(own["baseline"].iloc[0]), color="0.6", linewidth=0.6)
        row[0].set_ylim(0, 1.12 * last)
        row[1].set_yscale("log")
        row[2].set_yscale("log")
        row[0].set_title(f"{task}, T = {own['task.length'].iloc[0]}")
        labels = (
            "solved at training step",
            "final loss",
            "greatest $\\|\\nabla L\\|_2$\nover training",
        )
        for ax, label in zip(row, labels, strict=True):
            ax.set_ylabel(label)
    figure_legend(drawn, list(axes.flat), ACTIVATIONS)
    return drawn


def _marks(ax: Axes, runs: pd.DataFrame, networks: list[str]) -> None:
    """A mark a run: open where the task was not solved, crossed where it diverged."""
    for index, activation in enumerate(ACTIVATIONS):
        own = runs[runs["activation"] == activation]
        place = own["network"].map(networks.index) + 0.24 * (index - 0.5)
        seeds = 0.16 * (own["seed"].rank(method="dense") / own["seed"].nunique() - 0.5)
        style = line_style(index + 1) | {"linestyle": "", "markersize": 4, "alpha": 0.8}
        diverged, is_solved = own["status"] == "diverged", own["solved_at"].notna()
        kinds = {
            activation: (is_solved, {}),
            "unsolved": (~is_solved & ~diverged, UNSOLVED),
            "diverged": (diverged, {"marker": "x"}),
        }
        for name, (wanted, change) in kinds.items():
            if not wanted.any():
                continue
            label = activation if name == activation else f"{activation}, {name}"
            where = (place + seeds)[wanted]
            ax.plot(where, own.loc[wanted, "value"], label=label, **style | change)
    ticks = runs.drop_duplicates("network").set_index("network")["tick"]
    ax.set_xticks(range(len(networks)), list(ticks[networks]))
    ax.set_xlabel("cell, layers")
    ax.set_xlim(-0.6, len(networks) - 0.4)


analyse = Claim("activation", measure, parts)
