"""Claim: the GRU has fewer parameters than the LSTM, trains faster and does as well.

Cho et al. 2014 proposed it as simpler; Chung et al. 2014 compared both.

On both tasks a GRU (reset after, b_z = 0) is set beside the LSTM with the usual b_f = 1: once with
as many units, and once with as many parameters, as nearly as whole units allow. The claim says
three things:

* fewer parameters: the GRU's are fewer with as many units, readout aside;
* faster: its seconds per update are below the LSTM's with as many units;
* as well: it needs below 1.25 times the updates until the task is solved, at both sizes.

Times are ratios: of seconds the median over all pairs of runs, with the interval of Hodges &
Lehmann 1963; of updates the median over pairs of the same seed, with its exact interval, in which a
run that did not solve the task counts as later than the last update. Each is judged by its whole 95
% interval, widened for all that are judged together; the claim is supported if all hold on both
tasks, refuted if one is on the other side, else undecided.

Seconds are those of a whole run, records included, on the machine that ran it. The first run of a
program in a process compiles it: runs that took over 1.25 times the median of their setting are
left out of the seconds per update. (Compiling in less leaves a run in, and where most runs of a
setting compile the ratio of seconds is nearer to 1 than it should be. On an accelerator runs that
share a program are trained side by side and share its seconds: measure them one by one.)
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from rnnlab.report.claims.claim import Claim, Judged, Measured, each_part
from rnnlab.report.claims.evidence import Number, Pair, at, number, numbers_frame
from rnnlab.report.claims.headline import Headline
from rnnlab.report.claims.learning import earlier, ended, of_same_seeds, solved
from rnnlab.report.claims.rules import Part, Rule, below
from rnnlab.report.claims.words import estimate, estimate_if_measured, in_words
from rnnlab.report.figures.captions import caption_of
from rnnlab.report.figures.palette import category
from rnnlab.report.figures.seeds import LATE, marks, say_if_none_solved, unsolved_note
from rnnlab.report.figures.style import panels
from rnnlab.results.intervals import Estimate, paired_ratio_interval, ratio_interval
from rnnlab.results.read import Results

TASKS = ("adding", "copy")
LSTM, GRU, AS_MANY = "LSTM", "GRU", "GRU with as many parameters"
CELLS = (LSTM, GRU, AS_MANY)
STYLES = {cell: category(index) for index, cell in enumerate(CELLS)}
RATIOS = {cell: f"{cell} / {LSTM}" for cell in (GRU, AS_MANY)}
PARAMETERS = "parameters"
SECONDS, UPDATES = "seconds per update", "updates until solved"
UNTIL_SOLVED = "seconds until solved"
AS_WELL = 1.25
COMPILES = 1.25
JUDGED = len(TASKS) * (1 + len(RATIOS))


def measure(results: Results) -> Measured:
    """Parameters, seconds and updates, as numbers and as ratios to the LSTM's."""
    runs = of_cells(results.runs)
    numbers = numbers_frame(compared(runs))
    return Measured(numbers, figure(runs), text(numbers), caption=caption_of(figure))


def of_cells(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs that ended, with ``task``, which ``cell`` it is, and ``seconds per update``.

    The seconds are NaN where a run compiled its program.
    """
    runs = ended(runs).rename(columns={"task.kind": "task"})
    is_lstm = runs["cell.kind"] == "lstm"
    units = runs[is_lstm].groupby("task")["cell.hidden"].first()
    is_as_large = runs["cell.hidden"] == runs["task"].map(units)
    runs = runs.assign(cell=np.select([is_lstm, is_as_large], [LSTM, GRU], AS_MANY))
    seconds = runs["seconds"].astype(float) / runs["last_step"].astype(float)
    usual = seconds.groupby([runs["task"], runs["cell"]]).transform("median")
    return runs.assign(**{SECONDS: seconds.where(seconds <= COMPILES * usual)})


def compared(runs: pd.DataFrame) -> list[Number]:
    """Numbers of each cell and ratios of each GRU to the LSTM, for each task."""
    found: list[Number] = []
    for task in TASKS:
        of_task = runs[runs["task"] == task]
        numbers = [*solved(of_task, by="cell"), *earlier(of_task, _pairs(), JUDGED, by="cell")]
        cells = {cell: of_task[of_task["cell"] == cell] for cell in CELLS}
        numbers += [_count(cell, own) for cell, own in cells.items()]
        for cell in RATIOS:
            numbers += _ratios(cell, cells[cell], cells[LSTM])
        found += at(task, numbers)
    return found


def _pairs() -> list[Pair]:
    return [(cell, LSTM) for cell in RATIOS]


def _count(cell: str, runs: pd.DataFrame) -> Number:
    """The same in every run."""
    counts = runs["parameters"].astype(float)
    return Number(
        PARAMETERS, cell, counts.mean(), counts.min(), counts.max(), len(runs), "least and greatest"
    )


def _ratios(cell: str, gru: pd.DataFrame, lstm: pd.DataFrame) -> list[Number]:
    seconds = ratio_interval(gru[SECONDS].dropna(), lstm[SECONDS].dropna(), JUDGED)
    last = float(pd.concat([gru, lstm])["training.steps"].max())
    steps, than = of_same_seeds(gru, lstm, "solved_at")
    updates = paired_ratio_interval(steps, than, JUDGED, end=last)
    until = updates.mean * seconds.mean if 0 < updates.mean < np.inf else np.nan
    both = Estimate(until, np.nan, np.nan)
    found = {SECONDS: seconds, UPDATES: updates, UNTIL_SOLVED: both}
    return [
        number(name, RATIOS[cell], of, len(gru) + len(lstm), JUDGED) for name, of in found.items()
    ]


def parts(numbers: pd.DataFrame, settings: pd.DataFrame) -> list[Part]:
    """One part for each task."""
    return [judged(numbers, task) for task in TASKS]


def judged(numbers: pd.DataFrame, task: str) -> Part:
    """On this task the GRU has fewer parameters, is faster and does as well."""
    gru, lstm = (estimate(numbers, PARAMETERS, f"{task}: {cell}") for cell in (GRU, LSTM))
    seconds, larger = (estimate(numbers, SECONDS, f"{task}: {of}") for of in RATIOS.values())
    updates = [estimate(numbers, UPDATES, f"{task}: {of}") for of in RATIOS.values()]
    fewer = Estimate(gru.mean / lstm.mean, np.nan, np.nan)
    words = (
        f"with as many units {in_words(fewer)} of the parameters, {in_words(seconds)} "
        f"of the seconds per update and {_of_updates(updates[0])} of the updates until solved, "
        f"with as many parameters {in_words(larger)} and {_of_updates(updates[1])}"
    )
    rules = [
        Rule(PARAMETERS, f"{task}: {GRU}", below(lstm.mean)),
        Rule(SECONDS, f"{task}: {RATIOS[GRU]}", below(1.0)),
        *(Rule(UPDATES, f"{task}: {of}", below(AS_WELL)) for of in RATIOS.values()),
    ]
    return Part(task, rules, words=words)


def evidence(judged: Judged) -> str:
    """Tell the ratios on each task."""
    return f"of the LSTM's, a GRU has; {each_part(judged)}"


def _of_updates(ratio: Estimate) -> str:
    """A bound, where the LSTM solved the task in hardly any run."""
    is_bound = ratio.mean == 0 and np.isfinite(ratio.high)
    return f"below {ratio.high:.3g}" if is_bound else in_words(ratio)


def text(numbers: pd.DataFrame) -> str:
    """A line for each cell of each task."""
    lines = []
    for task in TASKS:
        for cell in CELLS:
            of = f"{task}: {cell}"
            share, at = (
                estimate_if_measured(numbers, name, of) for name in ("share solved", "solved at")
            )
            line = (
                f"{of}: {estimate(numbers, PARAMETERS, of).mean:.0f} parameters, "
                f"solved in {share.mean:.0%} of runs, at step {in_words(at, '.0f')} (median)"
            )
            if cell in RATIOS:
                both, per_update = (
                    in_words(estimate(numbers, name, f"{task}: {RATIOS[cell]}"))
                    for name in (UNTIL_SOLVED, SECONDS)
                )
                line += f"; of the LSTM's seconds {per_update} per update, {both} until solved"
            lines.append(line)
    return "\n".join(lines)


def figure(runs: pd.DataFrame) -> Figure:
    """Parameters, time per update and when solved (columns), for each task (rows).

    A mark a run, but for parameters, which are the same in each. An open mark beyond the last
    training step (grey line) stands for unsolved runs; the number beside it is how many.
    """
    drawn, axes = panels(len(TASKS), 3, sharey=True)
    for row, task in zip(axes, TASKS, strict=True):
        own = runs[runs["task"] == task]
        last = float(own["training.steps"].max())
        cells, solved_at = own.drop_duplicates("cell"), own["solved_at"].astype(float)
        thousands = cells["parameters"].astype(float) / 1000
        marks(row[0], thousands, cells["cell"], STYLES, from_zero=True)
        marks(row[1], own[SECONDS] * 1000, own["cell"], STYLES, from_zero=True)
        marks(row[2], solved_at, own["cell"], STYLES, LATE * last, from_zero=True)
        row[2].axvline(last, color="0.6", linewidth=0.6)
        row[2].set_title(unsolved_note(solved_at), fontsize=7)
        say_if_none_solved(row[2], solved_at, last)
        row[0].set_title(f"{task}, T = {own['task.length'].iloc[0]}", loc="left")
    labels = ("parameters, thousands", "time per update, ms", "solved at training step")
    for ax, label in zip(axes[-1], labels, strict=True):
        ax.set_xlabel(label)
    axes[0, 0].set_yticks(
        range(len(CELLS)), [LSTM + ", $b_f$ = 1", GRU, "GRU, as many\nparameters"]
    )
    return drawn


HEADLINES = [
    Headline(
        UPDATES,
        [f"{TASKS[0]}: {RATIOS[GRU]}"],
        "updates until a GRU of as many units solves adding, over the LSTM's",
    )
]
analyse = Claim("parameters", measure, parts, evidence, headlines=HEADLINES, says=__doc__)
