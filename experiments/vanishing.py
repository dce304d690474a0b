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

import itertools

import pandas as pd

from rnnlab.config.labels import kind_name
from rnnlab.gradients.decay import decay_per_step, half_life, residual, straightness
from rnnlab.report.claims.claim import Claim, Judged, Measured
from rnnlab.report.claims.evidence import (
    Number,
    at,
    bias_name,
    differences,
    mean_of,
    median_of,
    numbers_frame,
    of_line,
    of_runs,
    versus,
)
from rnnlab.report.claims.headline import Headline
from rnnlab.report.claims.rules import Judge, Part, Rule, above, below, if_measured, judged_together
from rnnlab.report.claims.verdict import of_parts
from rnnlab.report.claims.words import estimate, estimate_if_measured, in_words
from rnnlab.report.figures.captions import caption_of
from rnnlab.report.figures.decay_by_place import decay_by_place
from rnnlab.results.intervals import Estimate
from rnnlab.results.read import Results

KERNELS = ("uniform", "orthogonal")
RNN, GATED = "RNN", ("LSTM, b_f = 1", "GRU, b_z = 0")
PLACES = ("adding, T = 200", "copy, T = 200")
DECAY, STRAIGHT = "decades per step before training", "R² before training"
RESIDUAL = "decades from the line (rms) before training"
STRAIGHT_ENOUGH = 0.95
EVERY = 500


def name(cell: str, kernel: str) -> str:
    """The name of a cell's numbers."""
    return f"{cell}, recurrent_kernel = {kernel}"


def short(cell: str, kernel: str) -> str:
    """The name of a cell in the verdict and in the figure."""
    return f"{cell}, {kernel}"


def everywhere(says: str, quantity: str, of: str, judge: Judge) -> Part:
    """A number is on its side of a threshold on both tasks."""
    return Part(says, if_measured(*(Rule(quantity, f"{place}: {of}", judge) for place in PLACES)))


def of_rnn(kernel: str) -> list[Part]:
    """The RNN's gradient decays, and does so exponentially."""
    says, of, line = short(RNN, kernel), name(RNN, kernel), above(STRAIGHT_ENOUGH)
    return [
        everywhere(f"{says} decays", DECAY, of, below(0)),
        everywhere(f"{says} exponentially", STRAIGHT, of, line),
    ]


def slower(gated: str, kernel: str) -> Part:
    """The gradient decays more slowly than that of the RNN with the same kernel."""
    pair = versus((name(gated, kernel), name(RNN, kernel)))
    return everywhere(f"{short(gated, kernel)} more slowly than the RNN", DECAY, pair, above(0))


PARTS = [
    *(part for kernel in KERNELS for part in of_rnn(kernel)),
    *(slower(*cell) for cell in itertools.product(GATED, KERNELS)),
]


_decay, _straightness, _residual = map(of_line, (decay_per_step, straightness, residual))


def measure(results: Results) -> Measured:
    """Decay by cell and task, before training and through it."""
    before, training = of_cells(results.before_training), of_cells(results)
    numbers = numbers_frame([*judged(of_h(before)), *of_c(before), *trained(training)])
    drawn = decay_by_place(of_h(before), of_h(training))
    return Measured(numbers, drawn, text(numbers), caption=caption_of(decay_by_place))


def of_cells(results: Results) -> pd.DataFrame:
    """Gradients of each run: its task and T as ``place``, its cell and kernel as ``setting``.

    ``short`` is a shorter name of the setting.
    """
    runs = results.runs
    places = zip(runs["task.kind"], runs["task.length"], strict=True)
    cells = [_cell(run) for _, run in runs.iterrows()]
    facts = pd.DataFrame(
        {
            "run": runs["run"],
            "setting": [name(*cell) for cell in cells],
            "short": [short(*cell) for cell in cells],
            "place": [f"{task}, T = {length}" for task, length in places],
        }
    )
    return results.gradients.drop(columns="setting").merge(facts, on="run")


def _cell(run: pd.Series) -> tuple[str, str]:
    """The cell with its bias, and its recurrent kernel."""
    gate = {"lstm": ("cell.forget_bias", "b_f"), "gru": ("cell.update_bias", "b_z")}
    cell = kind_name(run["cell.kind"])
    if run["cell.kind"] in gate:
        key, symbol = gate[run["cell.kind"]]
        cell += f", {bias_name(run[key], symbol)}"
    return cell, run["cell.recurrent_kernel"]


def of_h(gradients: pd.DataFrame) -> pd.DataFrame:
    """‖∂L/∂h_t‖, which every cell has."""
    return gradients[gradients["quantity"] == "h"]


def judged(before: pd.DataFrame) -> list[Number]:
    """Decay and straightness at step 0, and how much slower LSTM and GRU decay, by place."""
    found: list[Number] = []
    pairs = [(name(gated, k), name(RNN, k)) for gated, k in itertools.product(GATED, KERNELS)]
    many = judged_together(PARTS)
    for place in PLACES:
        own = before[(before["place"] == place) & (before["step"] == 0)]
        values = of_runs(own, _decay, DECAY)
        straight = of_runs(own, _straightness, STRAIGHT)
        of_place = [
            *mean_of(values, DECAY, many),
            *mean_of(straight, STRAIGHT, many),
            *differences(values, DECAY, pairs, many),
            *mean_of(of_runs(own, _residual, RESIDUAL), RESIDUAL),
        ]
        found += at(place, of_place)
    return found


def of_c(before: pd.DataFrame) -> list[Number]:
    """Decay, straightness and residual of ‖∂L/∂c_t‖ at step 0, where the cell has a c."""
    found: list[Number] = []
    for place, own in before[before["quantity"] == "c"].groupby("place", sort=False):
        for quantity, value in ((DECAY, _decay), (STRAIGHT, _straightness), (RESIDUAL, _residual)):
            means = mean_of(of_runs(own[own["step"] == 0], value, quantity), quantity)
            found += at(f"{place}, c", means)
    return found


def trained(training: pd.DataFrame) -> list[Number]:
    """Decay every 500 training steps."""
    found: list[Number] = []
    recorded = training[training["step"] % EVERY == 0]
    for (quantity, place, step), own in recorded.groupby(["quantity", "place", "step"], sort=False):
        name = f"decades per step at training step {step}"
        medians = median_of(of_runs(own, _decay, name), name)
        found += at(f"{place}" if quantity == "h" else f"{place}, {quantity}", medians)
    return found


def evidence(judged: Judged) -> str:
    """Tell how fast each gradient decays, and which parts hold."""
    halves = []
    for cell in itertools.product((RNN, *GATED), KERNELS):
        of = (estimate_if_measured(judged.numbers, DECAY, f"{p}: {name(*cell)}") for p in PLACES)
        halves.append(f"{short(*cell)}: {' and '.join(map(pace, of))}")
    return f"on {' and '.join(PLACES)}; {'; '.join(halves)}. {of_parts(judged.answers)}"


def pace(decay: Estimate) -> str:
    """Write a decay as the steps that halve the gradient, or as the factor by which it grows."""
    if decay.mean > 0:
        return f"grows × {in_words(Estimate(*(10**end for end in decay)))} a step"
    return f"halved every {in_words(Estimate(*map(half_life, decay)))} steps"


def text(numbers: pd.DataFrame) -> str:
    """A line for each cell and task."""
    lines = []
    for of in numbers.loc[numbers["quantity"] == STRAIGHT, "of"]:
        decay, straight, off = (
            estimate(numbers, quantity, of) for quantity in (DECAY, STRAIGHT, RESIDUAL)
        )
        lines.append(
            f"{of}: {in_words(decay)} decades per step before training, {pace(decay)}, R² "
            f"{in_words(straight)}, {in_words(off)} decades from the line (rms)"
        )
    return "\n".join(lines)


HEADLINES = [
    Headline(
        DECAY,
        [f"{PLACES[0]}: {name(GATED[1], KERNELS[1])}"],
        "steps back in time that halve the gradient ({of})",
        shown=half_life,
    )
]
analyse = Claim("vanishing", measure, PARTS, evidence, headlines=HEADLINES, says=__doc__)
