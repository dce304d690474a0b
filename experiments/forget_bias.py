"""Claim: ∂C_t/∂C_{t−1} lies in (0, 1), a large b_f moves it to 1, and raising b_f helps learning.

After Gers et al. 2000 and Jozefowicz et al. 2015, who advise b_f = 1.

From ``configs/forget_bias_full.yaml``, and the quick demo ``configs/forget_bias.yaml``, which has
3 seeds and records no Jacobians. Parts of the claim, each for b_f alone (b_i = 0), on every task:

* (a) in (0, 1): ‖∂c_t/∂c_{t−1}‖₂, all paths, mean over t ≥ 1, is below 1 at every b_f. The greatest
  stretch of any direction is judged, since f_t alone, a sigmoid, is in (0, 1) whatever is measured.
* (b) moved to 1: at the greatest b_f mean f_t and ‖∂c_t/∂c_{t−1}‖₂ are both within 10^±0.01
  (0.977 to 1.023): 100 such steps change the gradient less than tenfold.
* (c) the gradient survives: at the greatest b_f more than a tenth of it is left at the first step
  (‖∂c_T/∂c_0‖₂; where no Jacobians are recorded ‖∂L/∂c_0‖/‖∂L/∂c_T‖), and each b_f above 0 leaves
  more than b_f = 0, paired by seed.
* (d) helps learning: each b_f above 0 solves the task earlier than b_f = 0, and none above 1 later
  than b_f = 1, by the share of pairs of runs in which the first is the earlier, above ½ or below
  it. Supported if all of the first are earlier, refuted if one of either is later. Unsolved and
  diverged runs count as the latest. By the interval that an exact permutation test gives: with six
  runs a setting it leaves ½ out only if every run of one setting comes before every run of the
  other; with three it never does.

(a) to (c) are before training. All by whole 95 % intervals, widened for all that are judged, (d)'s
apart, with the b_f that were measured. The claim is supported if all parts are, refuted if one is,
else undecided; a part not measured is undecided. Settings with b_i = −b_f, and chrono, are reported
and not judged.

The copy task has an alphabet of 2. It was chosen in a pilot, after the rule: of 3 symbols from 8,
none of one run each of b_f = 0, 1 and 3 with 32 units was solved within 2,000 steps, so that part
(d) could not have been judged.
"""

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

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
    solved,
)
from rnnlab.report.claims.verdict import Answer, Verdict, all_of, is_above, is_below
from rnnlab.report.figures.against_forget_bias import against_forget_bias
from rnnlab.report.figures.records import top_layer
from rnnlab.report.figures.retention_and_learning import retention_and_learning
from rnnlab.report.findings import Findings, standard_findings
from rnnlab.results.intervals import Estimate
from rnnlab.results.read import Results

FORGET, NORM = "mean f_t before training", "‖∂c_t/∂c_{t−1}‖₂ before training"
RADIUS = "spectral radius of ∂(h, c)_t/∂(h, c)_{t−1} before training"
LEFT = "log10 of the gradient left at the first step before training"
NEAR_ONE = (10**-0.01, 10**0.01)
LABEL = re.compile(r"(.*?)b_f = (-?[\d.]+(?:e[-+]?\d+)?)(.*)")
TIED = "b_i = −b_f"

Members = dict[float, str]
Part = tuple[Answer, str]


def analyse(results: Results) -> Findings:
    """Table, figures, one sentence a setting, and the verdict."""
    standard = standard_findings(results)
    runs = ended(results.runs)
    before = before_training(results.before_training if results.has_before_training else results)
    numbers = numbers_frame([*at_initialisation(before), *learning(runs)])
    if results.has_before_training:
        own = {"forget_bias": against_forget_bias(before, runs, NORM, LEFT)}
    else:
        own = {"forget_bias": retention_and_learning(runs)}
    text = "\n".join([*sentences(standard.table), *not_judged(numbers)])
    return Findings(standard.table, own | standard.figures, text, numbers, decide(numbers))


def families(names: Iterable[str], tied: bool = False) -> dict[str, Members]:
    """Settings that differ in b_f alone: by what else they are called, each b_f's setting.

    Args:
        names: of settings; comparisons "a − b" are left out.
        tied: those with b_i = −b_f, or those without.
    """
    found: dict[str, Members] = {}
    for name in names:
        match = LABEL.fullmatch(name)
        if match and " − " not in name and (TIED in name) == tied:
            before, bias, after = match.groups()
            found.setdefault(f"{before}b_f{after}", {})[float(bias)] = name
    return {key: dict(sorted(own.items())) for key, own in found.items() if len(own) > 1}


def before_training(results: Results) -> pd.DataFrame:
    """One row a run: f_t, what is left of the gradient, and, with Jacobians, size of one step."""
    runs = ended(results.runs)
    frame = runs.assign(**{FORGET: runs["forget_first"].astype(float)})
    if results.has_jacobians:
        record = results.jacobians[results.jacobians["step"] == 0]
        columns = _of_jacobians(top_layer(record))
    else:
        record = results.gradients[results.gradients["step"] == 0]
        columns = _of_gradients(top_layer(record[record["quantity"] == "c"]))
    return frame.join(columns, on="run")


def _of_jacobians(record: pd.DataFrame) -> pd.DataFrame:
    later = record[record["t"] > 0].groupby("run")
    first = record[record["t"] == 0].set_index("run")
    return pd.DataFrame(
        {
            NORM: later["total_spectral"].mean(),
            RADIUS: later["spectral_radius"].mean(),
            LEFT: first["log10_sensitivity"],
        }
    )


def _of_gradients(record: pd.DataFrame) -> pd.DataFrame:
    first, last = (
        record[record[column] == 0].set_index("run")["log10_mean"] for column in ("t", "distance")
    )
    return pd.DataFrame({LEFT: first - last})


def at_initialisation(before: pd.DataFrame) -> list[Number]:
    """What parts (a) to (c) rest on."""
    known = set(before.dropna(subset=LEFT)["setting"])
    judged = families(before["setting"]).values()
    pairs = [pair for own in judged for pair in _against(own, 0.0) if known.issuperset(pair)]
    ones = sum(map(len, judged)) if NORM in before else 0
    many = max(1, ones + 2 * len(judged) + len(pairs))
    quantities = [name for name in (FORGET, NORM, RADIUS, LEFT) if name in before]
    means = [number for name in quantities for number in mean_of(before, name, many)]
    return [*means, *(differences(before, LEFT, pairs, many) if pairs else [])]


def learning(runs: pd.DataFrame) -> list[Number]:
    """What part (d) rests on."""
    pairs = [
        pair
        for own in families(runs["setting"]).values()
        for reference in (0.0, 1.0)
        for pair in _against(own, reference)
    ]
    return [*solved(runs), *earlier(runs, pairs, max(1, len(pairs)))]


def _against(own: Members, reference: float) -> list[tuple[str, str]]:
    """Each setting with a larger b_f, and the one with this b_f if there is one."""
    if reference not in own:
        return []
    return [(name, own[reference]) for bias, name in own.items() if bias > reference]


def decide(numbers: pd.DataFrame) -> Verdict:
    """By the rule above."""
    parts = {
        "(a) in (0, 1)": one_step(numbers),
        "(b) moved to 1": moved(numbers),
        "(c) survives": survives(numbers),
        "(d) helps learning": helps(numbers),
    }
    words = (f"{name} {answer}: {evidence}" for name, (answer, evidence) in parts.items())
    return Verdict(all_of(*(answer for answer, _ in parts.values())), "; ".join(words))


def _judged(numbers: pd.DataFrame, quantity: str) -> list[Members]:
    names = numbers.loc[numbers["quantity"] == quantity, "of"].astype(str)
    return list(families(names).values())


def _of(numbers: pd.DataFrame, quantity: str, names: Iterable[str]) -> dict[str, Estimate]:
    """Of each of these, if it was measured."""
    found = {name: estimate(numbers, quantity, name) for name in names}
    return {name: value for name, value in found.items() if not np.isnan(value.mean)}


def _greatest(numbers: pd.DataFrame, quantity: str) -> dict[str, Estimate]:
    """At the greatest b_f of each task."""
    return _of(numbers, quantity, (own[max(own)] for own in _judged(numbers, quantity)))


def _versus(pairs: list[tuple[str, str]]) -> list[str]:
    return [f"{one} − {other}" for one, other in pairs]


def one_step(numbers: pd.DataFrame) -> Part:
    """Part (a)."""
    judged = (name for own in _judged(numbers, NORM) for name in own.values())
    sizes = _of(numbers, NORM, judged)
    if not sizes:
        return Answer.UNDECIDED, "∂C_t/∂C_{t−1} was not recorded"
    most = max(sizes, key=lambda name: sizes[name].mean)
    answer = all_of(*(is_below(size, 1.0) for size in sizes.values()))
    return answer, f"norm up to {in_words(sizes[most])} ({most})"


def moved(numbers: pd.DataFrame) -> Part:
    """Part (b)."""
    forget, sizes = _greatest(numbers, FORGET), _greatest(numbers, NORM)
    answers = [_is_near_one(size) for size in (*forget.values(), *sizes.values())]
    words = []
    for what, found in (("f_t", forget), ("norm", sizes)):
        if found:
            worst = max(found, key=lambda name: abs(np.log(found[name].mean)))
            words.append(f"{what} {in_words(found[worst], '.4g')} ({worst})")
    if not sizes:
        answers.append(Answer.UNDECIDED)
        words.append("the other paths were not recorded")
    return all_of(*answers), ", ".join(words)


def _is_near_one(size: Estimate) -> Answer:
    low, high = NEAR_ONE
    return all_of(is_above(size, low), is_below(size, high))


def survives(numbers: pd.DataFrame) -> Part:
    """Part (c)."""
    left = _greatest(numbers, LEFT)
    pairs = [pair for own in _judged(numbers, LEFT) for pair in _against(own, 0.0)]
    gains = _of(numbers, LEFT, _versus(pairs))
    if not left or not gains:
        return Answer.UNDECIDED, "no settings differ in b_f alone, from 0 on"
    answers = [is_above(value, -1.0) for value in left.values()]
    answers += [is_above(gain, 0.0) for gain in gains.values()]
    least, closest = (min(of, key=lambda name: of[name].mean) for of in (left, gains))
    words = f"10^({in_words(left[least])}) left ({least}), decades gained over b_f = 0 at least "
    return all_of(*answers), words + f"{in_words(gains[closest])} ({closest.partition(' − ')[0]})"


def helps(numbers: pd.DataFrame) -> Part:
    """Part (d)."""
    judged = _judged(numbers, "solved at")
    than_0, than_1 = (
        {
            name: is_above(share, 0.5)
            for own in judged
            for name, share in _of(numbers, EARLIER, _versus(_against(own, reference))).items()
        }
        for reference in (0.0, 1.0)
    )
    if not than_0:
        return Answer.UNDECIDED, "no settings differ in b_f alone, from 0 on"
    harms = [name for name, answer in than_1.items() if answer is Answer.REFUTED]
    found = list(than_0.values())
    words = (
        f"earlier than b_f = 0 in {found.count(Answer.SUPPORTED)} of {len(found)} settings, later "
        f"in {found.count(Answer.REFUTED)}, later than b_f = 1 in {len(harms)} of {len(than_1)}"
    )
    named = ", ".join(name.partition(" − ")[0] for name in harms)
    answer = all_of(*found, *(than_1[name] for name in harms))
    return answer, f"{words} ({named})" if harms else words


def not_judged(numbers: pd.DataFrame) -> list[str]:
    """A line for the greatest tied b_f of each task, where Jacobians are recorded."""
    names = numbers.loc[numbers["quantity"] == NORM, "of"].astype(str)
    tops = (own[max(own)] for own in families(names, tied=True).values())
    return [
        f"not judged, {name}: norm {in_words(estimate(numbers, NORM, name), '.4g')}, "
        f"10^({in_words(estimate(numbers, LEFT, name))}) of the gradient left"
        for name in tops
    ]


def sentences(table: pd.DataFrame) -> list[str]:
    """What the table says, a line a setting."""
    lines = []
    for _, row in table[table["decay_first"].notna()].iterrows():
        decay = row["decay_first"]
        direction = "shrinks" if decay < 0 else "grows"
        solved = f"solved in {row['solved']} of {row['runs']} runs"
        if np.isfinite(row["solved_at"]):
            solved += f", at step {row['solved_at']:.0f} (median)"
        lines.append(
            f"{row['setting']}: mean f_t {row['forget_first']:.3f} before training, where the "
            f"gradient {direction} by {abs(decay):.4f} decades a step going back; {solved}."
        )
    return lines
