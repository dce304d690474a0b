"""Claim: ∂c_t/∂c_{t−1} = f_t; the other terms do not depend on c_{t−1}.

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

from collections.abc import Callable

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.claims.claim import Claim, Judged, Measured
from rnnlab.report.claims.evidence import Number, bias_name, mean_of, median_of, numbers_frame
from rnnlab.report.claims.headline import Headline
from rnnlab.report.claims.rules import Part, Rule, below, between, if_measured
from rnnlab.report.claims.verdict import Answer, all_of
from rnnlab.report.claims.words import estimate, in_words, is_measured
from rnnlab.report.figures.captions import caption_of
from rnnlab.report.figures.palette import styles_of
from rnnlab.report.figures.records import top_layer
from rnnlab.report.figures.seeds import seed_lines
from rnnlab.report.figures.style import figure_legend, panels
from rnnlab.results.read import Results

SHARE = "share of the indirect paths before training"
ERROR = "log10 ‖∂c_T/∂c_0‖₂ − log10 max Π f_t before training"
SHARE_AT_END = "share of the indirect paths at the end of training"
ERROR_AT_END = "log10 ‖∂c_T/∂c_0‖₂ − log10 max Π f_t at the end of training"
PATHS = {"direct": "f_t", "f": "through f", "i": "through i", "g": "through g"}
LARGEST_SHARE, LARGEST_ERROR = 0.05, 0.3
JUDGED, WITHIN = "negligible below", "negligible within"
USUAL = {
    "cell.forget_bias": 1,
    "cell.input_bias": 0,
    "cell.recurrent_kernel": "orthogonal",
    "cell.recurrent_gain": 1,
}


def measure(results: Results) -> Measured:
    """Share of the indirect paths and error of Π f_t, before training and at its end."""
    before, trained = of_top_layer(results.before_training), of_top_layer(results)
    numbers = numbers_frame([*judged(before), *paths(before), *at_end(trained)])
    return Measured(numbers, figure(before, trained), text(numbers), caption=caption_of(figure))


def of_top_layer(results: Results) -> pd.DataFrame:
    """Jacobians of the top layer of finished runs, with ``gain``, ``distance`` and ``error``.

    Also ``bias``, a categorical, and whether the setting ``is_usual``.
    """
    runs = results.runs.set_index("run")
    starts = zip(runs["cell.forget_bias"], runs["cell.input_bias"], strict=True)
    names = [_bias(*start) for start in starts]
    biases = pd.Series(pd.Categorical(names, list(dict.fromkeys(names))), runs.index)
    record = top_layer(results.jacobians)
    record = record[record["run"].isin(runs.index[runs["status"] == "finished"])]
    return record.assign(
        gain=record["run"].map(runs["cell.recurrent_gain"]),
        bias=record["run"].map(biases),
        is_usual=record["run"].map(is_usual(runs)),
        distance=record["t"].max() - record["t"],
        error=record["log10_excess"],
    )


def _bias(forget_bias: object, input_bias: object) -> str:
    return bias_name(forget_bias) + (", b_i = −b_f" if input_bias == "tied" else "")


def is_usual(settings: pd.DataFrame) -> pd.Series:
    """Mark the settings, or runs, with b_f = 1, b_i = 0 and orthogonal kernels of gain 1."""
    return (settings[list(USUAL)] == pd.Series(USUAL)).all(axis=1)


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
    own = before[before["is_usual"] & (before["step"] == 0) & (before["t"] > 0)]
    columns = {f"{part}_frobenius": _size(path) for part, path in PATHS.items()}
    keys = ["run", "setting", "seed"]
    values = own.groupby(keys, observed=True)[list(columns)].mean().rename(columns=columns)
    values = values.reset_index()
    return [number for name in columns.values() for number in mean_of(values, name)]


def at_end(trained: pd.DataFrame) -> list[Number]:
    """Share and error of each setting at the last record."""
    last = trained[trained["step"] == trained.groupby("run")["step"].transform("max")]
    values = of_each_run(last, SHARE_AT_END, ERROR_AT_END)
    return [*median_of(values, SHARE_AT_END), *median_of(values, ERROR_AT_END)]


def parts(numbers: pd.DataFrame, settings: pd.DataFrame) -> list[Part]:
    """One part for each setting; only that of the usual setting can refute the claim."""
    before = settings[settings["before_training"]]
    usual = is_usual(before)
    if not usual.any():
        return []
    return [
        negligible(name, all_of if may_refute else unless_refuted)
        for name, may_refute in zip(before["setting"], usual, strict=True)
    ]


def negligible(name: str, combine: Callable[..., Answer]) -> Part:
    """The other terms of a setting are negligible."""
    share = Rule(SHARE, name, below(LARGEST_SHARE))
    error = Rule(ERROR, name, between(-LARGEST_ERROR, LARGEST_ERROR))
    return Part(name, if_measured(share, error), combine)


def unless_refuted(*answers: Answer) -> Answer:
    """Supported if all are, else undecided."""
    return Answer.SUPPORTED if all_of(*answers) is Answer.SUPPORTED else Answer.UNDECIDED


def evidence(judged: Judged) -> str:
    """Share and error of the usual setting, and where the other terms are negligible."""
    before, numbers = judged.settings[judged.settings["before_training"]], judged.numbers
    usual = list(before.loc[is_usual(before), "setting"])
    if not usual or not is_measured(numbers, SHARE, usual[0]):
        return "b_f = 1, recurrent_gain = 1 was not measured"
    share, error = (in_words(estimate(numbers, quantity, usual[0])) for quantity in (SHARE, ERROR))
    small = [name for name, answer in judged.answers.items() if answer is Answer.SUPPORTED]
    where = f" ({'; '.join(small)})" if small else ""
    return (
        f"at {usual[0]} the other terms are a share of {share} of one step, and over the sequence "
        f"the gradient is 10^({error}) times Π f_t; negligible in {len(small)} of "
        f"{len(judged.parts)} settings{where}"
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

    Above, over training (5 seeds); below, before it (20 seeds), in decades, with an axis for each
    gain. Columns: recurrent gain. Lines are medians over seeds, each seed is a thin line. What
    counts as negligible is below the dotted line above, and in the grey band below.
    """
    gains = sorted(before["gain"].unique())
    drawn, axes = panels(2, len(gains), sharex="row")
    biases = list(before["bias"].cat.categories)
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
        column[0].axhline(LARGEST_SHARE, color="0.4", linewidth=0.8, linestyle=":", label=JUDGED)
        column[1].axhspan(-LARGEST_ERROR, LARGEST_ERROR, color="0.88", zorder=0, label=WITHIN)
    for ax in axes[0, 1:]:
        ax.sharey(axes[0, 0])
    axes[0, 0].set_ylabel("share of the indirect paths")
    axes[1, 0].set_ylabel(
        "log$_{10}$ of $\\|\\partial c_T/\\partial c_t\\|_2\\,/\\,\\max\\,\\Pi f$"
    )
    axes[0, 0].set_ylim(bottom=0)
    figure_legend(drawn, list(axes.flat), biases)
    return drawn


def _lines(ax: Axes, frame: pd.DataFrame, x: str, y: str, biases: list[str]) -> None:
    looks = styles_of(biases)
    for bias, own in frame.groupby("bias", observed=True, sort=False):
        wide = own.pivot_table(index=x, columns="seed", values=y, observed=True)
        seed_lines(ax, wide, looks[str(bias)], str(bias))


HEADLINES = [
    Headline(
        SHARE,
        ["b_f = 1, recurrent_gain = 1"],
        "share of the indirect paths in one step ({of}); below 0.05 it is negligible",
    )
]
analyse = Claim("direct_vs_total", measure, parts, evidence, headlines=HEADLINES, says=__doc__)
