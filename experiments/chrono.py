"""Claim: tying b_i = −b_f, not a high b_f alone, is what helps an LSTM over long lags.

Chrono initialisation (Tallec & Ollivier 2018) draws a high b_f for each unit and ties b_i = −b_f.
Here the two are taken apart, on adding and on the copy task: b_f spread as by chrono, or the same
in all units at chrono's median log(T_max/2), each tied and untied (b_i = 0), beside b_f = 1. What
is judged, at the longest lag of each task, is the share of pairs of runs, one of each setting, in
which that of the first solves the task earlier:

* tying helps: tied before untied with the same b_f, and tied before b_f = 1, above ½;
* a high b_f alone does not: untied before b_f = 1, below ½. (That it is not shown to be above would
  be no evidence: with seven runs each, only a share of 0.94 or more is, with eight 0.92. Where
  neither solves the task, this is undecided.)

By the whole interval that an exact permutation test gives, widened for all that are judged
together; runs that did not solve the task, or diverged, are later than all. The claim is supported
if all shares are on their side of ½, with constant and with spread b_f, on both tasks; refuted if
one is on the other side, else undecided.

Reported and not judged: shorter lags, and the top Lyapunov exponent before training, on 20 seeds.
The linearisation at the zero state says that a larger b_f alone brings the indirect path nearer to
instability, and the tie does not.
"""

import pandas as pd
from matplotlib.figure import Figure

from rnnlab.report.claims.evidence import (
    EARLIER,
    Number,
    differences,
    earlier,
    ended,
    estimate,
    in_words,
    mean_of,
    numbers_frame,
    pairs_in_words,
    solved,
    solved_in_words,
)
from rnnlab.report.claims.verdict import Verdict, all_of, is_above, is_below
from rnnlab.report.figures.style import marks, math_label, panels
from rnnlab.report.findings import Findings, standard_findings
from rnnlab.results.read import Results

BASELINE = "b_f = 1"
SHAPES = ("constant", "spread")
TIED, UNTIED = ({shape: f"{shape} b_f, {tie}" for shape in SHAPES} for tie in ("tied", "untied"))
STARTS = [BASELINE, *(tie[shape] for shape in SHAPES for tie in (UNTIED, TIED))]
PAIRS = [
    pair
    for shape in SHAPES
    for pair in (
        (TIED[shape], UNTIED[shape]),
        (TIED[shape], BASELINE),
        (UNTIED[shape], BASELINE),
    )
]
AT_SHORTER = f"{EARLIER}, at a shorter lag"
EXPONENT = "top Lyapunov exponent before training"


def analyse(results: Results) -> Findings:
    """When each start solves the task, and its top exponent before training."""
    standard = standard_findings(results)
    runs, before = of_starts(results.runs), of_starts(results.before_training.runs)
    numbers = numbers_frame([*compared(runs), *exponents(before)])
    figures = {"chrono": figure(runs, before)} | standard.figures
    return Findings(standard.table, figures, text(numbers), numbers, decide(numbers))


def of_starts(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs that ended: ``place`` (task and lag), ``start``, and whether the lag ``is_longest``."""
    longest = runs.groupby("task.kind")["task.length"].max()
    runs = ended(runs)
    biases = zip(runs["cell.forget_bias"], runs["cell.input_bias"], strict=True)
    places = zip(runs["task.kind"], runs["task.length"], strict=True)
    return runs.assign(
        place=[f"{task}, T = {length}" for task, length in places],
        start=[_start(*both) for both in biases],
        is_longest=runs["task.length"] == runs["task.kind"].map(longest),
        **{EXPONENT: runs["top_exponent_first"].astype(float)},
    )


def _start(forget_bias: object, input_bias: object) -> str:
    if forget_bias == 1:
        return BASELINE
    shape = "spread" if forget_bias == "chrono" else "constant"
    return (TIED if input_bias == "tied" else UNTIED)[shape]


def compared(runs: pd.DataFrame) -> list[Number]:
    """Who solves the task when, and who earlier than whom, by place."""
    judged = len(PAIRS) * runs["task.kind"].nunique()
    found: list[Number] = []
    for (place, is_longest), own in runs.groupby(["place", "is_longest"], sort=False):
        pairs = earlier(own, PAIRS, judged, by="start")
        if not is_longest:
            pairs = [one._replace(quantity=AT_SHORTER) for one in pairs]
        numbers = [*solved(own, by="start"), *pairs]
        found += [one._replace(of=f"{place}: {one.of}") for one in numbers]
    return found


def exponents(before: pd.DataFrame) -> list[Number]:
    """Of each start, and of tied less untied, by place."""
    found: list[Number] = []
    pairs = [(TIED[shape], UNTIED[shape]) for shape in SHAPES]
    for place, own in before.groupby("place", sort=False):
        numbers = mean_of(own, EXPONENT, by="start")
        numbers += differences(own, EXPONENT, pairs, by="start")
        found += [one._replace(of=f"{place}: {one.of}") for one in numbers]
    return found


def decide(numbers: pd.DataFrame) -> Verdict:
    """By the rule above."""
    judged = numbers.loc[numbers["quantity"] == EARLIER, "of"].astype(str)
    answers, words = [], []
    for place in dict.fromkeys(of.partition(": ")[0] for of in judged):
        shares = {
            pair: estimate(numbers, EARLIER, f"{place}: {pair[0]} − {pair[1]}") for pair in PAIRS
        }
        for (one, _), share in shares.items():
            on_its_side = is_above if one in TIED.values() else is_below
            answers.append(on_its_side(share, 0.5))
        solves = (estimate(numbers, "share solved", f"{place}: {start}").mean for start in STARTS)
        if any(share > 0 for share in solves):
            words += [
                f"{place}: {one} before {other} in {pairs_in_words(share)}"
                for (one, other), share in shares.items()
            ]
        else:
            words.append(f"{place}: no run solves it")
    return Verdict(all_of(*answers), "; ".join(words + shorter(numbers)))


def shorter(numbers: pd.DataFrame) -> list[str]:
    """What was solved at each shorter lag, where something was."""
    names = numbers.loc[numbers["quantity"] == AT_SHORTER, "of"].astype(str)
    words = []
    for place in dict.fromkeys(of.partition(": ")[0] for of in names):
        shares = {s: estimate(numbers, "share solved", f"{place}: {s}").mean for s in STARTS}
        if any(share > 0 for share in shares.values()):
            solved_in = ", ".join(f"{start}: {share:.0%}" for start, share in shares.items())
            words.append(f"{place}, solved (not judged): {solved_in}")
    return words


def text(numbers: pd.DataFrame) -> str:
    """A line for each place and start."""
    lines = []
    measured = set(numbers.loc[numbers["quantity"] == EXPONENT, "of"])
    for of in numbers.loc[numbers["quantity"] == "share solved", "of"]:
        line = f"{of}: solved {solved_in_words(numbers, of)}"
        if of in measured:
            line += f", top exponent {in_words(estimate(numbers, EXPONENT, of))} before training"
        lines.append(line)
    return "\n".join(lines)


def figure(runs: pd.DataFrame, before: pd.DataFrame) -> Figure:
    """When solved, by lag, and the top Lyapunov exponent before training, for each task (rows).

    A mark a run; open, beyond the last training step (grey line): unsolved. An exponent above 0
    (grey line): states that differ by little move apart.
    """
    tasks = list(dict.fromkeys(runs["task.kind"]))
    places = {
        task: sorted(set(runs.loc[runs["task.kind"] == task, "task.length"])) for task in tasks
    }
    columns = max(map(len, places.values()))
    drawn, axes = panels(len(tasks), columns + 1, sharey=True)
    for row, task in zip(axes, tasks, strict=True):
        for ax in row[len(places[task]) : columns]:
            ax.set_visible(False)
        for ax, length in zip(row, places[task], strict=False):
            own = runs[(runs["task.kind"] == task) & (runs["task.length"] == length)]
            last = float(own["training.steps"].max())
            marks(ax, own["solved_at"].astype(float), own["start"], STARTS, late=1.06 * last)
            ax.axvline(last, color="0.6", linewidth=0.6)
            ax.set_xlim(0, 1.1 * ax.dataLim.x1)
            ax.set_title(f"{task}, T = {length}")
        own = before[(before["task.kind"] == task) & before["is_longest"]]
        marks(row[-1], own[EXPONENT], own["start"], STARTS)
        row[-1].axvline(0, color="0.6", linewidth=0.6)
        row[-1].set_title(f"before training, T = {own['task.length'].iloc[0]}")
    for ax in axes[-1, :columns]:
        ax.set_xlabel("solved at training step\n(open: unsolved at the end)")
    axes[-1, -1].set_xlabel("top Lyapunov exponent,\nper step")
    axes[0, 0].set_yticks(range(len(STARTS)), list(map(math_label, STARTS)))
    axes[0, 0].set_ylim(len(STARTS) - 0.5, -0.5)
    return drawn
