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

import numpy as np
import pandas as pd

from rnnlab.report.claims.claim import Claim, Judged, Measured
from rnnlab.report.claims.evidence import Number, differences, mean_of, numbers_frame
from rnnlab.report.claims.headline import Headline
from rnnlab.report.claims.learning import ended
from rnnlab.report.claims.rules import Part, Rule, above, below, if_measured, judged_together
from rnnlab.report.claims.verdict import Answer, of_parts
from rnnlab.report.claims.windows import QUANTITIES, SHARE, WIDTH, of_windows, windows
from rnnlab.report.claims.words import estimate_if_measured, in_words
from rnnlab.report.figures.captions import caption_of
from rnnlab.report.figures.norms_by_control import norms_by_control
from rnnlab.report.figures.sensitivity import sensitivity_with_zeros
from rnnlab.results.intervals import Estimate
from rnnlab.results.read import Results

LENGTHS, LONG = (50, 200, 1000), (200, 1000)
# Of a large kernel of gain 1.
RADIUS = {"orthogonal": 1.0, "uniform": 3**-0.5}
RNNS, LSTM = tuple(f"RNN, {kernel}" for kernel in RADIUS), "LSTM"
CELLS = (*RNNS, LSTM)
IN_USE = dict.fromkeys(RNNS, (math.log(0.5), math.log(2.0))) | {LSTM: (0.0, 7.0)}
BOUND = 3.0
SLIGHTLY_OFF = math.log(1.1 / 0.9)
NARROW, WIDE = below(SLIGHTLY_OFF), above(1.0)
SOLVED = "share solved of the range in use"


def easier(rnn: str, length: int) -> Part:
    """The LSTM is easier than this RNN by both yardsticks."""
    rules = (Rule(of, f"{LSTM} − {rnn}, T = {length}", above(0.0)) for of in (WIDTH, SHARE))
    return Part(f"{LSTM} easier than {rnn} at T = {length}", if_measured(*rules), same)


def same(*answers: Answer) -> Answer:
    """The answer on which all agree, or else undecided."""
    return answers[0] if len(set(answers)) == 1 else Answer.UNDECIDED


def is_learnt(numbers: pd.DataFrame) -> Answer:
    """Supported if the RNN solves the task with some gain, else undecided."""
    share = estimate_if_measured(numbers, SOLVED, RNNS[0]).mean
    return Answer.SUPPORTED if share > 0 else Answer.UNDECIDED


MORE_SOLVED = Rule(SOLVED, f"{LSTM} − {RNNS[0]}", above(0.0))
PARTS = [
    *(
        Part(f"{rnn} hard at T = {t}", if_measured(Rule(WIDTH, f"{rnn}, T = {t}", NARROW)))
        for rnn, t in itertools.product(RNNS, LONG)
    ),
    *(
        Part(f"{LSTM} easy at T = {t}", if_measured(Rule(WIDTH, f"{LSTM}, T = {t}", WIDE)))
        for t in LENGTHS
    ),
    *(easier(rnn, length) for rnn, length in itertools.product(RNNS, LENGTHS)),
    Part("easier when trained", [MORE_SOLVED, is_learnt]),
]
JUDGED = judged_together(PARTS)


def measure(results: Results) -> Measured:
    """Widths before training, and what was solved."""
    before, runs = measured(results.before_training), trained(results.runs)
    numbers = numbers_of(before, runs)
    widths, shares = (
        {cell: by_length(numbers, quantity, cell) for cell in CELLS} for quantity in (WIDTH, SHARE)
    )
    drawn = norms_by_control(before, runs, widths, shares, LENGTHS, BOUND)
    return Measured(numbers, drawn, text(numbers), caption=caption_of(norms_by_control))


def numbers_of(before: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Numbers of the norms before training (``measured``) and of the runs (``trained``)."""
    found, pairs = windows(before, IN_USE, BOUND), [(LSTM, rnn) for rnn in RNNS]
    widths = of_windows(found, CELLS, LENGTHS, pairs, JUDGED)
    return numbers_frame([*widths, *solved(runs)])


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
    """The settings of the sweeps in e-folds: ln of the spectral radius, or b_f.

    ``x`` is the gain of orthogonal kernels of this radius, or b_f.
    """
    is_lstm, kernel = runs["cell.kind"] == "lstm", runs["cell.recurrent_kernel"]
    radius = runs["cell.recurrent_gain"].astype(float) * kernel.map(RADIUS)
    setting = np.log(radius).mask(is_lstm, runs["cell.forget_bias"].astype(float))
    cell = ("RNN, " + kernel).mask(is_lstm, LSTM)
    same = {"run": runs["run"], "seed": runs["seed"], "length": runs["task.length"]}
    x = np.exp(setting).mask(is_lstm, setting)
    return pd.DataFrame(same | {"cell": cell, "setting": setting, "x": x})


def solved(runs: pd.DataFrame) -> list[Number]:
    """Mean over seeds of the share of settings that solve the task."""
    values = runs.groupby(["cell", "seed"])["solved"].mean().rename(SOLVED).reset_index()
    more = differences(values, SOLVED, [(LSTM, RNNS[0])], JUDGED, by="cell")
    return [*mean_of(values, SOLVED, by="cell"), *more]


def evidence(judged: Judged) -> str:
    """Tell widths in their own units, shares of the range in use, and what was solved."""
    numbers, words = judged.numbers, []
    for cell in CELLS:
        widths, shares = (by_length(numbers, quantity, cell) for quantity in (WIDTH, SHARE))
        written = ", ".join(in_words(one if cell == LSTM else ratio(one)) for one in widths)
        what = "b_f over a range of" if cell == LSTM else "gain by a factor of"
        used = ", ".join(in_words(share, ".2f") for share in shares)
        words.append(f"{cell}, {what} {written} ({used} of the range in use)")
    rnn, lstm = (estimate_if_measured(numbers, SOLVED, cell).mean for cell in (RNNS[0], LSTM))
    solved = f"{LSTM} {lstm:.2f}, {RNNS[0]} {rnn:.2f}"
    more = in_words(MORE_SOLVED.obtained(numbers), ".2f")
    words.append(f"share of its settings that solve the task: {solved}, difference {more}")
    lengths, factor = ", ".join(map(str, LENGTHS)), math.exp(SLIGHTLY_OFF)
    bounds = f"within 10^±3 at T = {lengths} (hard: by a factor below {factor:.3g})"
    return f"{bounds}; {'; '.join(words)}. {of_parts(judged.answers)}"


def by_length(numbers: pd.DataFrame, quantity: str, cell: str) -> list[Estimate]:
    """The number of a cell at each length."""
    return [estimate_if_measured(numbers, quantity, f"{cell}, T = {at}") for at in LENGTHS]


def ratio(width: Estimate) -> Estimate:
    """Ratio of the greatest to the least gain within bounds."""
    return Estimate(*map(math.exp, width))


def text(numbers: pd.DataFrame) -> str:
    """A line for each cell and length."""
    lines = []
    for cell, length in itertools.product(CELLS, LENGTHS):
        width, share, lowest, steep = (
            in_words(estimate_if_measured(numbers, quantity, f"{cell}, T = {length}"))
            for quantity in QUANTITIES
        )
        what = "b_f" if cell == LSTM else "ln radius"
        lines.append(
            f"{cell}, T = {length}: within bounds over {width} e-folds, from {what} {lowest} on; "
            f"{share} of the range in use; {steep} decades per e-fold where the norm is 1"
        )
    return "\n".join(lines)


HEADLINES = [
    Headline(
        WIDTH,
        [f"{RNNS[0]}, T = 200"],
        "factor by which an RNN's gain may vary with the gradient within 10^±3 ({of})",
        shown=math.exp,
    )
]
analyse = Claim(
    "sensitivity_of_control", measure, PARTS, evidence, headlines=HEADLINES, says=__doc__
)
