"""Claim: an LSTM only mitigates; with many layers or long sequences gradients still vanish.

Judged before training, on 20 seeds of the adding task, is how much of the gradient reaches the
first layer's first step: log10‖∂L/∂h_0‖ there less that at the top layer's last step, where the
loss is read. It has *vanished* below −6: added to what late steps give the same weights, a
millionth of it keeps about one digit in float32. The claim names no forget bias, so it has to hold
for those in use, b_f = 1, b_f = 3 and chrono (to T), and says three things:

* mitigates: with one layer more is left than of an RNN with the same recurrent kernels, difference
  above 0 at T = 50, 200 and 500 (where both read zero it is undecided); orthogonal kernels, for
  b_f = 1 also U(±1/√n);
* still vanishes with many layers: below −6 with 8 layers at T = 50, and, so that it is not the
  length, above −6 with one;
* still vanishes with long sequences: below −6 with one layer at T = 2000.

It is h that is judged, which every cell has. The LSTM's gradient goes from h_T to earlier steps
through c, and back to h_0 through the gates: it loses a factor on the way that does not depend on
T, which favours the RNN.

Each by the whole 95 % interval of the median over seeds (differences paired by seed), widened for
all that are judged together; supported if all hold, refuted if one is on the other side, else
undecided. Norms below 2⁻¹²⁶ read zero: such a run counts as that or less, down to −∞. Other
numbers of layers, log10‖∂c_T/∂c_1‖₂ through the whole stack, which reads zero nowhere, and what
becomes of 1, 2 and 4 layers in training (T = 100, b_f = 1, 6 seeds, 32 units; 16 before training)
are reported, not judged.
"""

import functools
import math

import pandas as pd
from matplotlib.figure import Figure

from rnnlab.report.claims.claim import Claim, Judged, Measured
from rnnlab.report.claims.evidence import Number, bounded_difference, mean_of, number, numbers_frame
from rnnlab.report.claims.headline import Headline
from rnnlab.report.claims.learning import ended, solved
from rnnlab.report.claims.rules import Part, Rule, above, below, if_measured, judged_together
from rnnlab.report.claims.verdict import of_parts
from rnnlab.report.claims.words import estimate_if_measured, in_words
from rnnlab.report.figures.captions import caption_of
from rnnlab.report.figures.left_by_layers_and_length import left_by_layers_and_length
from rnnlab.results.intervals import Estimate, bounded_median_interval
from rnnlab.results.read import Results

LENGTHS, LAYERS = (50, 200, 500, 2000), (1, 2, 4, 8)
SHORT, LONG, DEEP = LENGTHS[0], LENGTHS[-1], LAYERS[-1]
COMPARED = LENGTHS[:-1]
TRAINED = 100
LSTMS = [f"LSTM, b_f {bias}, orthogonal" for bias in ("= 1", "= 3", "chrono")]
RNNS = ["RNN, orthogonal", "RNN, uniform"]
MITIGATES = [*((lstm, RNNS[0]) for lstm in LSTMS), ("LSTM, b_f = 1, uniform", RNNS[1])]
# A norm over up to 32 units that reads zero is at most this.
VANISHED, SMALLEST = -6.0, math.log10(2.0**-126 * math.sqrt(32))
LEFT = "log10 of the gradient at the first layer's first step over the last's"
LEFT_TRAINED = f"{LEFT}, after training"
SENSITIVITY = "log10 sensitivity of the stack, from t = 1"


def name(cell: str, layers: int, length: int) -> str:
    """The name of a cell's numbers at this depth and length."""
    return f"{cell}, layers = {layers}, T = {length}"


def difference(lstm: str, rnn: str, length: int) -> str:
    """The name of the number that compares the two cells."""
    return f"{lstm} − {rnn}, T = {length}"


def mitigates(lstm: str, rnn: str) -> Part:
    """More is left of the LSTM than of the RNN, with one layer, at each length."""
    more = (Rule(LEFT, difference(lstm, rnn, length), above(0.0)) for length in COMPARED)
    return Part(f"{lstm} mitigates", if_measured(*more))


def vanishes_with_layers(lstm: str) -> Part:
    """The gradient vanishes with many layers, and with one it does not."""
    many = Rule(LEFT, name(lstm, DEEP, SHORT), below(VANISHED))
    one = Rule(LEFT, name(lstm, 1, SHORT), above(VANISHED))
    return Part(f"{lstm} vanishes with layers", if_measured(many, one))


def vanishes_with_length(lstm: str) -> Part:
    """The gradient of one layer vanishes over the longest sequence."""
    long = Rule(LEFT, name(lstm, 1, LONG), below(VANISHED))
    return Part(f"{lstm} vanishes with length", if_measured(long))


PARTS = [
    *(mitigates(lstm, rnn) for lstm, rnn in MITIGATES),
    *(part(lstm) for lstm in LSTMS for part in (vanishes_with_layers, vanishes_with_length)),
]
JUDGED = judged_together(PARTS)


def measure(results: Results) -> Measured:
    """Measure how much of the gradient is left by layers and length, and what was solved."""
    before, trained = left(results.before_training), left(results)
    runs = ended(results.runs)
    runs = runs.merge(named(runs)[["run", "of"]], on="run")
    numbers = numbers_frame(
        [
            *medians(before, LEFT, JUDGED),
            *mitigation(before),
            *mean_of(stack_sensitivity(results.before_training), SENSITIVITY, by="of"),
            *medians(trained, LEFT_TRAINED),
            *solved(runs, by="of"),
        ]
    )
    return Measured(
        numbers, figure(numbers), text(numbers), caption=caption_of(left_by_layers_and_length)
    )


def named(runs: pd.DataFrame) -> pd.DataFrame:
    """``run``, ``seed``, ``cell``, and how numbers of its setting are called, ``of``."""
    rows = []
    for _, run in runs.iterrows():
        bias = run["cell.forget_bias"]
        words = "b_f chrono, " if bias == "chrono" else f"b_f = {bias:g}, "
        cell = f"LSTM, {words}" if run["cell.kind"] == "lstm" else "RNN, "
        cell += run["cell.recurrent_kernel"]
        of = name(cell, int(run["cell.layers"]), int(run["task.length"]))
        rows.append({"run": run["run"], "seed": run["seed"], "cell": cell, "of": of})
    return pd.DataFrame(rows)


def left(results: Results) -> pd.DataFrame:
    """``at_least`` and ``at_most`` how much is left in each run, at its last record."""
    frame = results.gradients[results.gradients["quantity"] == "h"]
    by_run = frame.groupby("run")
    step, layer, t = (by_run[key].transform("max") for key in ("step", "layer", "t"))
    at_end = frame["step"] == step
    first = frame[at_end & (frame["layer"] == 0) & (frame["t"] == 0)].set_index("run")
    last = frame[at_end & (frame["layer"] == layer) & (frame["t"] == t)].set_index("run")
    zero = first["zero_fraction"]
    others = first["log10_mean"].where(zero < 1, 0.0)
    most = (1 - zero) * others + zero * SMALLEST - last["log10_mean"]
    bounds = pd.DataFrame({"at_most": most, "at_least": most.mask(zero > 0, -math.inf)})
    return named(results.runs).merge(bounds.reset_index(), on="run")


def medians(frame: pd.DataFrame, quantity: str, comparisons: int = 1) -> list[Number]:
    """How much is left, of each cell, number of layers and length."""
    return [
        number(
            quantity,
            str(of),
            bounded_median_interval(own["at_least"], own["at_most"], comparisons),
            len(own),
            comparisons,
        )
        for of, own in frame.groupby("of", sort=False)
    ]


def mitigation(before: pd.DataFrame) -> list[Number]:
    """How much more is left of LSTM than of RNN, with one layer."""
    found = []
    for lstm, rnn in MITIGATES:
        for length in COMPARED:
            one, other = (
                before[before["of"] == name(cell, 1, length)].set_index("seed")
                for cell in (lstm, rnn)
            )
            of = difference(lstm, rnn, length)
            found.append(bounded_difference(LEFT, of, one, other, JUDGED))
    return found


def stack_sensitivity(results: Results) -> pd.DataFrame:
    """log10‖∂c_T/∂c_1‖₂ of the top layer by the lowest, of each run."""
    frame = results.jacobians[["run", "t", "layer", "log10_stack_sensitivity"]]
    first = frame[(frame["t"] == 1) & (frame["layer"] == 0)]
    renamed = first.rename(columns={"log10_stack_sensitivity": SENSITIVITY})
    return named(results.runs).merge(renamed, on="run")


def left_of(
    numbers: pd.DataFrame, cell: str, layers: int, length: int, quantity: str = LEFT
) -> Estimate:
    """How much is left; unknown where it was not run."""
    return estimate_if_measured(numbers, quantity, name(cell, layers, length))


def evidence(judged: Judged) -> str:
    """Tell how much is left in each LSTM, in one also after training, and which parts hold."""
    numbers = judged.numbers
    written = [
        f"{lstm}, before training: {decades(left_of(numbers, lstm, DEEP, SHORT))} with {DEEP} "
        f"layers at T = {SHORT}, {decades(left_of(numbers, lstm, 1, LONG))} with one at T = {LONG}"
        for lstm in LSTMS
    ]
    trained = (
        f"{decades(left_of(numbers, LSTMS[0], layers, TRAINED, LEFT_TRAINED))} with {layers}"
        for layers in LAYERS[:-1]
    )
    after = f"{LSTMS[0]}, after training at T = {TRAINED} (not judged): {', '.join(trained)} layers"
    return f"{'; '.join([LEFT, *written, after])}. {of_parts(judged.answers)}"


def decades(left: Estimate) -> str:
    """Write an estimate in words: a bound where norms read zero, which may leave it unknown."""
    if left.low > -math.inf or math.isnan(left.low):
        return in_words(left)
    return "unknown" if left.high == math.inf else f"at most {left.high:.3g} (reads zero)"


def text(numbers: pd.DataFrame) -> str:
    """All that is left by layers and length."""
    lines = []
    for _, row in numbers[numbers["quantity"].isin([LEFT, LEFT_TRAINED])].iterrows():
        found = decades(Estimate(row["value"], row["low"], row["high"]))
        when = ", after training" if row["quantity"] == LEFT_TRAINED else ""
        lines.append(f"{row['of']}{when}: 10^({found})")
    return "\n".join(lines)


def figure(numbers: pd.DataFrame) -> Figure:
    """What is left before training, of every cell."""
    cells = [*RNNS, *LSTMS, MITIGATES[-1][0]]
    left = functools.partial(left_of, numbers)
    return left_by_layers_and_length(left, cells, LSTMS, LAYERS, LENGTHS, VANISHED)


HEADLINES = [
    Headline(
        LEFT,
        [f"{LSTMS[0]}, layers = 8, T = 50"],
        "log10 of the gradient at the first layer's first step over that at the last "
        "({of}); below −6 it has vanished",
    )
]
analyse = Claim("depth", measure, PARTS, evidence, headlines=HEADLINES, says=__doc__)
