"""Claim: a vanilla RNN's gradient decays exponentially with distance; LSTM and GRU slow it down.

Of the RNN: Hochreiter 1991, Bengio, Simard & Frasconi 1994; of the others, Hochreiter & Schmidhuber
1997 and Cho et al. 2014.

What is judged is ‖∂L/∂h_t‖ of the memory loss before training, on 20 seeds, on both tasks at
T = 200, with recurrent kernels U(±1/√n) (PyTorch's) and orthogonal ones. The claim says:

* the RNN's gradient decays: decades per step back in time, below 0;
* exponentially: R² of the straight line of log10‖∂L/∂h_t‖ against distance, above 0.95;
* LSTM (b_f = 1) and GRU (b_z = 0) slow it down: their decades per step less the RNN's with the same
  kernel, paired by seed, above 0.

Each by its whole 95 % interval, widened for all that are judged together; the claim is supported if
all hold, refuted if one is on the other side, else undecided. A claim that names no initialisation
has to hold for both kernels. Reported and not judged, with intervals that are not widened:
‖∂L/∂c_t‖, how far norms are from the line, and what becomes of the decay while training, on 5 seeds
and at shorter T.
"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.gradients.decay import decay_per_step, half_life, residual, straightness
from rnnlab.report.claims.evidence import (
    Number,
    cell_labels,
    differences,
    estimate,
    in_words,
    mean_of,
    numbers_frame,
    of_runs,
)
from rnnlab.report.claims.verdict import Verdict, all_of, is_above, is_below, of_parts
from rnnlab.report.figures.gradient_decay import gradient_decay
from rnnlab.report.figures.records import settings_of
from rnnlab.report.figures.style import figure_legend, panels, seed_band
from rnnlab.report.findings import Findings, standard_findings
from rnnlab.results.intervals import Estimate
from rnnlab.results.read import Results

KERNELS = ("uniform", "orthogonal")
RNNS = [f"RNN, recurrent_kernel = {kernel}" for kernel in KERNELS]
SLOWER = [
    (f"{gated}, recurrent_kernel = {kernel}", f"RNN, recurrent_kernel = {kernel}")
    for gated in ("LSTM, b_f = 1", "GRU, b_z = 0")
    for kernel in KERNELS
]
PLACES = ("adding, T = 200", "copy, T = 200")
DECAY, STRAIGHT = "decades per step before training", "R² before training"
RESIDUAL = "decades from the line (rms) before training"
STRAIGHT_ENOUGH = 0.95
EVERY = 500


def analyse(results: Results) -> Findings:
    """Decay by cell and task, before training and through it."""
    standard = standard_findings(results)
    before, training = of_cells(results.before_training), of_cells(results)
    cells = list(dict.fromkeys([*before["setting"], *training["setting"]]))
    before, training = (
        frame.assign(setting=pd.Categorical(frame["setting"], cells, ordered=True))
        for frame in (before, training)
    )
    numbers = numbers_frame([*judged(of_h(before)), *of_c(before), *trained(training)])
    figures = {"vanishing": figure(of_h(before), of_h(training))} | standard.figures
    return Findings(standard.table, figures, text(numbers), numbers, decide(numbers))


def of_cells(results: Results) -> pd.DataFrame:
    """Gradients of each run, with its task and T as ``place``, and its cell as ``setting``."""
    runs = results.runs
    places = zip(runs["task.kind"], runs["task.length"], strict=True)
    facts = pd.DataFrame(
        {
            "run": runs["run"],
            "setting": cell_labels(runs),
            "place": [f"{task}, T = {length}" for task, length in places],
        }
    )
    return results.gradients.drop(columns="setting").merge(facts, on="run")


def of_h(gradients: pd.DataFrame) -> pd.DataFrame:
    """‖∂L/∂h_t‖, which every cell has."""
    return gradients[gradients["quantity"] == "h"]


def judged(before: pd.DataFrame) -> list[Number]:
    """Decay and straightness at step 0, and how much slower LSTM and GRU decay, by place."""
    found: list[Number] = []
    for place in PLACES:
        own = before[(before["place"] == place) & (before["step"] == 0)]
        values = of_runs(own, _decay, DECAY)
        straight = of_runs(own, _straightness, STRAIGHT)
        many = len(PLACES) * (2 * len(RNNS) + len(SLOWER))
        of_place = [
            *mean_of(values, DECAY, many),
            *mean_of(straight, STRAIGHT, many),
            *differences(values, DECAY, SLOWER, many),
            *mean_of(of_runs(own, _residual, RESIDUAL), RESIDUAL),
        ]
        found += [number._replace(of=f"{place}: {number.of}") for number in of_place]
    return found


def of_c(before: pd.DataFrame) -> list[Number]:
    """Decay, straightness and residual of ‖∂L/∂c_t‖ at step 0, where the cell has a c."""
    found: list[Number] = []
    for place, own in before[before["quantity"] == "c"].groupby("place", sort=False):
        for quantity, value in ((DECAY, _decay), (STRAIGHT, _straightness), (RESIDUAL, _residual)):
            means = mean_of(of_runs(own[own["step"] == 0], value, quantity), quantity)
            found += [number._replace(of=f"{place}, c: {number.of}") for number in means]
    return found


def trained(training: pd.DataFrame) -> list[Number]:
    """Decay every 500 training steps."""
    found: list[Number] = []
    recorded = training[training["step"] % EVERY == 0]
    for (quantity, place, step), own in recorded.groupby(["quantity", "place", "step"], sort=False):
        name = f"decades per step at training step {step}"
        means = mean_of(of_runs(own, _decay, name), name)
        of = place if quantity == "h" else f"{place}, {quantity}"
        found += [number._replace(of=f"{of}: {number.of}") for number in means]
    return found


def _decay(record: pd.DataFrame) -> float:
    return decay_per_step(record["log10_mean"], record["distance"])


def _straightness(record: pd.DataFrame) -> float:
    return straightness(record["log10_mean"], record["distance"])


def _residual(record: pd.DataFrame) -> float:
    return residual(record["log10_mean"], record["distance"])


def decide(numbers: pd.DataFrame) -> Verdict:
    """By the rule above."""
    parts = {}
    for rnn in RNNS:
        decays, straight = (
            [estimate(numbers, quantity, f"{place}: {rnn}") for place in PLACES]
            for quantity in (DECAY, STRAIGHT)
        )
        parts[f"{_short(rnn)} decays"] = all_of(*(is_below(decay, 0) for decay in decays))
        exponential = (is_above(one, STRAIGHT_ENOUGH) for one in straight)
        parts[f"{_short(rnn)} exponentially"] = all_of(*exponential)
    for gated, rnn in SLOWER:
        slower = [estimate(numbers, DECAY, f"{place}: {gated} − {rnn}") for place in PLACES]
        of = f"{_short(gated)} more slowly than the RNN"
        parts[of] = all_of(*(is_above(one, 0) for one in slower))
    names = dict.fromkeys([*RNNS, *(gated for gated, _ in SLOWER)])
    halves = []
    for of in names:
        steps = [in_words(_half_life(numbers, f"{place}: {of}")) for place in PLACES]
        halves.append(f"{_short(of)}: halved every {' and '.join(steps)} steps")
    evidence = f"on {' and '.join(PLACES)}; {'; '.join(halves)}. {of_parts(parts)}"
    return Verdict(all_of(*parts.values()), evidence)


def _short(cell: str) -> str:
    return cell.replace("recurrent_kernel = ", "")


def _half_life(numbers: pd.DataFrame, of: str) -> Estimate:
    return Estimate(*map(half_life, estimate(numbers, DECAY, of)))


def text(numbers: pd.DataFrame) -> str:
    """A line for each cell and task."""
    lines = []
    for of in numbers.loc[numbers["quantity"] == STRAIGHT, "of"]:
        decay, straight, off = (
            in_words(estimate(numbers, quantity, of)) for quantity in (DECAY, STRAIGHT, RESIDUAL)
        )
        lines.append(
            f"{of}: {decay} decades per step before training, half-life "
            f"{in_words(_half_life(numbers, of))} steps, R² {straight}, {off} decades from "
            "the line (rms)"
        )
    return "\n".join(lines)


def figure(before: pd.DataFrame, training: pd.DataFrame) -> Figure:
    """Gradient against distance before training and at its end, and its decay while training.

    A row a task. Lines end where norms read zero in half of the runs, bands where they do in one.
    """
    before, training = (
        frame.assign(setting=frame["setting"].cat.rename_categories(_short))
        for frame in (before, training)
    )
    drawn, axes = panels(len(PLACES), 3)
    for column, frame in zip(axes.T[:2], (before, training), strict=True):
        for ax, place in zip(column, sorted(frame["place"].unique()), strict=True):
            own = frame[frame["place"] == place]
            gradient_decay(own, ax, quantity="h", step=int(own["step"].max()))
            ax.set_title(f"{place}, {ax.get_title()}")
    for ax, place in zip(axes[:, 2], sorted(training["place"].unique()), strict=True):
        decay_while_training(training[training["place"] == place], ax)
        ax.set_title(f"{place}, while training")
    for at_start, at_end, _ in axes:
        lows, highs = zip(at_start.get_ylim(), at_end.get_ylim(), strict=True)
        at_start.set_ylim(min(lows), max(highs))
        at_end.sharey(at_start)
        at_end.set_ylabel("")
    for ax in axes[0]:
        ax.set_xlabel("")
    figure_legend(drawn, list(axes.flat), settings_of(before) + settings_of(training))
    return drawn


def decay_while_training(training: pd.DataFrame, ax: Axes) -> None:
    """Decades per step at every record, one line a cell."""
    rows = training.groupby(["setting", "seed", "step"], observed=True)
    decays = rows[["log10_mean", "distance"]].apply(_decay).rename("decay").reset_index()
    for index, cell in enumerate(settings_of(training)):
        own = decays[decays["setting"] == cell]
        if not own.empty:
            seed_band(
                ax, own.pivot_table(index="step", columns="seed", values="decay"), index, cell
            )
    ax.set_xlabel("training step")
    ax.set_ylabel("decades per step")
