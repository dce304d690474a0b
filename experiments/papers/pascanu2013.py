"""Pascanu, Mikolov & Bengio 2013, "On the difficulty of training recurrent neural networks", § 2.1.

For h_t = φ(W x_t + U h_{t−1} + b) with |φ'| ≤ γ they prove: a largest singular value of U below 1/γ
is sufficient for gradients to vanish, one above 1/γ necessary for them to explode; and not
sufficient. Here φ = tanh, γ = 1. (Of their other case, the sigmoid with γ = 1/4, nothing is tested:
it is no activation of rnnlab's vanilla RNN.)

Before training, on each run: the largest singular value of U; the growth of log10‖∂h_T/∂h_t‖ per
step back in time, by least squares; vanishing is growth below 0, exploding above. Reproduced is

* sufficient: if every run with a largest singular value below 1 vanishes;
* necessary: if the least largest singular value of a run that explodes is above 1;
* the bound from which both follow: if no ‖∂h_T/∂h_t‖ exceeds the largest singular value to the
  T − t by more than 0.01 decades (rounding);
* not sufficient: if some runs above 1 vanish; and, so that this is not for want of explosions, if
  some explode: both shares above 0 by their whole 95 % intervals, widened for both.

The first three are statements about each run, which one exception refutes; they need no interval.
(The second is the first turned round.) The gains are a grid, so how large the shares
are means nothing.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from safetensors.numpy import load_file

from rnnlab.report.claims.claim import Measured
from rnnlab.report.claims.evidence import Number, number, numbers_frame, of_runs
from rnnlab.report.claims.headline import Headline
from rnnlab.report.claims.published import Published, reproduction, side_by_side
from rnnlab.report.claims.rules import above, below
from rnnlab.report.claims.verdict import Answer
from rnnlab.report.figures.captions import caption_of
from rnnlab.report.figures.palette import category
from rnnlab.report.figures.style import figure_legend, panels
from rnnlab.results.intervals import Estimate, share_interval
from rnnlab.results.read import Results
from rnnlab.training.quantities.jacobian_paths import sensitivity_decay

VANISH, EXPLODE = "share that vanishes", "share that explodes"
SMALLEST = "least largest singular value"
EXCESS = "most decades above the bound"
BELOW, ABOVE = "largest singular value < 1", "largest singular value > 1"
RECURRENT_KERNEL = "cell.U_h"
KERNELS = {"orthogonal": "orthogonal", "uniform": r"$U(\pm 1/\sqrt{n})$", "lecun": "Gaussian"}
TICKS = (0.3, 0.5, 1, 2, 4, 8)


def everyone(share: Estimate) -> Answer:
    """Supported if the share is 1, else refuted."""
    return Answer.SUPPORTED if share.mean == 1 else Answer.REFUTED


PUBLISHED = [
    Published(VANISH, BELOW, "1: sufficient", "1", everyone),
    Published(SMALLEST, "runs that explode", "above 1: necessary", "above 1", above(1.0)),
    Published(EXCESS, "all runs", "none", "below 0.01", below(0.01)),
    Published(VANISH, ABOVE, "above 0: not sufficient", "above 0", above(0.0)),
    Published(EXPLODE, ABOVE, "above 0", "above 0", above(0.0)),
]


def measure(results: Results) -> Measured:
    """Growth of ‖∂h_T/∂h_t‖ against the largest singular value of U."""
    runs = measured(results)
    numbers = numbers_frame(judged(runs))
    words = side_by_side(PUBLISHED, numbers)
    return Measured(numbers, figure(runs), words, caption=caption_of(figure))


def measured(results: Results) -> pd.DataFrame:
    """Largest singular value, growth per step and excess over the bound, for each run."""
    stored = results.runs[results.runs["status"] == "finished"]
    singular = {
        run: np.linalg.norm(
            load_file(results.file_of(run, "params.safetensors"))[RECURRENT_KERNEL], 2
        )
        for run in stored["run"]
    }
    record = results.jacobians
    back = record["t"].max() - record["t"]
    bound = back * np.log10(record["run"].map(singular))
    record = record.assign(excess=record["log10_sensitivity"] - bound)
    growth = of_runs(record, sensitivity_decay, "growth")
    excess = of_runs(record, lambda own: float(own["excess"].max()), "excess")
    frame = growth.merge(excess[["run", "excess"]], on="run")
    kernels = stored[["run", "cell.recurrent_kernel"]]
    return frame.assign(singular=frame["run"].map(singular)).merge(kernels, on="run")


def judged(runs: pd.DataFrame) -> list[Number]:
    """Shares that vanish and explode, on each side of 1, and what the bound says."""
    found = []
    for side, own in {BELOW: runs[runs["singular"] < 1], ABOVE: runs[runs["singular"] > 1]}.items():
        for share, happens in {VANISH: own["growth"] < 0, EXPLODE: own["growth"] > 0}.items():
            if len(own):
                interval = share_interval(int(happens.sum()), len(own), comparisons=2)
                found.append(number(share, side, interval, len(own), 2))
    exploding = runs.loc[runs["growth"] > 0, "singular"]
    if len(exploding):
        found.append(_exact(SMALLEST, "runs that explode", exploding.min(), len(exploding)))
    return [*found, _exact(EXCESS, "all runs", runs["excess"].max(), len(runs))]


def _exact(quantity: str, of: str, value: float, runs: int) -> Number:
    """The least or greatest of all runs, which is what it is."""
    exact = float(value)
    return Number(quantity, of, exact, exact, exact, runs, "exact: of all runs")


def figure(runs: pd.DataFrame) -> Figure:
    """Each run by its largest singular value and its growth; nothing may lie above the bound.

    Open marks are runs that vanish, filled ones explode: growth above 0 (dotted). Published are the
    bound (line), and that a singular value above 1 (dotted) is necessary for growth above 0.
    """
    drawn, axes = panels(1, 1)
    drawn.set_size_inches(4.8, 3.2)
    ax = axes[0, 0]
    for index, (kernel, own) in enumerate(runs.groupby("cell.recurrent_kernel", sort=False)):
        look = category(index).line | {"linestyle": "", "markeredgewidth": 0.6}
        label = KERNELS.get(str(kernel), str(kernel))
        grows = own["growth"] > 0
        ax.plot(own["singular"][grows], own["growth"][grows], label=label, **look)
        look |= {"markerfacecolor": "none"}
        ax.plot(own["singular"][~grows], own["growth"][~grows], label=f"{label}, vanishes", **look)
    x = np.geomspace(runs["singular"].min(), runs["singular"].max(), 100)
    low, high = ax.get_ylim()
    ax.plot(
        x,
        np.log10(x),
        color="0.4",
        linewidth=0.8,
        label=r"published bound, $\log_{10}\sigma_{\max}(U)$",
    )
    ax.axhline(0, color="0.4", linewidth=0.6, linestyle=":")
    ax.axvline(1, color="0.4", linewidth=0.6, linestyle=":", label="published: 1 is necessary")
    ax.set_ylim(low, high)
    ax.set_xscale("log")
    ax.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    ax.minorticks_off()
    ax.set_xlabel(r"largest singular value of $U$, $\sigma_{\max}(U)$")
    ax.set_ylabel(r"growth of $\log_{10}\|\partial h_T/\partial h_t\|_2$ per step back")
    figure_legend(drawn, [ax], [])
    return drawn


HEADLINES = [Headline(VANISH, [ABOVE], "share of the runs with a {of} whose gradient vanishes")]
analyse = reproduction(
    measure, PUBLISHED, has_standard_figures=False, headlines=HEADLINES, says=__doc__
)
