"""Jozefowicz, Zaremba & Sutskever 2015, "An empirical exploration …": b_f = 1 or 0, arithmetic.

They report a next-step accuracy of .902 for the LSTM with b_f = 1 and .892 with 0, each the best of
a random search over hyperparameters (numbers from secondary sources). Their other two tasks, XML
and the Penn Treebank, are not run.

Accuracy is that of the answer's symbols after the last update, on 256 examples that are the same
for both biases; one set of hyperparameters, each seed once with either bias. Reproduced is

* the ordering, if the median difference over seeds, b_f = 1 less 0, is above 0;
* with numbers of up to 8 digits as theirs also the level, if both accuracies lie within 0.05 of
  what is published;

each by its whole exact 95 % interval, widened for all that are judged together. Runs that diverged
have no accuracy; the comparison counts them.
"""

import pandas as pd
from matplotlib.figure import Figure

from rnnlab.report.claims.claim import Measured
from rnnlab.report.claims.evidence import (
    bias_name,
    median_differences,
    median_of,
    numbers_frame,
    versus,
)
from rnnlab.report.claims.headline import Headline
from rnnlab.report.claims.published import Published, counted, reproduction, side_by_side
from rnnlab.report.claims.published_figure import published_panels
from rnnlab.report.claims.rules import above, between
from rnnlab.report.figures.captions import caption_of
from rnnlab.report.figures.palette import styles_of
from rnnlab.report.figures.seeds import seed_lines
from rnnlab.report.figures.style import figure_legend
from rnnlab.results.read import Results

ACCURACY = "next-step accuracy"
LEVELS = {1: 0.902, 0: 0.892}
CLOSE = 0.05
LONGEST, SHORTER = 8, 3


def named(bias: int | float, digits: int) -> str:
    """The name of a setting in the table of numbers."""
    return f"{bias_name(bias)}, ≤ {digits} digits"


def ordering(digits: int, value: str) -> Published:
    """The difference of the two biases."""
    pair = versus((named(1, digits), named(0, digits)))
    return Published(ACCURACY, pair, value, "above 0", above(0.0), 0.010)


PUBLISHED = [
    ordering(LONGEST, "0.010"),
    *[
        Published(
            ACCURACY,
            named(bias, LONGEST),
            f"{level}",
            f"within {CLOSE} of it",
            between(level - CLOSE, level + CLOSE),
            level,
        )
        for bias, level in LEVELS.items()
    ],
    ordering(SHORTER, f"0.010 (≤ {LONGEST} digits)"),
]


def measure(results: Results) -> Measured:
    """Accuracies of the two biases."""
    runs = finished(results.runs)
    numbers = measured(runs)
    drawn = figure(results.training, runs, numbers)
    return Measured(numbers, drawn, side_by_side(PUBLISHED, numbers), caption=caption_of(figure))


def finished(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that finished, with their bias, digits and name."""
    runs = runs[runs["status"] == "finished"]
    bias, digits = runs["cell.forget_bias"].astype(float), runs["task.digits"]
    names = [named(*pair) for pair in zip(bias, digits, strict=True)]
    return runs.assign(bias=bias, digits=digits, of=names).astype({"final_metric": float})


def measured(runs: pd.DataFrame) -> pd.DataFrame:
    """Accuracy by bias, and the paired difference, for each number of digits."""
    values = runs.rename(columns={"final_metric": ACCURACY})
    several = sorted(runs["digits"].unique())
    pairs = [(named(1, digits), named(0, digits)) for digits in several]
    pairs = [pair for pair in pairs if set(pair) <= set(runs["of"])]
    comparisons = counted(PUBLISHED, [*runs["of"], *map(versus, pairs)])
    medians = median_of(values, ACCURACY, comparisons, by="of")
    more = median_differences(values, ACCURACY, pairs, comparisons, by="of")
    return numbers_frame([*medians, *more])


def figure(training: pd.DataFrame, runs: pd.DataFrame, numbers: pd.DataFrame) -> Figure:
    """Accuracy over training; below it what is obtained beside the published.

    Lines are medians over seeds, each seed is a thin line. Below: obtained values with their
    intervals (filled), published ones (open diamonds), and in grey the values that reproduce the
    result.
    """
    drawn, (ax,), below = published_panels(PUBLISHED, numbers)
    evaluated = training[training["eval_metric"].notna()].merge(runs[["run", "of"]], on="run")
    for of, style in styles_of(list(dict.fromkeys(evaluated["of"]))).items():
        own = evaluated[evaluated["of"] == of]
        seed_lines(
            ax, own.pivot_table(index="step", columns="seed", values="eval_metric"), style, of
        )
    ax.set_xlabel("training step")
    ax.set_ylabel("accuracy of the answer's symbols")
    figure_legend(drawn, [ax, *below], [])
    return drawn


HEADLINES = [
    Headline(
        ACCURACY,
        [f"{named(1, digits)} − {named(0, digits)}" for digits in (LONGEST, SHORTER)],
        "gain in next-step accuracy ({of})",
    )
]
analyse = reproduction(measure, PUBLISHED, headlines=HEADLINES, says=__doc__)
