"""Claim: an RNN's decay, set by the gain of its weights, is hard to tune; an LSTM's, by b_f, easy.

"Slightly off" the gain, the gradient explodes or vanishes; b_f, which is added, forgives. Judged
before training, on 20 seeds at T = 50, 200 and 1000, is ‖∂h_T/∂h_1‖₂ of the RNN (orthogonal and
U(±1/√n) kernels) against its gain, and ‖∂c_T/∂c_1‖₂ of the LSTM (gain 1) against b_f. A setting is
*within bounds* if the norm is in [10⁻³, 10³]; log10 of it is interpolated along straight lines
between settings, for each seed.

A ratio of gains and a difference of b_f have different units. Two yardsticks make them comparable,
and a comparison counts only where both agree:

* *width* of what is within bounds, in e-folds: of the gain, and of the odds f/(1 − f), whose
  logarithm b_f is (for f near 1 the time scale 1/(1 − f)). To first order, with an RNN whose norm
  is gain^T and an LSTM whose norm is f^T, a change by ε shifts log10 of it by ε T/ln 10 and by
  ε (1 − f) T/ln 10. Where the end of the grid is within bounds, the width is only a lower bound;
* *share* of the range that is in use: gains that give a spectral radius of ½ to 2, on a logarithmic
  scale (U(±1/√n) has 0.58, orthogonal kernels 1, those for relu √2), and b_f from 0 (Flax) to
  7 ≈ ln 1000 (the longest of chrono for 1,000 steps).

The claim says four things:

* the RNN is hard: off by 10 % each way is too far, width below ln 1.1 − ln 0.9 = 0.2 e-folds, at
  T = 200 and 1000, with both kernels (at T = 50 even gain^T gives 0.28);
* the LSTM is easy: width above 1 at every T;
* the LSTM is easier: width and share above the RNN's, paired by seed, at every T, both kernels;
* so it is when trained: adding at T = 100, five settings evenly over the range in use, 6 seeds: the
  share of a seed's five runs that solve it is above that of the RNN with orthogonal kernels.
  Undecided if the RNN solves it with no gain: what it cannot learn is then not told from what is
  hard to tune.

Each by its whole 95 % interval (medians over seeds; of what is trained, means by Student's t, which
takes shares in steps of a fifth for normal), widened for all that are judged together; supported if
all hold, refuted if one is on the other side, else undecided. A run that diverges is unsolved.
Where a setting is within bounds, and how steep the norm is where it is 1, is reported, not judged.
"""

import itertools
import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.claims.evidence import (
    Number,
    bounded_difference,
    differences,
    ended,
    estimate,
    in_words,
    mean_of,
    number,
    numbers_frame,
)
from rnnlab.report.claims.verdict import Answer, Verdict, all_of, is_above, is_below, of_parts
from rnnlab.report.figures.sensitivity import sensitivity_with_zeros
from rnnlab.report.figures.style import line_style, panels, seed_band
from rnnlab.report.findings import Findings, standard_findings
from rnnlab.results.intervals import (
    Estimate,
    bounded_median_interval,
    median_interval,
    share_interval,
)
from rnnlab.results.read import Results

LENGTHS, LONG = (50, 200, 1000), (200, 1000)
# Of a large kernel of gain 1.
RADIUS = {"orthogonal": 1.0, "uniform": 3**-0.5}
RNNS, LSTM = tuple(f"RNN, {kernel}" for kernel in RADIUS), "LSTM"
IN_USE = dict.fromkeys(RNNS, (math.log(0.5), math.log(2.0))) | {LSTM: (0.0, 7.0)}
BOUND, LOWEST = 3.0, -1e6
SLIGHTLY_OFF = math.log(1.1 / 0.9)
EASY = 1.0
WIDTH, SHARE = "width within bounds, e-folds", "share of the range in use within bounds"
LOWEST_WITHIN = "lowest setting within bounds, e-folds"
STEEPNESS = "decades per e-fold where the norm is 1"
SOLVED = "share solved of the range in use"
JUDGED = len(RNNS) * len(LONG) + len(LENGTHS) + 2 * len(RNNS) * len(LENGTHS) + 1


class Window(NamedTuple):
    """What is within bounds of a sweep, of one seed.

    Attributes:
        at_least: its width, or, where an end of the sweep is within, a lower bound.
        at_most: its width, or ∞.
        share: of the range in use.
        lowest: setting within bounds; NaN if none is.
        steepness: slope where the norm first rises to 1; NaN if it never does.
    """

    at_least: float
    at_most: float
    share: float
    lowest: float
    steepness: float


def analyse(results: Results) -> Findings:
    """Widths before training, and what was solved."""
    standard = standard_findings(results)
    before, runs = measured(results.before_training), trained(results.runs)
    numbers = numbers_frame([*judged(windows(before)), *solved(runs)])
    figures = {"sensitivity_of_control": figure(before, runs, numbers)} | standard.figures
    return Findings(standard.table, figures, text(numbers), numbers, decide(numbers))


def measured(results: Results) -> pd.DataFrame:
    """log10 of the norm at t = 1 of every run, with its ``cell``, ``setting`` and ``length``."""
    jacobians = results.jacobians
    first = jacobians[(jacobians["step"] == 0) & (jacobians["t"] == 1)]
    first = first.assign(log10=sensitivity_with_zeros(first))[["run", "seed", "log10"]]
    return first.merge(named(results.runs).drop(columns="seed"), on="run")


def trained(runs: pd.DataFrame) -> pd.DataFrame:
    """One row a run that ended: ``cell``, ``setting``, ``seed``, ``solved``."""
    runs = ended(runs)
    return named(runs).assign(solved=runs["solved_at"].notna().astype(float))


def named(runs: pd.DataFrame) -> pd.DataFrame:
    """The settings of the sweeps in e-folds: ln of the spectral radius, or b_f."""
    is_lstm, kernel = runs["cell.kind"] == "lstm", runs["cell.recurrent_kernel"]
    radius = runs["cell.recurrent_gain"].astype(float) * kernel.map(RADIUS)
    setting = np.log(radius).mask(is_lstm, runs["cell.forget_bias"].astype(float))
    cell = ("RNN, " + kernel).mask(is_lstm, LSTM)
    same = {"run": runs["run"], "seed": runs["seed"], "length": runs["task.length"]}
    return pd.DataFrame(same | {"cell": cell, "setting": setting})


def windows(before: pd.DataFrame) -> pd.DataFrame:
    """The ``Window`` of each cell, length and seed."""
    rows = []
    for (cell, length, seed), own in before.groupby(["cell", "length", "seed"]):
        sweep = own.sort_values("setting")
        found = window(sweep["setting"].to_numpy(), sweep["log10"].to_numpy(), *IN_USE[str(cell)])
        rows.append({"cell": cell, "length": length, "seed": seed, **found._asdict()})
    return pd.DataFrame(rows)


def window(setting: np.ndarray, log10: np.ndarray, low: float, high: float) -> Window:
    """What is within bounds, where settings from ``low`` to ``high`` are in use."""
    log10 = np.maximum(log10, LOWEST)
    start, end = within(log10)
    steps = np.diff(setting)
    width = float(((end - start) * steps).sum())
    is_bounded = min(abs(log10[0]), abs(log10[-1])) > BOUND
    lowest = (setting[:-1] + start * steps)[end > start]
    rises = (log10[:-1] < 0) & (log10[1:] >= 0)
    inner = setting[(setting > low) & (setting < high)]
    in_use = np.concatenate([[low], inner, [high]])
    used_start, used_end = within(np.interp(in_use, setting, log10))
    return Window(
        width,
        width if is_bounded else math.inf,
        float(((used_end - used_start) * np.diff(in_use)).sum() / (high - low)),
        float(lowest[0]) if len(lowest) else math.nan,
        float((np.diff(log10) / steps)[rises][0]) if rises.any() else math.nan,
    )


def within(log10: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From and to which fraction of each straight piece it is within bounds."""
    rise = np.diff(log10)
    rise = np.where(rise == 0, 1e-12, rise)
    crossings = np.sort([(bound - log10[:-1]) / rise for bound in (-BOUND, BOUND)], axis=0)
    start, end = np.clip(crossings, 0, 1)
    return start, end


def judged(found: pd.DataFrame) -> list[Number]:
    """Of every cell and length, and of the LSTM less the RNN."""
    numbers: list[Number] = []
    for length in LENGTHS:
        same = found[found["length"] == length].set_index("seed")
        by_cell = {cell: same[same["cell"] == cell] for cell in (*RNNS, LSTM)}
        for cell, own in by_cell.items():
            numbers += of_cell(f"{cell}, T = {length}", own)
        for rnn in RNNS:
            numbers += easier(f"{LSTM} − {rnn}, T = {length}", by_cell[LSTM], by_cell[rnn])
    return numbers


def of_cell(name: str, own: pd.DataFrame) -> list[Number]:
    """Medians over seeds."""
    width = bounded_median_interval(own["at_least"], own["at_most"], JUDGED)
    steep = own["steepness"].dropna()
    return [
        number(WIDTH, name, width, len(own)),
        number(SHARE, name, median_interval(own["share"], JUDGED), len(own)),
        number(LOWEST_WITHIN, name, median_interval(own["lowest"]), len(own)),
        number(STEEPNESS, name, median_interval(steep), len(steep)),
    ]


def easier(name: str, lstm: pd.DataFrame, rnn: pd.DataFrame) -> list[Number]:
    """Medians of differences, paired by seed."""
    share = (lstm["share"] - rnn["share"]).dropna()
    return [
        bounded_difference(WIDTH, name, lstm, rnn, JUDGED),
        number(SHARE, name, median_interval(share, JUDGED), len(share)),
    ]


def solved(runs: pd.DataFrame) -> list[Number]:
    """Mean over seeds of the share of settings that solve the task."""
    values = runs.groupby(["cell", "seed"])["solved"].mean().rename(SOLVED).reset_index()
    pairs = [(LSTM, RNNS[0])]
    return [
        *mean_of(values, SOLVED, by="cell"),
        *differences(values, SOLVED, pairs, JUDGED, by="cell"),
    ]


def decide(numbers: pd.DataFrame) -> Verdict:
    """By the rule above."""
    found = parts(numbers)
    return Verdict(all_of(*found.values()), f"{evidence(numbers)}. {of_parts(found)}")


def parts(numbers: pd.DataFrame) -> dict[str, Answer]:
    """What the claim says, each with its answer."""
    found = {}
    for rnn, length in itertools.product(RNNS, LONG):
        width = estimate(numbers, WIDTH, f"{rnn}, T = {length}")
        found[f"{rnn} hard at T = {length}"] = is_below(width, SLIGHTLY_OFF)
    for length in LENGTHS:
        width = estimate(numbers, WIDTH, f"{LSTM}, T = {length}")
        found[f"{LSTM} easy at T = {length}"] = is_above(width, EASY)
    for rnn, length in itertools.product(RNNS, LENGTHS):
        name = f"{LSTM} − {rnn}, T = {length}"
        by_width, by_share = (is_above(estimate(numbers, of, name), 0.0) for of in (WIDTH, SHARE))
        easier = by_width if by_width is by_share else Answer.UNDECIDED
        found[f"{LSTM} easier than {rnn} at T = {length}"] = easier
    more = estimate(numbers, SOLVED, f"{LSTM} − {RNNS[0]}")
    is_learnt = estimate(numbers, SOLVED, RNNS[0]).mean > 0
    trained = is_above(more, 0.0) if is_learnt else Answer.UNDECIDED
    return found | {"easier when trained": trained}


def evidence(numbers: pd.DataFrame) -> str:
    """Widths at each length in their own units, shares of the range in use, what was solved."""
    words = []
    for cell in (*RNNS, LSTM):
        widths, shares = (
            [estimate(numbers, quantity, f"{cell}, T = {length}") for length in LENGTHS]
            for quantity in (WIDTH, SHARE)
        )
        written = ", ".join(in_words(one if cell == LSTM else ratio(one)) for one in widths)
        what = "b_f over a range of" if cell == LSTM else "gain by a factor of"
        used = ", ".join(in_words(share, ".2f") for share in shares)
        words.append(f"{cell}, {what} {written} ({used} of the range in use)")
    rnn, lstm = (f"{estimate(numbers, SOLVED, cell).mean:.2f}" for cell in (RNNS[0], LSTM))
    more = in_words(estimate(numbers, SOLVED, f"{LSTM} − {RNNS[0]}"), ".2f")
    words.append(f"share of its settings that solve the task: {LSTM} {lstm}, {RNNS[0]} {rnn}")
    lengths, hard = ", ".join(map(str, LENGTHS)), math.exp(SLIGHTLY_OFF)
    return (
        f"within 10^±3 at T = {lengths} (hard: by a factor below {hard:.3g}); {'; '.join(words)}, "
        f"difference {more}"
    )


def ratio(width: Estimate) -> Estimate:
    """Of the greatest to the least gain within bounds."""
    return Estimate(*map(math.exp, width))


def text(numbers: pd.DataFrame) -> str:
    """A line for each cell and length."""
    lines = []
    for cell, length in itertools.product((*RNNS, LSTM), LENGTHS):
        width, share, lowest, steep = (
            in_words(estimate(numbers, quantity, f"{cell}, T = {length}"))
            for quantity in (WIDTH, SHARE, LOWEST_WITHIN, STEEPNESS)
        )
        what = "b_f" if cell == LSTM else "ln radius"
        lines.append(
            f"{cell}, T = {length}: within bounds over {width} e-folds, from {what} {lowest} on; "
            f"{share} of the range in use; {steep} decades per e-fold where the norm is 1"
        )
    return "\n".join(lines)


def figure(before: pd.DataFrame, runs: pd.DataFrame, numbers: pd.DataFrame) -> Figure:
    """Norms against the gain and b_f; width and share of what is within bounds, by T.

    Grey: within bounds. Below, left and middle: the share of six runs that solve the task, with
    its interval, which is wide even where none does. Arrows: the grid ends before the range does.
    """
    drawn, axes = panels(2, 3, sharex="col")
    titles = {RNNS[0]: "RNN, orthogonal kernels", LSTM: "LSTM"}
    for (above, below), (cell, title) in zip(axes.T, titles.items(), strict=False):
        norms_by_setting(above, before[before["cell"] == cell])
        solved_by_setting(below, runs[runs["cell"] == cell])
        above.set_title(title)
        below.set_xlabel("$b_f$" if cell == LSTM else "gain")
    axes[0, 0].set_ylabel(r"$\log_{10}\|\partial h_T/\partial h_1\|_2$")
    axes[0, 1].set_ylabel(r"$\log_{10}\|\partial c_T/\partial c_1\|_2$")
    axes[1, 0].set_ylabel("share of runs solved, T = 100")
    axes[1, 0].set_xscale("log", base=2)
    axes[1, 0].set_xticks([0.5, 1, 2, 4], ["½", "1", "2", "4"])
    axes[0, 0].legend(fontsize=6, loc="lower right")
    by_length(axes[0, 2], numbers, WIDTH)
    by_length(axes[1, 2], numbers, SHARE)
    lengths = np.array(LENGTHS)
    first_order = 2 * BOUND * math.log(10) / lengths
    axes[0, 2].plot(lengths, first_order, color="0.6", linewidth=0.8, label="norm = gain$^T$")
    axes[0, 2].set_yscale("log")
    axes[0, 2].set_ylim(bottom=1e-3)
    axes[0, 2].set_ylabel("width within bounds, e-folds")
    axes[0, 2].legend(fontsize=6, loc="lower left")
    axes[1, 2].set_ylim(-0.05, 1.05)
    axes[1, 2].set_ylabel("share of range in use")
    axes[1, 2].set_xlabel("T")
    axes[1, 2].set_xscale("log")
    axes[1, 2].set_xticks(LENGTHS, map(str, LENGTHS))
    axes[1, 2].minorticks_off()
    return drawn


def norms_by_setting(ax: Axes, own: pd.DataFrame) -> None:
    """log10 of the norm, one line a length; grey is within bounds."""
    for index, length in enumerate(LENGTHS):
        same = own[own["length"] == length]
        wide = same.pivot_table(index="setting", columns="seed", values="log10")
        wide.index = on_axis(same["cell"].iloc[0], wide.index)
        seed_band(ax, wide, index, f"T = {length}")
    ax.axhspan(-BOUND, BOUND, color="0.92", zorder=0)
    ax.set_ylim(-20, 20)


def solved_by_setting(ax: Axes, own: pd.DataFrame) -> None:
    """Share of the seeds that solve the task, with its interval."""
    for setting, values in own.groupby("setting")["solved"]:
        share = share_interval(int(values.sum()), len(values))
        at = on_axis(own["cell"].iloc[0], np.array([setting]))
        bars = [[share.mean - share.low], [share.high - share.mean]]
        ax.errorbar(at, [share.mean], bars, **line_style(0) | {"linestyle": ""})
    ax.set_ylim(-0.05, 1.05)


def on_axis(cell: str, setting: np.ndarray | pd.Index) -> np.ndarray:
    """The gain of orthogonal kernels, or b_f."""
    values = np.asarray(setting, float)
    return values if cell == LSTM else np.exp(values)


def by_length(ax: Axes, numbers: pd.DataFrame, quantity: str) -> None:
    """Medians with intervals, beside each other; an arrow where there is no upper end."""
    for index, cell in enumerate((*RNNS, LSTM)):
        found = [estimate(numbers, quantity, f"{cell}, T = {length}") for length in LENGTHS]
        middle, low, high = (np.array(ends) for ends in zip(*found, strict=True))
        is_open = np.isinf(high)
        upper = np.where(is_open, 0.5 * middle, high - middle)
        style = line_style(index) | {"label": cell, "linewidth": 0.8}
        at = np.array(LENGTHS) * 1.06 ** (index - 1)
        ax.errorbar(at, middle, [middle - low, upper], lolims=is_open, **style)
