"""Claim: training moves the forget gate to the length that the task needs.

A unit whose forget gate stays at f keeps its state for 1/(1 − f) steps, its time scale. An LSTM
starts from b_f = 0, 1, 3, 5 or chrono's (b_i = −b_f, so that more of them learn) and is trained on
adding at several lengths T. What must last are the slowest units: the time scale of a run at a
training step is that of the upper tenth, 1/(1 − q90(f_t)), where q90 is the 90 % quantile over
units and examples, as the geometric mean over t. (1/(1 − f) grows with f, so its quantiles are
those of f; 1 − q90 is taken as 2⁻²⁴, float32's resolution below 1, where it reads 0.) By runs that
solved the task, with their seeds as the sample, the claim says two things:

* the gate follows the length: the slope of log10 time scale at the end of training against log10
  T, pooled over the constant b_f, each with a level of its own, is above 0.5. At the start it is
  about 0, as b_f does not know T; a time scale proportional to T has slope 1, so 0.5 is half-way.
  Chrono's b_f depends on T from the start and is left out of the slope;
* from wherever it starts: the spread of log10 time scale over the five b_f, pooled over T, is at
  the end below half of what it was at the start in the same runs.

Each by the whole 95 % interval of the median over seeds, widened for both. The claim is supported
if both hold, refuted if one is on the other side, else undecided. A seed has a slope if one b_f
solved two lengths or more, a spread if one length was solved from two b_f or more. Time scales,
those of the lower tenth among them, are reported and not judged.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.claims.claim import Claim, Judged, Measured
from rnnlab.report.claims.evidence import Number, bias_name, number, numbers_frame
from rnnlab.report.claims.headline import Headline
from rnnlab.report.claims.rules import Part, Rule, above, below, judged_together
from rnnlab.report.claims.words import estimate, in_words
from rnnlab.report.figures.captions import caption_of
from rnnlab.report.figures.palette import styles_of
from rnnlab.report.figures.records import top_layer
from rnnlab.report.figures.seeds import UNSOLVED, beside, seed_lines
from rnnlab.report.figures.style import figure_legend, panels
from rnnlab.results.intervals import median_interval, share_interval
from rnnlab.results.read import Results

RESOLUTION = 2.0**-24
QUANTILES = {"q90": "upper", "q10": "lower"}
ENDS = {"first": "before training", "last": "at the end of training"}
SLOPE, SLOPE_BEFORE = (
    f"slope of log10 time scale against log10 T, {end}" for end in ("last", "first")
)
SPREAD = "spread over initial b_f, at the end / before training"
POOLED = "runs that solved the task"
PARTS = [
    Part("the gate follows the length", [Rule(SLOPE, POOLED, above(0.5))]),
    Part("from wherever it starts", [Rule(SPREAD, POOLED, below(0.5))]),
]


def measure(results: Results) -> Measured:
    """Time scales by length and initial bias, before training and at its end."""
    scales = time_scales(results.gates, results.runs)
    ends = at_ends(scales)
    numbers = numbers_frame([*judged(ends), *by_setting(ends)])
    return Measured(numbers, figure(scales), text(numbers), caption=caption_of(figure))


def time_scales(gates: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """One row a run and record: log10 time scale of either tenth, T, and facts of the run.

    These are its ``bias`` in words, ``is_constant`` of it, ``is_solved``.
    """
    forget = top_layer(gates[gates["gate"] == "f"])
    left = {q: np.maximum(1 - forget[q].astype(float), RESOLUTION) for q in QUANTILES}
    scales = forget.assign(**{q: -np.log10(values) for q, values in left.items()})
    means = scales.groupby(["run", "step"], sort=False)[list(QUANTILES)].mean().reset_index()
    facts = pd.DataFrame(
        {
            "run": runs["run"],
            "seed": runs["seed"],
            "T": runs["task.length"],
            "bias": runs["cell.forget_bias"].map(bias_name),
            "is_constant": runs["cell.forget_bias"] != "chrono",
            "is_solved": runs["solved_at"].notna() & (runs["status"] == "finished"),
        }
    )
    return means.merge(facts, on="run")


def at_ends(scales: pd.DataFrame) -> pd.DataFrame:
    """One row a run: ``q90_first``, ``q90_last`` and so on."""
    ordered = scales.sort_values("step", kind="stable")
    facts = ["run", "seed", "T", "bias", "is_constant", "is_solved"]
    groups = ordered.groupby(facts, sort=False)
    columns = {f"{q}_{end}": (q, end) for q in QUANTILES for end in ENDS}
    return groups.agg(**columns).reset_index()


def judged(ends: pd.DataFrame) -> list[Number]:
    """Slope and spread, over seeds."""
    solved = ends[ends["is_solved"]]
    constant = solved[solved["is_constant"]]
    return [
        _over_seeds(constant, lambda own: slope(own, "q90_last"), SLOPE),
        _over_seeds(constant, lambda own: slope(own, "q90_first"), SLOPE_BEFORE),
        _over_seeds(solved, spread_ratio, SPREAD),
    ]


def _over_seeds(runs: pd.DataFrame, value: Callable[[pd.DataFrame], float], name: str) -> Number:
    values = np.array([value(own) for _, own in runs.groupby("seed")], float)
    values = values[~np.isnan(values)]
    many = judged_together(PARTS)
    return number(name, POOLED, median_interval(values, many), len(values), many)


def slope(runs: pd.DataFrame, column: str) -> float:
    """Slope of log10 time scale against log10 T within each bias; NaN if none has two lengths."""
    log_lengths = pd.Series(np.log10(runs["T"].to_numpy(float)), runs.index)
    centred = log_lengths - log_lengths.groupby(runs["bias"]).transform("mean")
    x, y = centred.to_numpy(float), runs[column].to_numpy(float)
    return float(x @ y / (x @ x)) if x @ x > 0 else np.nan


def spread_ratio(runs: pd.DataFrame) -> float:
    """Ratio of standard deviations over biases, pooled over T; NaN if no T has two biases."""
    last, first = (
        float(((runs[column] - runs.groupby("T")[column].transform("mean")) ** 2).sum())
        for column in ("q90_last", "q90_first")
    )
    return float(np.sqrt(last / first)) if first > 0 else np.nan


def by_setting(ends: pd.DataFrame) -> list[Number]:
    """How many runs solved the task, and the time scales of these, by length and bias."""
    found: list[Number] = []
    for (length, bias), own in ends.groupby(["T", "bias"], sort=False):
        of, solved = f"T = {length}, {bias}", own[own["is_solved"]]
        found.append(number("share solved", of, share_interval(len(solved), len(own)), len(own)))
        for q in QUANTILES:
            for end in ENDS:
                steps = median_interval(10 ** solved[f"{q}_{end}"])
                found.append(number(_time_scale(q, end), of, steps, len(solved)))
    return found


def _time_scale(q: str, end: str) -> str:
    return f"time scale of the {QUANTILES[q]} tenth in steps, {ENDS[end]}"


def evidence(judged: Judged) -> str:
    """Tell slope and spread, and the share of runs that solve the task."""
    slope_last, slope_first, spread = (
        estimate(judged.numbers, name, POOLED) for name in (SLOPE, SLOPE_BEFORE, SPREAD)
    )
    return (
        f"log10 time scale rises by {in_words(slope_last, '.2f')} per decade of T after training "
        f"({in_words(slope_first, '.2f')} before; proportional: 1), its spread over initial b_f "
        f"ends at {in_words(spread, '.2f')} of what it was; "
        f"solved in {_solved(judged.numbers)} of runs"
    )


def _solved(numbers: pd.DataFrame) -> str:
    shares = numbers[numbers["quantity"] == "share solved"]
    return f"{np.average(shares['value'], weights=shares['runs']):.0%}"


def text(numbers: pd.DataFrame) -> str:
    """A line for each length and bias."""
    lines = []
    for of in numbers.loc[numbers["quantity"] == "share solved", "of"]:
        share = estimate(numbers, "share solved", of)
        scales = [
            f"{QUANTILES[q]} tenth "
            + " → ".join(in_words(estimate(numbers, _time_scale(q, end), of)) for end in ENDS)
            for q in QUANTILES
        ]
        lines.append(
            f"{of}: solved in {share.mean:.0%} of runs; time scale {', '.join(scales)} steps"
        )
    return "\n".join(lines)


def figure(scales: pd.DataFrame) -> Figure:
    """Time scale of the slowest gates over training at each T, and at its end against T.

    Lines are medians over all seeds, also those that did not solve the task, each of which is a
    thin line. In the last panel a mark is a run; open: unsolved.
    """
    lengths, biases = (list(dict.fromkeys(scales[column])) for column in ("T", "bias"))
    columns = min(3, len(lengths) + 1)
    rows = -(-(len(lengths) + 1) // columns)
    drawn, axes = panels(rows, columns, sharey=True)
    over_training = list(axes.flat)[: len(lengths)]
    for ax in list(axes.flat)[len(lengths) :]:
        ax.remove()
    grid = axes[0, 0].get_gridspec()
    at_end = drawn.add_subplot(grid[-1, len(lengths) % columns :], sharey=axes[0, 0])
    for ax, length in zip(over_training, lengths, strict=True):
        _over_training(ax, scales[scales["T"] == length], biases)
        ax.axhline(
            np.log10(length), color="0.5", linewidth=0.8, linestyle=":", label="time scale = T"
        )
        ax.set_title(f"adding, T = {length}")
        ax.set_xlabel("training step")
    _against_length(at_end, scales, biases)
    for ax in (*over_training, at_end):
        if ax.get_subplotspec().is_first_col():
            ax.set_ylabel("$\\log_{10}$ time scale in steps,\nupper tenth of $1/(1-f_t)$")
    figure_legend(drawn, [*over_training, at_end], biases)
    return drawn


def _over_training(ax: Axes, scales: pd.DataFrame, biases: list[str]) -> None:
    """Median over seeds, solved or not, and each seed."""
    for bias, style in styles_of(biases).items():
        own = scales[scales["bias"] == bias]
        if not own.empty:
            wide = own.pivot_table(index="step", columns="seed", values="q90")
            seed_lines(ax, wide, style, bias)


def _against_length(ax: Axes, scales: pd.DataFrame, biases: list[str]) -> None:
    """A mark a run: filled where it solved the task; lengths are equally far apart."""
    last = scales[scales["step"] == scales.groupby("run")["step"].transform("max")]
    lengths = sorted(set(scales["T"]))
    ax.set_xticks(range(len(lengths)), [f"{length:g}" for length in lengths])
    ax.set_xlim(-0.6, len(lengths) - 0.4)
    ax.plot(np.log10(lengths), color="0.5", linewidth=0.8, linestyle=":")
    drawn = [
        (style, place + 0.18 * (style.index - (len(biases) - 1) / 2), own)
        for bias, style in styles_of(biases).items()
        for place, length in enumerate(lengths)
        for own in [last[(last["bias"] == bias) & (last["T"] == length)]]
    ]
    scales_of = [own["q90"].to_numpy() for *_, own in drawn]
    middles = [middle for _, middle, _ in drawn]
    places, size = beside(ax, scales_of, middles, room=0.16, upright=True)
    for (style, _, own), at in zip(drawn, places, strict=True):
        look = style.line | {"linestyle": "", "markersize": size}
        for is_solved, change in ((True, {}), (False, UNSOLVED)):
            wanted = (own["is_solved"] == is_solved).to_numpy()
            ax.plot(at[wanted], own["q90"][wanted], **look | change)
    ax.set_xlabel("T")
    note = " (open: unsolved)" if not last["is_solved"].all() else ""
    ax.set_title(f"at the end{note}")


HEADLINES = [
    Headline(
        SLOPE,
        [POOLED],
        "decades by which the time scale of the gate rises for each decade of length T, after "
        "training (proportional: 1)",
        ".2f",
    )
]
analyse = Claim("gates_learn", measure, PARTS, evidence, headlines=HEADLINES, says=__doc__)
