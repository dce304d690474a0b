"""Claim: ∂C_t/∂C_{t−1} = f_t; the other terms do not depend on C_{t−1}.

Tutorials derive the "constant error carousel" so; Hochreiter & Schmidhuber 1997 truncated the other
terms on purpose.

f, i and g depend on h_{t−1} = o_{t−1} ⊙ tanh(c_{t−1}), so the other terms are not zero; the claim
is judged as the approximation it is used for. Before training, on 20 seeds, a setting's other terms
are negligible if both hold:

* in one step: their share ‖Σ indirect‖_F/‖∂c_t/∂c_{t−1}‖_F, mean over t ≥ 1, is below 0.05;
* over the sequence: log10 ‖∂c_T/∂c_0‖₂ − log10 max Π f_t is within ± 0.3 decades, so that Π f_t
  has the gradient right within a factor of two.

By whole 95 % intervals, widened for all settings. The claim makes no exception, so it is supported
if the other terms are negligible in every setting. Only the usual one can refute it, b_f = 1 (the
advice of Jozefowicz et al. 2015) and orthogonal recurrent kernels of gain 1: if there one of the
two is wholly beyond its bound. Else it is undecided. What becomes of both in training, on 5 seeds
and 1,500 steps, is reported and not judged.
"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.claims.evidence import Number, estimate, in_words, mean_of, numbers_frame
from rnnlab.report.claims.verdict import Answer, Verdict, all_of, is_above, is_below
from rnnlab.report.figures.records import settings_of, top_layer
from rnnlab.report.figures.style import figure_legend, panels, seed_band
from rnnlab.report.findings import Findings, standard_findings
from rnnlab.results.read import Results

SHARE = "share of the indirect paths before training"
ERROR = "log10 ‖∂c_T/∂c_0‖₂ − log10 max Π f_t before training"
SHARE_AT_END = "share of the indirect paths at the end of training"
ERROR_AT_END = "log10 ‖∂c_T/∂c_0‖₂ − log10 max Π f_t at the end of training"
PATHS = {"direct": "f_t", "f": "through f", "i": "through i", "g": "through g"}
LARGEST_SHARE, LARGEST_ERROR = 0.05, 0.3
JUDGED = "negligible below"
TICKS = (-0.3, 0, 0.3, 1, 3, 10)
USUAL = "b_f = 1, recurrent_gain = 1"


def analyse(results: Results) -> Findings:
    """Share of the indirect paths and error of Π f_t, before training and at its end."""
    standard = standard_findings(results)
    before, trained = of_top_layer(results.before_training), of_top_layer(results)
    numbers = numbers_frame([*judged(before), *paths(before), *at_end(trained)])
    figures = {"direct_vs_total": figure(before, trained)} | standard.figures
    return Findings(standard.table, figures, text(numbers), numbers, decide(numbers))


def of_top_layer(results: Results) -> pd.DataFrame:
    """Jacobians of the top layer of finished runs, with ``gain``, ``distance`` and ``error``."""
    finished = results.runs.loc[results.runs["status"] == "finished"]
    gains = finished.set_index("run")["cell.recurrent_gain"]
    record = top_layer(results.jacobians)
    record = record[record["run"].isin(gains.index)]
    return record.assign(
        gain=record["run"].map(gains),
        distance=record["t"].max() - record["t"],
        error=record["log10_sensitivity"] - record["log10_direct_product"],
    )


def of_each_run(record: pd.DataFrame, share: str, error: str) -> pd.DataFrame:
    """One row a run: mean share over t ≥ 1, and error of Π f_t over the sequence."""
    keys = ["run", "setting", "seed"]
    shares = record[record["t"] > 0].groupby(keys, observed=True, sort=False)["share"].mean()
    errors = record[record["t"] == 0].set_index(keys)["error"]
    return pd.DataFrame({share: shares}).join(errors.rename(error)).reset_index()


def judged(before: pd.DataFrame) -> list[Number]:
    """Share and error of each setting before training."""
    values = of_each_run(before[before["step"] == 0], SHARE, ERROR)
    many = 2 * values["setting"].nunique()
    return [*mean_of(values, SHARE, many), *mean_of(values, ERROR, many)]


def paths(before: pd.DataFrame) -> list[Number]:
    """Sizes ‖·‖_F/√n of the paths of one step in the usual setting."""
    own = before[(before["setting"] == USUAL) & (before["step"] == 0) & (before["t"] > 0)]
    columns = {f"{part}_frobenius": _size(path) for part, path in PATHS.items()}
    keys = ["run", "setting", "seed"]
    values = own.groupby(keys, observed=True)[list(columns)].mean().rename(columns=columns)
    values = values.reset_index()
    return [number for name in columns.values() for number in mean_of(values, name)]


def at_end(trained: pd.DataFrame) -> list[Number]:
    """Share and error of each setting at the last record."""
    last = trained[trained["step"] == trained.groupby("run")["step"].transform("max")]
    values = of_each_run(last, SHARE_AT_END, ERROR_AT_END)
    return [*mean_of(values, SHARE_AT_END), *mean_of(values, ERROR_AT_END)]


def decide(numbers: pd.DataFrame) -> Verdict:
    """By the rule above."""
    names = numbers.loc[numbers["quantity"] == SHARE, "of"].astype(str)
    answers = {name: negligible(numbers, name) for name in names}
    if USUAL not in answers:
        return Verdict(Answer.UNDECIDED, f"{USUAL} was not measured")
    small = [name for name, answer in answers.items() if answer is Answer.SUPPORTED]
    if answers[USUAL] is Answer.REFUTED:
        answer = Answer.REFUTED
    else:
        answer = Answer.SUPPORTED if len(small) == len(answers) else Answer.UNDECIDED
    share, error = (in_words(estimate(numbers, quantity, USUAL)) for quantity in (SHARE, ERROR))
    where = f" ({'; '.join(small)})" if small else ""
    return Verdict(
        answer,
        f"at {USUAL} the other terms are a share of {share} of one step, and over the sequence "
        f"the gradient is 10^({error}) times Π f_t; negligible in {len(small)} of {len(answers)} "
        f"settings{where}",
    )


def negligible(numbers: pd.DataFrame, name: str) -> Answer:
    """Whether the other terms of a setting are."""
    error = estimate(numbers, ERROR, name)
    return all_of(
        is_below(estimate(numbers, SHARE, name), LARGEST_SHARE),
        is_below(error, LARGEST_ERROR),
        is_above(error, -LARGEST_ERROR),
    )


def text(numbers: pd.DataFrame) -> str:
    """A line for each setting, and one for the paths of the usual one."""
    lines = []
    for name, own in numbers.groupby("of", sort=False):
        found = {q: in_words(estimate(own, q, str(name))) for q in own["quantity"]}
        lines.append(
            f"{name}: indirect share {found.get(SHARE)}, Π f_t off by {found.get(ERROR)} decades "
            f"before training, {found.get(SHARE_AT_END)} and {found.get(ERROR_AT_END)} at its end"
        )
        sizes = [f"{path} {found[_size(path)]}" for path in PATHS.values() if _size(path) in found]
        if sizes:
            lines.append(f"{name}: sizes ‖·‖_F/√n of the paths of one step: {', '.join(sizes)}")
    return "\n".join(lines)


def _size(path: str) -> str:
    return f"size of the path {path}"


def figure(before: pd.DataFrame, trained: pd.DataFrame) -> Figure:
    """Share of the indirect paths in one step, and by how much the gradient exceeds Π f_t.

    Above, over training (5 seeds); below, before it (20 seeds), on an axis that is linear between
    the bounds and logarithmic beyond. Columns: recurrent gain. Dotted: what counts as negligible.
    """
    gains = sorted(before["gain"].unique())
    drawn, axes = panels(2, len(gains), sharex="row", sharey="row")
    biases = list(dict.fromkeys(_bias(name) for name in settings_of(before)))
    shares = trained[trained["t"] > 0]
    errors = before[before["step"] == 0]
    for column, gain in zip(axes.T, gains, strict=True):
        _lines(column[0], shares[shares["gain"] == gain], "step", "share", biases)
        _lines(column[1], errors[errors["gain"] == gain], "distance", "error", biases)
        column[0].set_title(f"recurrent gain {gain:g}")
        column[0].set_xlabel("training step")
        column[1].set_title("before training")
        column[1].set_xlabel("steps back in time, $T-t$")
        column[1].axhline(0, color="0.6", linewidth=0.6, zorder=0)
        column[0].axhline(LARGEST_SHARE, color="0.6", linewidth=0.6, linestyle=":", label=JUDGED)
        for bound in (-LARGEST_ERROR, LARGEST_ERROR):
            column[1].axhline(bound, color="0.6", linewidth=0.6, linestyle=":")
        column[1].set_yscale("symlog", linthresh=LARGEST_ERROR)
        column[1].set_yticks(TICKS, map(str, TICKS))
        column[1].minorticks_off()
    axes[0, 0].set_ylabel("share of the indirect paths")
    axes[1, 0].set_ylabel(
        "log$_{10}$ of $\\|\\partial c_T/\\partial c_t\\|_2\\,/\\,\\max\\,\\Pi f$"
    )
    axes[0, 0].set_ylim(bottom=0)
    figure_legend(drawn, list(axes.flat), biases)
    return drawn


def _lines(ax: Axes, frame: pd.DataFrame, x: str, y: str, biases: list[str]) -> None:
    for name, own in frame.groupby("setting", observed=True, sort=False):
        wide = own.pivot_table(index=x, columns="seed", values=y, observed=True)
        seed_band(ax, wide, biases.index(_bias(str(name))), _bias(str(name)))


def _bias(setting: str) -> str:
    return setting.partition(", recurrent_gain")[0]
