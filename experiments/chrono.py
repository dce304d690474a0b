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

Reported and not judged: shorter lags, and the top Lyapunov exponent before training, on 20 seeds:
the finite-time one, over the T steps, as the long run is not settled at this length where b_f is
large.
The linearisation at the zero state says that a larger b_f alone brings the indirect path nearer to
instability, and the tie does not.
"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.claims.claim import Claim, Judged, Measured
from rnnlab.report.claims.evidence import Number, at, differences, mean_of, numbers_frame, versus
from rnnlab.report.claims.headline import Headline
from rnnlab.report.claims.learning import EARLIER, earlier, ended, solved
from rnnlab.report.claims.rules import Part, Rule, above, below
from rnnlab.report.claims.words import (
    estimate,
    estimate_if_measured,
    in_words,
    is_measured,
    pairs_in_words,
    solved_in_words,
)
from rnnlab.report.figures.captions import caption_of
from rnnlab.report.figures.palette import category
from rnnlab.report.figures.seeds import LATE, marks, say_if_none_solved, unsolved_note
from rnnlab.report.figures.style import math_label, panels
from rnnlab.results.read import Results

BASELINE = "b_f = 1"
SHAPES = ("constant", "spread")
TIED, UNTIED = ({shape: f"{shape} b_f, {tie}" for shape in SHAPES} for tie in ("tied", "untied"))
STARTS = [BASELINE, *(tie[shape] for shape in SHAPES for tie in (UNTIED, TIED))]
STYLES = {start: category(index) for index, start in enumerate(STARTS)}
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


def measure(results: Results) -> Measured:
    """When each start solves the task, and its top exponent before training."""
    runs, before = of_starts(results.runs), of_starts(results.before_training.runs)
    numbers = numbers_frame([*compared(runs), *exponents(before)])
    return Measured(numbers, figure(runs, before), text(numbers), caption=caption_of(figure))


def of_starts(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs that ended: ``place`` (task and lag), ``start``, and whether the lag ``is_longest``."""
    runs = ended(of_places(runs))
    biases = zip(runs["cell.forget_bias"], runs["cell.input_bias"], strict=True)
    starts, exponents = [_start(*both) for both in biases], runs["top_exponent_first"]
    return runs.assign(start=starts, **{EXPONENT: exponents.astype(float)})


def of_places(settings: pd.DataFrame) -> pd.DataFrame:
    """Settings, or runs: ``place``, and whether its lag ``is_longest`` of those of its task."""
    longest = settings.groupby("task.kind")["task.length"].transform("max")
    places = zip(settings["task.kind"], settings["task.length"], strict=True)
    return settings.assign(
        place=[f"{task}, T = {length}" for task, length in places],
        is_longest=settings["task.length"] == longest,
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
        found += at(str(place), numbers)
    return found


def exponents(before: pd.DataFrame) -> list[Number]:
    """Mean exponent of each start, and the difference tied − untied, at each place."""
    found: list[Number] = []
    pairs = [(TIED[shape], UNTIED[shape]) for shape in SHAPES]
    for place, own in before.groupby("place", sort=False):
        numbers = mean_of(own, EXPONENT, by="start")
        numbers += differences(own, EXPONENT, pairs, by="start")
        found += at(str(place), numbers)
    return found


def parts(numbers: pd.DataFrame, settings: pd.DataFrame) -> list[Part]:
    """One part for the longest lag of each task."""
    return [judged(numbers, place) for place in places(settings, longest=True)]


def places(settings: pd.DataFrame, longest: bool) -> list[str]:
    """Places at which runs are trained: the longest lag of each task, or the shorter ones."""
    trained = of_places(settings[~settings["before_training"]])
    return list(dict.fromkeys(trained.loc[trained["is_longest"] == longest, "place"]))


def judged(numbers: pd.DataFrame, place: str) -> Part:
    """At this place, the share of each pair is on its side of ½."""
    rules = {
        f"{place}: {one} before {other}": Rule(
            EARLIER,
            f"{place}: {one} − {other}",
            above(0.5) if one in TIED.values() else below(0.5),
            if_measured=True,
        )
        for one, other in PAIRS
    }
    if not any(share > 0 for share in solved_shares(numbers, place).values()):
        return Part(place, list(rules.values()), words=f"{place}: no run solves it")
    words = (f"{pair} in {pairs_in_words(rule.obtained(numbers))}" for pair, rule in rules.items())
    return Part(place, list(rules.values()), words="; ".join(words))


def solved_shares(numbers: pd.DataFrame, place: str) -> dict[str, float]:
    """The share of runs that solve the task there, for each start; NaN where none has ended."""
    return {
        start: estimate_if_measured(numbers, "share solved", f"{place}: {start}").mean
        for start in STARTS
    }


def evidence(judged: Judged) -> str:
    """Tell the share of each pair at the longest lags, and what was solved at shorter ones."""
    words = [part.words for part in judged.parts]
    return "; ".join(words + shorter(judged.numbers, judged.settings))


def shorter(numbers: pd.DataFrame, settings: pd.DataFrame) -> list[str]:
    """List the shares of solved runs at each shorter lag at which a run solves the task."""
    words = []
    for place in places(settings, longest=False):
        shares = solved_shares(numbers, place)
        if any(share > 0 for share in shares.values()):
            solved_in = ", ".join(f"{start}: {share:.0%}" for start, share in shares.items())
            words.append(f"{place}, solved (not judged): {solved_in}")
    return words


def text(numbers: pd.DataFrame) -> str:
    """A line for each place and start."""
    lines = []
    for of in numbers.loc[numbers["quantity"] == "share solved", "of"]:
        line = f"{of}: solved {solved_in_words(numbers, of)}"
        if is_measured(numbers, EXPONENT, of):
            line += f", top exponent {in_words(estimate(numbers, EXPONENT, of))} before training"
        lines.append(line)
    return "\n".join(lines)


def figure(runs: pd.DataFrame, before: pd.DataFrame) -> Figure:
    """When solved, by lag, and the top Lyapunov exponent before training, for each task (rows).

    A mark a run. An open mark beyond the last training step (grey line) stands for unsolved runs;
    the number beside it is how many. An exponent above 0 (grey line): states that differ by little
    move apart over these T steps.
    """
    tasks = list(dict.fromkeys(runs["task.kind"]))
    of_task = {task: runs[runs["task.kind"] == task] for task in tasks}
    columns = max(own["task.length"].nunique() for own in of_task.values())
    drawn, axes = panels(len(tasks), columns + 1, sharey=True)
    axes[0, 0].set_yticks(range(len(STARTS)), list(map(math_label, STARTS)))
    for row, (task, own) in zip(axes, of_task.items(), strict=True):
        lags = dict(iter(own.groupby("task.length")))
        for ax, (lag, at_lag) in zip(row, lags.items(), strict=False):
            _solved(ax, at_lag, f"{task}, T = {lag}")
        longest = before[(before["task.kind"] == task) & before["is_longest"]]
        _exponents(row[len(lags)], longest)
        for ax in row[len(lags) + 1 :]:
            ax.set_visible(False)
    return drawn


def _solved(ax: Axes, runs: pd.DataFrame, title: str) -> None:
    last = float(runs["training.steps"].max())
    solved_at = runs["solved_at"].astype(float)
    marks(ax, solved_at, runs["start"], STYLES, LATE * last, from_zero=True)
    ax.axvline(last, color="0.6", linewidth=0.6)
    say_if_none_solved(ax, solved_at, last)
    note = unsolved_note(solved_at, "\n(open: number of unsolved runs)")
    ax.set(title=title, xlabel=f"solved at training step{note}")


def _exponents(ax: Axes, before: pd.DataFrame) -> None:
    marks(ax, before[EXPONENT], before["start"], STYLES)
    ax.axvline(0, color="0.6", linewidth=0.6)
    ax.set_title(f"before training, T = {before['task.length'].iloc[0]}")
    ax.set_xlabel("top finite-time Lyapunov\nexponent, per step")


HEADLINES = [
    Headline(
        EARLIER,
        [f"adding, T = {length}: {versus(PAIRS[0])}" for length in (500, 200)],
        "share of pairs of runs in which the tied one solves the task first ({of})",
        ".2f",
    )
]
analyse = Claim("chrono", measure, parts, evidence, headlines=HEADLINES, says=__doc__)
