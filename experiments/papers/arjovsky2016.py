"""Arjovsky, Shah & Bengio 2016, "Unitary evolution recurrent neural networks": LSTM, RNN on copy.

They report that LSTM and tanh RNN stay at or near the memoryless loss for long lags (figure 1), and
that their ‖∂L/∂h_t‖ decays back in time (figure 3).

Reproduced is

* for T ≥ 200, if the median over seeds of final loss / memoryless loss lies within 10 % of
  1 (T = 100, where their LSTM does better, is shown and not judged; the final loss is the mean of
  the last 250 training steps);
* at each T, if log10‖∂L/∂h_t‖ of the memory loss falls going back before training: mean over 20
  seeds of decades per step below 0. Theirs is of the whole loss; its every step has an error of
  its own, whose gradient does not show how far back the recalled symbols' reaches.

Each by its whole 95 % interval, widened for all that are judged together.
"""

import pandas as pd

from rnnlab.gradients.decay import decay_per_step
from rnnlab.report.claims.claim import Measured
from rnnlab.report.claims.evidence import mean_of, numbers_frame, of_line, of_runs
from rnnlab.report.claims.headline import Headline
from rnnlab.report.claims.published import (
    OF_BASELINE,
    Published,
    at_the_baseline,
    by_cell_and_length,
    counted,
    losses_of_baseline,
    reproduction,
    side_by_side,
)
from rnnlab.report.claims.published_figure import curves_and_published
from rnnlab.report.claims.rules import below
from rnnlab.report.figures.captions import caption_of
from rnnlab.results.read import Results

DECAY = "decades per step of ‖∂L/∂h_t‖ before training"
CELLS = ("RNN", "LSTM")
LENGTHS = (100, 200, 300, 500)

PUBLISHED = [
    *[at_the_baseline(f"{c}, T = {t}", "at or near 1", 1) for t in LENGTHS[1:] for c in CELLS],
    *[
        Published(DECAY, f"{c}, T = {t}", "negative", "below 0", below(0.0))
        for t in LENGTHS
        for c in CELLS
    ],
]


def measure(results: Results) -> Measured:
    """Final losses, and the gradient's decay before training, by cell and length."""
    runs = by_cell_and_length(results.runs, CELLS)
    before = results.before_training
    started = by_cell_and_length(before.runs, CELLS)
    numbers = measured(runs, results.training, started, before.gradients)
    drawn = curves_and_published(results.training, runs, PUBLISHED, numbers)
    words, caption = side_by_side(PUBLISHED, numbers), caption_of(curves_and_published)
    return Measured(numbers, drawn, words, caption=caption)


def measured(
    runs: pd.DataFrame, training: pd.DataFrame, started: pd.DataFrame, gradients: pd.DataFrame
) -> pd.DataFrame:
    """The numbers that are judged, and the loss at T = 100.

    Args:
        runs: that trained, as ``by_cell_and_length`` names them.
        training: of them.
        started: runs that only measure, likewise.
        gradients: of these.
    """
    comparisons = counted(PUBLISHED, runs["of"])
    of_h = gradients[gradients["quantity"] == "h"]
    decays = of_runs(of_h, of_line(decay_per_step), DECAY).merge(started[["run", "of"]], on="run")
    losses = losses_of_baseline(runs, training, comparisons)
    return numbers_frame([*losses, *mean_of(decays, DECAY, comparisons, by="of")])


HEADLINES = [
    Headline(
        OF_BASELINE,
        [f"LSTM, T = {length}" for length in (500, 300, 200)],
        "the LSTM's final loss over that of remembering nothing ({of})",
    )
]
analyse = reproduction(measure, PUBLISHED, headlines=HEADLINES, says=__doc__)
