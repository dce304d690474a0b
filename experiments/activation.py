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
from rnnlab.report.claims.evidence import Number, at, mean_of, median_of, number, numbers_frame
from rnnlab.report.claims.headline import Headline
from rnnlab.report.claims.learning import EARLIER, earlier, ended, solved
from rnnlab.report.claims.rules import Part, Rule, above
from rnnlab.report.claims.words import (
    estimate,
    estimate_if_measured,
    in_words,
    pairs_in_words,
    solved_in_words,
)
from rnnlab.report.figures.captions import caption_of
from rnnlab.report.figures.palette import category
from rnnlab.report.figures.seeds import (
    LATE,
    UNSOLVED,
    beside,
    say_if_none_solved,
    unsolved,
)
from rnnlab.report.figures.style import figure_legend, panels
from rnnlab.results.intervals import median_interval, share_interval
from rnnlab.results.read import Results

TASKS = ("adding", "copy")
ACTIVATIONS = ("tanh", "relu")
STYLES = {activation: category(1 + index) for index, activation in enumerate(ACTIVATIONS)}
JUDGED = [f"{task}: LSTM, 1 layer" for task in TASKS]
AGAINST = "tanh − relu"
DIVERGED, LOSS = "share diverged", "final loss"
NORM = "log10 of the greatest gradient norm"
DECAY = "decades per step before training"


def measure(results: Results) -> Measured:
    """Compare the two activations in each network: when each solves the task, and how it ends."""
    runs = of_networks(results.runs, results.training)
    numbers = numbers_frame(compared(runs))
    return Measured(numbers, figure(runs), text(numbers), caption=caption_of(figure))


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
        found += at(str(network), numbers, ", ")
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

    A mark a run; open: unsolved, crossed: diverged. On the left an open mark above the last
    training step (grey line) stands for all unsolved runs; the number above it is how many. The
    grey line in the middle is the loss of remembering nothing.
    """
    drawn, axes = panels(len(TASKS), 3)
    for row, task in zip(axes, TASKS, strict=True):
        own = runs[runs["task.kind"] == task]
        networks = list(dict.fromkeys(own["network"]))
        last = float(own["training.steps"].max())
        row[0].axhline(last, color="0.6", linewidth=0.6)
        row[0].set_ylim(0, 1.18 * last)
        row[1].axhline(float(own["baseline"].iloc[0]), color="0.6", linewidth=0.6)
        columns = (own["solved_at"].astype(float), own["final_loss"], 10 ** own[NORM])
        size, *_ = (
            _marks(ax, own.assign(value=values), networks, is_log=ax is not row[0])
            for ax, values in zip(row, columns, strict=True)
        )
        for network, runs_of in own.groupby("network"):
            for activation, steps in runs_of.groupby("activation")["solved_at"]:
                x = _place(networks, str(network), str(activation))
                many = int(steps.isna().sum())
                style = STYLES[str(activation)]
                unsolved(row[0], x, LATE * last, many, style, size, upright=True)
        say_if_none_solved(row[0], own["solved_at"], last)
        row[0].set_title(f"{task}, T = {own['task.length'].iloc[0]}")
        labels = (
            "solved at training step",
            "final loss",
            "greatest $\\|\\nabla L\\|_2$\nover training",
        )
        for ax, label in zip(row, labels, strict=True):
            ax.set_ylabel(label)
    kinds = ("", ", unsolved", ", diverged")
    names = [f"{activation}{kind}" for kind in kinds for activation in ACTIVATIONS]
    figure_legend(drawn, list(axes.flat), names)
    return drawn


def _place(networks: list[str], network: str, activation: str) -> float:
    """The middle of the marks of an activation in a network."""
    return networks.index(network) + 0.44 * (ACTIVATIONS.index(activation) - 0.5)


def _marks(ax: Axes, runs: pd.DataFrame, networks: list[str], is_log: bool) -> float:
    """A mark a run: open where the task was not solved, crossed where it diverged; their size."""
    values = runs["value"][np.isfinite(runs["value"])]
    if is_log and len(values):
        ax.set_yscale("log")
        decades = 0.08 * (np.log10(values.max() / values.min()) or 1.0)
        ax.set_ylim(values.min() / 10**decades, values.max() * 10**decades)
    ticks = runs.drop_duplicates("network").set_index("network")["tick"]
    ax.set_xticks(range(len(networks)), list(ticks[networks]))
    ax.set_xlabel("cell, layers")
    ax.set_xlim(-0.6, len(networks) - 0.4)
    groups = {
        (str(network), str(activation)): own
        for (network, activation), own in runs.loc[values.index].groupby(["network", "activation"])
    }
    middles = [_place(networks, *names) for names in groups]
    drawn = [own["value"].to_numpy() for own in groups.values()]
    beside_each, size = beside(ax, drawn, middles, room=0.4, upright=True)
    for ((_, activation), own), places in zip(groups.items(), beside_each, strict=True):
        diverged, is_solved = own["status"] == "diverged", own["solved_at"].notna()
        kinds = {
            activation: (is_solved, {}),
            f"{activation}, unsolved": (~is_solved & ~diverged, UNSOLVED),
            f"{activation}, diverged": (diverged, {"marker": "x"}),
        }
        style = STYLES[activation].line | {"linestyle": "", "markersize": size}
        for label, (wanted, change) in kinds.items():
            if wanted.any():
                ax.plot(places[wanted], own.loc[wanted, "value"], label=label, **style | change)
    return size


HEADLINES = [
    Headline(
        EARLIER,
        [f"{JUDGED[0]}, {AGAINST}"],
        "share of pairs of runs in which tanh solves adding before relu (one layer)",
        ".2f",
    )
]
analyse = Claim("activation", measure, parts, headlines=HEADLINES, says=__doc__)
