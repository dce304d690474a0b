"""Claim: a vanilla RNN's gradient decays exponentially with distance; LSTM and GRU slow it down.

What is judged is ‖∂L/∂h_t‖ of the memory loss before training, on 20 seeds, on both tasks, with
recurrent kernels U(±1/√n) (PyTorch's) and orthogonal ones. The claim says three things:

* the RNN's gradient decays: decades per step back in time, below 0;
* exponentially: R² of the straight line of log10‖∂L/∂h_t‖ against distance, above 0.95;
* LSTM (b_f = 1) and GRU slow it down: their decades per step less the RNN's with the same kernel,
  paired by seed, above 0.

Each by its whole 95 % interval, widened for all that are judged together; the claim is supported if
all hold, refuted if one is on the other side, else undecided. A claim that names no initialisation
has to hold for both kernels. What becomes of the decay while training, on 6 seeds, is reported and
not judged.
"""

import pandas as pd
from matplotlib.figure import Figure

from rnnlab.analysis import decay_per_step, half_life, straightness
from rnnlab.evidence import (
    Number,
    cell_labels,
    differences,
    estimate,
    in_words,
    mean_of,
    numbers_frame,
    of_runs,
)
from rnnlab.figures.gradient_decay import gradient_decay
from rnnlab.figures.style import figure_legend, panels, settings_of
from rnnlab.findings import Findings, standard_findings
from rnnlab.intervals import Estimate
from rnnlab.results import Results
from rnnlab.verdict import Verdict, all_of, is_above, is_below

KERNELS = ("uniform", "orthogonal")
RNNS = [f"RNN, recurrent_kernel = {kernel}" for kernel in KERNELS]
SLOWER = [
    (f"{gated}, recurrent_kernel = {kernel}", f"RNN, recurrent_kernel = {kernel}")
    for gated in ("LSTM, b_f = 1", "GRU, b_z = 0")
    for kernel in KERNELS
]
TASKS = ("adding", "copy")
DECAY, STRAIGHT = "decades per step before training", "R² before training"
TRAINED = "decades per step at the end of training"
STRAIGHT_ENOUGH = 0.95


def analyse(results: Results) -> Findings:
    """Decay by cell and task, before training and at its end."""
    standard = standard_findings(results)
    before, at_end = of_cells(results.initial), of_cells(results)
    cells = list(dict.fromkeys([*before["setting"], *at_end["setting"]]))
    before, at_end = (
        frame.assign(setting=pd.Categorical(frame["setting"], cells, ordered=True))
        for frame in (before, at_end)
    )
    numbers = numbers_frame([*judged(before), *trained(at_end)])
    figures = {"vanishing": figure(before, at_end)} | standard.figures
    return Findings(standard.table, figures, text(numbers), numbers, decide(numbers))


def of_cells(results: Results) -> pd.DataFrame:
    """‖∂L/∂h_t‖ of the top layer, with the ``task`` of each run, and its cell as ``setting``."""
    runs = results.runs.assign(cell=cell_labels(results.runs))[["run", "cell", "task.kind"]]
    gradients = results.gradients
    gradients = gradients[gradients["quantity"] == "h"].drop(columns="setting")
    return gradients.merge(runs, on="run").rename(columns={"cell": "setting", "task.kind": "task"})


def judged(before: pd.DataFrame) -> list[Number]:
    """Decay and straightness at step 0, and how much slower LSTM and GRU decay, by task."""
    found: list[Number] = []
    for task in TASKS:
        own = before[(before["task"] == task) & (before["step"] == 0)]
        values = of_runs(own, _decay, DECAY)
        straight = of_runs(own, _straightness, STRAIGHT)
        many = len(TASKS) * (2 * len(RNNS) + len(SLOWER))
        of_task = [
            *mean_of(values, DECAY, many),
            *mean_of(straight, STRAIGHT, many),
            *differences(values, DECAY, SLOWER, many),
        ]
        found += [number._replace(of=f"{task}: {number.of}") for number in of_task]
    return found


def trained(at_end: pd.DataFrame) -> list[Number]:
    """Decay at the last record."""
    found: list[Number] = []
    for task, own in at_end.groupby("task", sort=False):
        last = own[own["step"] == own.groupby("run")["step"].transform("max")]
        values = of_runs(last, _decay, TRAINED)
        found += [number._replace(of=f"{task}: {number.of}") for number in mean_of(values, TRAINED)]
    return found


def _decay(record: pd.DataFrame) -> float:
    return decay_per_step(record["log10_mean"], record["distance"])


def _straightness(record: pd.DataFrame) -> float:
    return straightness(record["log10_mean"], record["distance"])


def decide(numbers: pd.DataFrame) -> Verdict:
    """By the rule above."""
    answers = []
    for task in TASKS:
        for rnn in RNNS:
            answers += [
                is_below(estimate(numbers, DECAY, f"{task}: {rnn}"), 0),
                is_above(estimate(numbers, STRAIGHT, f"{task}: {rnn}"), STRAIGHT_ENOUGH),
            ]
        for gated, rnn in SLOWER:
            answers.append(is_above(estimate(numbers, DECAY, f"{task}: {gated} − {rnn}"), 0))
    names = dict.fromkeys([*RNNS, *(gated for gated, _ in SLOWER)])
    halves = (f"{of} {in_words(_half_life(numbers, f'{TASKS[0]}: {of}'))}" for of in names)
    return Verdict(all_of(*answers), f"half-life in steps, {TASKS[0]}: " + "; ".join(halves))


def _half_life(numbers: pd.DataFrame, of: str) -> Estimate:
    return Estimate(*map(half_life, estimate(numbers, DECAY, of)))


def text(numbers: pd.DataFrame) -> str:
    """A line for each cell and task."""
    lines = []
    for of in numbers.loc[numbers["quantity"] == STRAIGHT, "of"]:
        decay, straight = (estimate(numbers, quantity, of) for quantity in (DECAY, STRAIGHT))
        lines.append(
            f"{of}: {in_words(decay)} decades per step before training, half-life "
            f"{in_words(_half_life(numbers, of))} steps, R² {in_words(straight)}"
        )
    return "\n".join(lines)


def figure(before: pd.DataFrame, at_end: pd.DataFrame) -> Figure:
    """Before training and at its end (columns), for each task (rows)."""
    drawn, axes = panels(len(TASKS), 2, sharey=True)
    for row, task in zip(axes, TASKS, strict=True):
        for ax, frame in zip(row, (before, at_end), strict=True):
            own = frame[frame["task"] == task]
            gradient_decay(own, ax, quantity="h", step=int(own["step"].max()))
            ax.set_title(f"{task}, {ax.get_title()}")
        row[1].set_ylabel("")
    for ax in axes[0]:
        ax.set_xlabel("")
    figure_legend(drawn, list(axes.flat), settings_of(before) + settings_of(at_end))
    return drawn
