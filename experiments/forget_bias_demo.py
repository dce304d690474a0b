"""Claim: ∂c_t/∂c_{t−1} lies in (0, 1), a large b_f moves it to 1, and raising b_f helps learning.

The quick version of ``forget_bias_full``, whose rule it has, on adding alone and with fewer b_f,
told in one figure and three sentences: what the least and the greatest b_f alone (b_i = 0) do to
f_t and ∂c_t/∂c_{t−1} before training, what the tie b_i = −b_f changes, and which runs learn.
"""

import math
from collections.abc import Callable

import pandas as pd
from forget_bias import (
    FORGET,
    HEADLINES,
    LEFT,
    NEAR_ONE,
    NORM,
    at_start,
    before_training,
    evidence,
    helps,
    learning,
    parts,
    untied,
)
from matplotlib.figure import Figure

from rnnlab.report.claims.claim import Claim, Measured
from rnnlab.report.claims.evidence import mean_of, numbers_frame
from rnnlab.report.claims.families import Family
from rnnlab.report.claims.learning import ended
from rnnlab.report.claims.rules import between
from rnnlab.report.claims.start import one_step
from rnnlab.report.claims.verdict import Answer
from rnnlab.report.claims.words import estimate_if_measured, in_words
from rnnlab.report.figures.captions import caption_of
from rnnlab.report.figures.paths_and_learning import paths_and_learning
from rnnlab.report.figures.retention_and_learning import retention_and_learning
from rnnlab.report.findings import KeyNumber
from rnnlab.results.intervals import Estimate
from rnnlab.results.read import Results

DIRECT = "‖direct part of ∂c_t/∂c_{t−1}‖₂ before training"
INDIRECT = "‖indirect part of ∂c_t/∂c_{t−1}‖₂ before training"
BIASES = ("cell.forget_bias", "cell.input_bias")
PATHS = {"total": NORM, "direct": DIRECT, "indirect": INDIRECT}
STAYS = {
    Answer.SUPPORTED: "stays near one",
    Answer.REFUTED: "does not stay near one",
    Answer.UNDECIDED: "may or may not stay near one",
}
LEARNS = {
    Answer.SUPPORTED: "a larger b_f helps learning",
    Answer.REFUTED: "raising b_f can harm learning",
    Answer.UNDECIDED: "whether a larger b_f helps learning is undecided",
}


def measure(results: Results) -> Measured:
    """Numbers of ``forget_bias``, sizes of the two parts of a step, and what they come to."""
    runs = ended(results.runs)
    measured = results.before_training if results.has_before_training else results
    before = with_parts(before_training(measured), measured)
    of_parts = [n for name in (DIRECT, INDIRECT) if name in before for n in mean_of(before, name)]
    numbers = numbers_frame([*at_start(before), *learning(runs), *of_parts])
    draw, tables = figure(before, runs)
    return Measured(
        numbers,
        draw(*tables),
        caption=caption_of(draw),
        answer=answer(numbers, before, runs),
        sentences=[*of_one_step(numbers, before), *of_learning(numbers, runs)],
        key_numbers=key_numbers(numbers, before, runs),
    )


def with_parts(before: pd.DataFrame, measured: Results) -> pd.DataFrame:
    """Add the sizes of the direct and of the indirect part, means over t ≥ 1 of the top layer."""
    if not measured.has_jacobians:
        return before
    columns = {DIRECT: "direct_spectral", INDIRECT: "indirect_spectral"}
    return before.join(one_step(measured.jacobians, columns), on="run")


def figure(
    before: pd.DataFrame, runs: pd.DataFrame
) -> tuple[Callable[..., Figure], tuple[object, ...]]:
    """What draws one step by path against b_f; without Jacobians, what else is known."""
    if DIRECT in before:
        return paths_and_learning, (before, runs, PATHS, LEFT)
    return retention_and_learning, (runs,)


def alone(settings: pd.DataFrame) -> Family:
    """The settings that differ in b_f alone, of the first task; empty if there are none."""
    return next(iter(untied(settings)), {})


def tied(settings: pd.DataFrame) -> Family:
    """The settings that differ from those of ``alone`` in b_i = −b_f, and their numeric b_f."""
    own = alone(settings)
    if not own:
        return {}
    rows = settings.drop_duplicates("setting").set_index("setting")
    others = [key for key in rows if "." in str(key) and key not in BIASES]
    kinds = [repr(kind) for kind in rows[others].itertuples(index=False, name=None)]
    is_same = pd.Series(kinds, rows.index) == kinds[rows.index.get_loc(own[max(own)])]
    biases = pd.to_numeric(rows["cell.forget_bias"], errors="coerce")
    found = biases[is_same & (rows["cell.input_bias"] == "tied")].dropna().sort_values()
    return {float(bias): str(name) for name, bias in found.items()}


def is_known(found: Estimate) -> bool:
    """Whether it was measured."""
    return not math.isnan(found.mean)


def answer(numbers: pd.DataFrame, before: pd.DataFrame, runs: pd.DataFrame) -> str:
    """One sentence on ∂c_t/∂c_{t−1} and on learning; empty where neither was measured."""
    own, beside = alone(before), tied(before)
    most = own[max(own)] if own else ""
    norm = estimate_if_measured(numbers, NORM, most)
    if not is_known(norm):
        return ""
    judge = between(*NEAR_ONE)
    step = f"With {most} alone the norm of ∂c_t/∂c_{{t−1}} {STAYS[judge(norm)]} ({norm.mean:.3g})"
    clauses = [f"{step}, and {LEARNS[helps(numbers, untied(runs)).answer(numbers)]}"]
    with_tie = estimate_if_measured(numbers, NORM, beside.get(max(own), ""))
    if is_known(with_tie):
        stays = f"{STAYS[judge(with_tie)]} ({with_tie.mean:.3g})"
        clauses.append(f"with b_i = −b_f as well it {stays}")
    if trained := tied(runs):
        name = trained[max(trained)]
        clauses.append(f"{solved_in(runs, name)} learn the task with {name}")
    return f"{'; '.join(clauses)}."


def of_one_step(numbers: pd.DataFrame, before: pd.DataFrame) -> list[str]:
    """What b_f does to f_t, and what that does to ∂c_t/∂c_{t−1}."""
    own = alone(before)
    if not own:
        return []
    least, most = own[min(own)], own[max(own)]
    gates = [in_words(estimate_if_measured(numbers, FORGET, name)) for name in (least, most)]
    found = [
        f"b_f sets the forget gate: before training its mean f_t is {gates[0]} with {least}, and "
        f"{gates[1]} with {most}."
    ]
    norm = estimate_if_measured(numbers, NORM, most)
    if not is_known(norm):
        return found
    sentence = (
        f"∂c_t/∂c_{{t−1}} is f_t plus paths through h_{{t−1}}: with {most} its norm is "
        f"{in_words(norm)}, and above 1 some gradients grow"
    )
    with_tie = estimate_if_measured(numbers, NORM, tied(before).get(max(own), ""))
    if is_known(with_tie):
        sentence += f"; with b_i = −b_f as well it is {in_words(with_tie)}"
    return [*found, f"{sentence}."]


def of_learning(numbers: pd.DataFrame, runs: pd.DataFrame) -> list[str]:
    """How many runs solve the task with b_f alone, and when those do that are the earliest."""
    own = alone(runs)
    if not own:
        return []
    biases = ", ".join(f"{bias:g}" for bias in own)
    sentence = f"With b_f = {biases} alone {solved_in(runs, *own.values())} solve the task"
    at = {
        name: estimate_if_measured(numbers, "solved at", name)
        for name in (*own.values(), *tied(runs).values())
    }
    first = min(at, key=lambda name: at[name].mean)
    if math.isfinite(at[first].mean):
        step = in_words(at[first], ".0f")
        sentence += f"; {solved_in(runs, first)} do with {first}, at step {step} (median)"
    return [f"{sentence}."]


def solved_in(runs: pd.DataFrame, *names: str) -> str:
    """How many runs of these settings solved the task: "2, 6 of 6 runs"."""
    each = [runs.loc[runs["setting"] == name, "solved_at"] for name in names]
    counts, totals = [own.notna().sum() for own in each], [len(own) for own in each]
    if len(set(totals)) == 1:
        return f"{', '.join(map(str, counts))} of {totals[0]} runs"
    pairs = zip(counts, totals, strict=True)
    return f"{', '.join(f'{count} of {total}' for count, total in pairs)} runs"


def key_numbers(numbers: pd.DataFrame, before: pd.DataFrame, runs: pd.DataFrame) -> list[KeyNumber]:
    """The size of one step with the greatest b_f, with and without the tie, and when it learns."""
    own, beside, trained = alone(before), tied(before), tied(runs)
    found = []
    if own:
        most = max(own)
        meaning = "mean norm of one step before training, all paths; above 1 some gradients grow"
        found = [
            KeyNumber(f"‖∂c_t/∂c_{{t−1}}‖, {several[most]}", size, ".3g", meaning)
            for several in (own, beside)
            if is_known(size := estimate_if_measured(numbers, NORM, several.get(most, "")))
        ]
    names = trained or alone(runs)
    if names:
        name = names[max(names)]
        meaning = "median training step at which the task is solved; ∞: by half the runs at most"
        at = estimate_if_measured(numbers, "solved at", name)
        found.append(KeyNumber(f"solved at step, {name}", at, ".0f", meaning))
    return found


analyse = Claim("forget_bias_demo", measure, parts, evidence, headlines=HEADLINES, says=__doc__)
