"""Bai, Kolter & Koltun 2018, "An empirical evaluation of generic …", table 1: recurrent networks.

They report final losses: adding at T = 600, LSTM 0.164 and RNN 0.177, which is what answering
without memory gives (1/6), and GRU 5.3e-5; copy at T = 1000, LSTM 0.0204, GRU 0.0197 and RNN
0.0202, all at the memoryless loss (0.0204).

Losses, means of the last 250 training steps, are divided by that of remembering nothing, so that
lengths can be compared. Reproduced is a loss at the baseline if the median over seeds lies
within 10 % of it, and the GRU's on adding if it lies below 0.06 of it, the 0.01 at which the task
counts as solved (how far below depends on the number of steps); each by its whole 95 % interval,
widened for all that are judged together.
"""

import pandas as pd

from rnnlab.report.claims.claim import Measured
from rnnlab.report.claims.evidence import numbers_frame
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

CELLS = ("RNN", "LSTM", "GRU")
SOLVED = 0.06


def solved(of: str, value: str, level: int | float) -> Published:
    """A result that says that the adding problem is solved."""
    return Published(OF_BASELINE, of, value, f"below {SOLVED}", below(SOLVED), level)


BY_TASK = {
    "adding": [
        at_the_baseline("adding, LSTM, T = 600", "0.98 (loss 0.164)", 0.98),
        solved("adding, GRU, T = 600", "0.0003 (loss 5.3e-5)", 0.0003),
        at_the_baseline("adding, RNN, T = 600", "1.06 (loss 0.177)", 1.06),
        at_the_baseline("adding, LSTM, T = 150", "0.98 (T = 600)", 0.98),
        solved("adding, GRU, T = 150", "0.0003 (T = 600)", 0.0003),
        at_the_baseline("adding, RNN, T = 150", "1.06 (T = 600)", 1.06),
    ],
    "copy": [
        at_the_baseline("copy, LSTM, T = 1000", "1.00 (loss 0.0204)", 1.00),
        at_the_baseline("copy, GRU, T = 1000", "0.97 (loss 0.0197)", 0.97),
        at_the_baseline("copy, RNN, T = 1000", "0.99 (loss 0.0202)", 0.99),
        at_the_baseline("copy, LSTM, T = 200", "1.00 (T = 1000)", 1.00),
        at_the_baseline("copy, GRU, T = 200", "0.97 (T = 1000)", 0.97),
        at_the_baseline("copy, RNN, T = 200", "0.99 (T = 1000)", 0.99),
    ],
}
PUBLISHED = [result for of_task in BY_TASK.values() for result in of_task]
LOSSES = {
    "adding": ("T = 600", 1 / 6, {"LSTM": 0.164, "GRU": 5.3e-5, "RNN": 0.177}),
    "copy": ("T = 1000", 0.020387, {"LSTM": 0.0204, "GRU": 0.0197, "RNN": 0.0202}),
}


def measure(results: Results) -> Measured:
    """Final losses by cell."""
    runs = named(results.runs)
    numbers = numbers_frame(
        losses_of_baseline(runs, results.training, counted(PUBLISHED, runs["of"]))
    )
    task = str(runs["task.kind"].iloc[0])
    length, baseline, losses = LOSSES[task]
    levels = {cell: (loss / baseline, length) for cell, loss in losses.items()}
    drawn = curves_and_published(results.training, runs, BY_TASK[task], numbers, levels)
    words, caption = side_by_side(BY_TASK[task], numbers), caption_of(curves_and_published)
    return Measured(numbers, drawn, words, caption=caption)


def named(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that ended, with task, cell and length in the words of the published table."""
    runs, task = by_cell_and_length(runs, CELLS), runs["task.kind"] + ", "
    return runs.assign(panel=task + runs["panel"], of=task + runs["of"])


HEADLINES = [
    Headline(
        OF_BASELINE,
        [
            *(f"adding, GRU, T = {length}" for length in (600, 150)),
            *(f"copy, GRU, T = {length}" for length in (1000, 200)),
        ],
        "the GRU's final loss over that of remembering nothing ({of})",
    )
]
analyse = reproduction(measure, PUBLISHED, headlines=HEADLINES, says=__doc__)
