"""Tallec & Ollivier 2018, "Can recurrent neural networks warp time?": chrono against b_f = 1.

They report that chrono initialisation learns the adding problem faster at every length, about seven
times at T = 750 (figure 4), and that on the copy task it does not stop at the memoryless loss,
where b_f = 1 stays for long (figure 3).

A run has learned when the mean training loss of 50 steps is below 0.01 (adding), or 10 % below the
memoryless loss (copy). The step at which it has with b_f = 1 is divided by that with chrono, paired
by seed; a run that never does counts as later than its last step. Reproduced is

* adding: if the median ratio is above 1, and at T = 750 above 3.5, half of what is published;
* copy: if more than half of the runs with chrono leave the memoryless loss, and the median ratio is
  above 1;

each by its whole exact 95 % interval, widened for all that are judged together.
"""

import math

import numpy as np
import pandas as pd

from rnnlab.report.claims.claim import Measured
from rnnlab.report.claims.evidence import Number, number, numbers_frame
from rnnlab.report.claims.headline import Headline
from rnnlab.report.claims.learning import ended, of_same_seeds
from rnnlab.report.claims.published import (
    Published,
    reproduction,
    side_by_side,
)
from rnnlab.report.claims.published_figure import curves_and_published
from rnnlab.report.claims.rules import above
from rnnlab.report.figures.captions import caption_of
from rnnlab.results.intervals import median_interval, paired_ratio_interval, share_interval
from rnnlab.results.read import Results
from rnnlab.training.quantities.training import solved_at

RATIO = "steps of b_f = 1 / steps of chrono"
SHARE, STEP = "share that learned", "learned at step"
BIASES = ("b_f = 1", "chrono")
LEFT = 0.9
JUDGED = {"adding": 1, "copy": 2}

BY_TASK = {
    "adding": [
        Published(RATIO, "adding, T = 750", "about 7", "above 3.5", above(3.5), 7),
        Published(RATIO, "adding, T = 200", "above 1", "above 1", above(1.0)),
        Published(RATIO, "adding, T = 100", "above 1 (T = 200)", "above 1", above(1.0)),
    ],
    "copy": [
        Published(RATIO, "copy, T = 500", "above 1", "above 1", above(1.0)),
        Published(SHARE, "copy, T = 500, chrono", "all", "above 0.5", above(0.5), 1),
        Published(RATIO, "copy, T = 50", "above 1 (T = 500)", "above 1", above(1.0)),
        Published(SHARE, "copy, T = 50, chrono", "all (T = 500)", "above 0.5", above(0.5), 1),
    ],
}
PUBLISHED = [result for of_task in BY_TASK.values() for result in of_task]


def measure(results: Results) -> Measured:
    """When runs learn, by bias and length."""
    runs = learning(results.runs, results.training)
    numbers = numbers_frame(measured(runs))
    of_tasks = [result for task in dict.fromkeys(runs["task.kind"]) for result in BY_TASK[task]]
    drawn = curves_and_published(results.training, runs, of_tasks, numbers)
    words, caption = side_by_side(of_tasks, numbers), caption_of(curves_and_published)
    return Measured(numbers, drawn, words, caption=caption)


def learning(runs: pd.DataFrame, training: pd.DataFrame) -> pd.DataFrame:
    """The runs that ended, with the step at which each has learned as ``solved_at``."""
    runs = ended(runs)
    is_chrono = runs["cell.forget_bias"] == "chrono"
    bias = pd.Categorical(np.where(is_chrono, "chrono", "b_f = 1"), BIASES, ordered=True)
    panel = runs["task.kind"] + ", T = " + runs["task.length"].astype(str)
    runs = runs.assign(setting=bias, panel=panel)
    leaves = LEFT * runs["baseline"].astype(float)
    runs["threshold"] = runs["threshold"].astype(float).mask(runs["task.kind"] == "copy", leaves)
    by_run = dict(iter(training.groupby("run")))
    steps = [
        solved_at(by_run[run], at) for run, at in zip(runs["run"], runs["threshold"], strict=True)
    ]
    return runs.assign(solved_at=[math.nan if step is None else step for step in steps])


def measured(runs: pd.DataFrame) -> list[Number]:
    """For each task and length: which share has learned, when, and how the two biases compare."""
    found = []
    groups = dict(iter(runs.groupby("panel", sort=False)))
    comparisons = sum(JUDGED[own["task.kind"].iloc[0]] for own in groups.values())
    for panel, own in groups.items():
        for name, of_bias in own.groupby("setting", observed=True):
            of = ", ".join((str(panel), str(name)))
            steps, many = of_bias["solved_at"], len(of_bias)
            share = share_interval(int(steps.notna().sum()), many, comparisons)
            found += [
                number(SHARE, of, share, many, comparisons),
                number(STEP, of, median_interval(steps, comparisons), many, comparisons),
            ]
        standard, chrono = (own[own["setting"] == bias] for bias in BIASES)
        steps, than = of_same_seeds(standard, chrono, "solved_at")
        end = float(own["training.steps"].max())
        ratio = paired_ratio_interval(steps, than, comparisons, end)
        found.append(number(RATIO, str(panel), ratio, len(own), comparisons))
    return found


HEADLINES = [
    Headline(
        RATIO,
        [
            *(f"adding, T = {length}" for length in (750, 200, 100)),
            *(f"copy, T = {length}" for length in (500, 50)),
        ],
        "steps that b_f = 1 needs, over those of chrono ({of})",
    )
]
analyse = reproduction(measure, PUBLISHED, headlines=HEADLINES, says=__doc__)
