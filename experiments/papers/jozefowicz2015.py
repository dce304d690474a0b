"""Jozefowicz, Zaremba & Sutskever 2015, "An empirical exploration …": b_f = 1 or 0, arithmetic.

They report a next-step accuracy of .902 for the LSTM with b_f = 1 and .892 with 0, each the best of
a random search over hyperparameters (numbers from secondary sources). Their other two tasks, XML
and the Penn Treebank, are not run.

Accuracy is that of the answer's symbols after the last update, on 256 examples that are the same
for both biases; one set of hyperparameters, each seed once with either bias. Reproduced is

* the ordering, if the mean difference over seeds, b_f = 1 less 0, is above 0;
* with numbers of up to 8 digits as theirs also the level, if both accuracies lie within 0.05 of
  what is published;

each by its whole 95 % interval, widened for all that are judged together. Runs that diverged have
no accuracy; the comparison counts them.
"""

import pandas as pd
from matplotlib.figure import Figure

from rnnlab.report.claims.evidence import differences, mean_of, numbers_frame
from rnnlab.report.claims.published import Published, above, between, counted, side_by_side, verdict
from rnnlab.report.claims.verdict import Verdict
from rnnlab.report.figures.style import figure_legend, line_style, panels, seed_band
from rnnlab.report.findings import Findings, standard_findings
from rnnlab.results.read import Results

ACCURACY = "next-step accuracy"
LEVELS = {"b_f = 1": 0.902, "b_f = 0": 0.892}
CLOSE = 0.05
LONGEST, SHORTER = 8, 3


def named(bias: str, digits: int) -> str:
    """What a setting is called in the table of numbers."""
    return f"{bias}, ≤ {digits} digits"


def ordering(digits: int, value: str) -> Published:
    """The difference of the two biases."""
    pair = " − ".join(named(bias, digits) for bias in LEVELS)
    return Published(ACCURACY, pair, value, "above 0", above(0.0))


PUBLISHED = [
    ordering(LONGEST, "0.010"),
    *[
        Published(
            ACCURACY,
            named(bias, LONGEST),
            f"{level}",
            f"within {CLOSE} of it",
            between(level - CLOSE, level + CLOSE),
        )
        for bias, level in LEVELS.items()
    ],
    ordering(SHORTER, f"0.010 (≤ {LONGEST} digits)"),
]


def analyse(results: Results) -> Findings:
    """Accuracies of the two biases."""
    standard = standard_findings(results)
    runs = finished(results.runs)
    numbers = measured(runs)
    figures = {"published": figure(results.training, runs)} | standard.figures
    text = side_by_side(PUBLISHED, numbers)
    return Findings(standard.table, figures, text, numbers, decide(numbers))


def finished(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that finished, with their bias, digits and name."""
    runs = runs[runs["status"] == "finished"]
    bias = runs["cell.forget_bias"].astype(float).map("b_f = {:g}".format)
    names = [named(*pair) for pair in zip(bias, runs["task.digits"], strict=True)]
    return runs.assign(bias=bias, of=names).astype({"final_metric": float})


def measured(runs: pd.DataFrame) -> pd.DataFrame:
    """Accuracy by bias, and the paired difference, for each number of digits."""
    values = runs.rename(columns={"final_metric": ACCURACY})
    several = sorted(runs["task.digits"].unique())
    pairs = [(named("b_f = 1", digits), named("b_f = 0", digits)) for digits in several]
    pairs = [pair for pair in pairs if set(pair) <= set(runs["of"])]
    differ = [" − ".join(pair) for pair in pairs]
    comparisons = counted(PUBLISHED, [*runs["of"], *differ])
    means = mean_of(values, ACCURACY, comparisons, by="of")
    return numbers_frame([*means, *differences(values, ACCURACY, pairs, comparisons, by="of")])


def decide(numbers: pd.DataFrame) -> Verdict:
    """By the rules above."""
    return verdict(PUBLISHED, numbers)


def figure(training: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Accuracy over training, with the published ones where numbers are as long."""
    drawn, axes = panels(1, 1)
    drawn.set_size_inches(4.8, 3.6)
    ax = axes[0, 0]
    evaluated = training[training["eval_metric"].notna()].merge(
        runs[["run", "of", "bias"]], on="run"
    )
    for index, (of, own) in enumerate(evaluated.groupby("of", sort=False)):
        wide = own.pivot_table(index="step", columns="seed", values="eval_metric")
        seed_band(ax, wide, index, str(of))
        if str(of).endswith(named("", LONGEST)):
            level = LEVELS[own["bias"].iloc[0]]
            colour = line_style(index)["color"]
            ax.axhline(level, color=colour, linewidth=0.8, linestyle=":", label=f"{of}: published")
    ax.set_xlabel("training step")
    ax.set_ylabel("accuracy of the answer's symbols")
    figure_legend(drawn, [ax], [])
    return drawn
