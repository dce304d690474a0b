"""Claim: ∂C_t/∂C_{t−1} lies in (0, 1), a large b_f moves it to 1, and raising b_f helps learning.

From ``configs/forget_bias_full.yaml``, and the quick demo ``configs/forget_bias.yaml``, which has
3 seeds and records no Jacobians. Parts of the claim, each for b_f alone (b_i = 0), on every task:

* (a) in (0, 1): ‖∂c_t/∂c_{t−1}‖₂, all paths, mean over t ≥ 1, is below 1 at every b_f. The greatest
  stretch of any direction is judged, since f_t alone, a sigmoid, is in (0, 1) whatever is measured.
* (b) moved to 1: at the greatest b_f mean f_t and ‖∂c_t/∂c_{t−1}‖₂ are both within 10^±0.01
  (0.977 to 1.023): 100 such steps change the gradient less than tenfold.
* (c) the gradient survives: at the greatest b_f more than a tenth of it is left at the first step
  (‖∂c_T/∂c_0‖₂; where no Jacobians are recorded ‖∂L/∂c_0‖/‖∂L/∂c_T‖), and each b_f above 0 leaves
  more than b_f = 0, paired by seed.
* (d) helps learning: each b_f above 0 solves the task sooner than b_f = 0, and none above 1 later
  than b_f = 1. Supported if all of the first are, refuted if one of either solves later. By rank
  sum tests of ``solved_at`` at P < 0.05, corrected for all of them (Holm); unsolved runs count as
  the latest. With six runs a setting the first test to pass needs every run of one setting before
  every run of the other; with three none can pass.

(a) to (c) are before training, by whole 95 % intervals, widened for all that are judged. The
claim is supported if all parts are, refuted if one is, else undecided; a part not measured is
undecided. Settings with b_i = −b_f, and chrono, are reported and not judged.

The copy task has an alphabet of 2. It was chosen in a pilot, after the rule: of 3 symbols from 8,
none of one run each of b_f = 0, 1 and 3 with 32 units was solved within 2,000 steps, so that part
(d) could not have been judged.
"""

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from rnnlab.evidence import (
    CHANCE,
    SOONER,
    Number,
    differences,
    estimate,
    in_words,
    mean_of,
    numbers_frame,
    solved,
    sooner,
)
from rnnlab.figures.forget_bias import against_forget_bias, retention_and_learning
from rnnlab.figures.style import top_layer
from rnnlab.findings import Findings, standard_findings
from rnnlab.intervals import Estimate
from rnnlab.results import Results
from rnnlab.verdict import Answer, Verdict, all_of, is_above, is_below

FORGET, NORM = "mean f_t before training", "‖∂c_t/∂c_{t−1}‖₂ before training"
RADIUS = "spectral radius of ∂(h, c)_t/∂(h, c)_{t−1} before training"
LEFT = "log10 of the gradient left at the first step before training"
NEAR_ONE = (10**-0.01, 10**0.01)
SIGNIFICANT = 0.05
LABEL = re.compile(r"(.*?)b_f = (-?[\d.]+(?:e[-+]?\d+)?)(.*)")
TIED = "b_i = −b_f"

Members = dict[float, str]
Part = tuple[Answer, str]


def analyse(results: Results) -> Findings:
    """Table, figures, one sentence a setting, and the verdict."""
    standard = standard_findings(results)
    ended = results.runs[results.runs["status"].isin(["finished", "diverged"])]
    before = before_training(results.initial if results.has_initial else results)
    numbers = numbers_frame([*at_initialisation(before), *learning(ended)])
    if results.has_initial:
        own = {"forget_bias": against_forget_bias(before, ended, NORM, LEFT)}
    else:
        own = {"retention_and_learning": retention_and_learning(results.runs)}
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
    ended = results.runs[results.runs["status"].isin(["finished", "diverged"])]
    frame = ended.assign(**{FORGET: ended["forget_first"].astype(float)})
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


def learning(ended: pd.DataFrame) -> list[Number]:
    """What part (d) rests on."""
    pairs = [
        pair
        for own in families(ended["setting"]).values()
        for reference in (0.0, 1.0)
        for pair in _against(own, reference)
    ]
    return [*solved(ended), *sooner(ended, pairs)]


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
    words = (f"{name}: {answer}, {evidence}" for name, (answer, evidence) in parts.items())
    return Verdict(all_of(*(answer for answer, _ in parts.values())), "; ".join(words))


def _judged(numbers: pd.DataFrame, quantity: str) -> list[Members]:
    names = numbers.loc[numbers["quantity"] == quantity, "of"].astype(str)
    return list(families(names).values())


def _part(answers: list[Answer], words: list[str], otherwise: str) -> Part:
    if not answers:
        return Answer.UNDECIDED, otherwise
    return all_of(*answers), ", ".join(words)


def one_step(numbers: pd.DataFrame) -> Part:
    """Part (a)."""
    answers, words = [], []
    for own in _judged(numbers, NORM):
        sizes = {name: estimate(numbers, NORM, name) for name in own.values()}
        answers += [is_below(size, 1.0) for size in sizes.values()]
        greatest = max(sizes, key=lambda name: sizes[name].mean)
        words.append(f"norm up to {in_words(sizes[greatest])} ({greatest})")
    return _part(answers, words, "as ∂C_t/∂C_{t−1} was not recorded")


def moved(numbers: pd.DataFrame) -> Part:
    """Part (b)."""
    recorded = set(numbers.loc[numbers["quantity"] == NORM, "of"])
    answers, words = [], []
    for own in _judged(numbers, FORGET):
        name = own[max(own)]
        forget = estimate(numbers, FORGET, name)
        answers.append(_is_near_one(forget))
        words.append(f"mean f_t {in_words(forget, '.4g')} ({name})")
        if name in recorded:
            size = estimate(numbers, NORM, name)
            answers.append(_is_near_one(size))
            words.append(f"norm {in_words(size, '.4g')} ({name})")
    if not recorded:
        answers.append(Answer.UNDECIDED)
        words.append("the other paths not recorded")
    return _part(answers, words, "as no setting differs in b_f alone")


def _is_near_one(size: Estimate) -> Answer:
    low, high = NEAR_ONE
    return all_of(is_above(size, low), is_below(size, high))


def survives(numbers: pd.DataFrame) -> Part:
    """Part (c)."""
    answers, words = [], []
    for own in _judged(numbers, LEFT):
        name = own[max(own)]
        left = estimate(numbers, LEFT, name)
        gains = [_number(numbers, LEFT, pair) for pair in _against(own, 0.0)]
        answers += [is_above(left, -1.0), *(is_above(gain, 0.0) for gain in gains)]
        words.append(f"10^({in_words(left)}) left ({name})")
        if gains:
            least = min(gains, key=lambda gain: gain.mean)
            words[-1] += f" and each b_f > 0 at least {in_words(least)} decades above b_f = 0"
        else:
            answers.append(Answer.UNDECIDED)
    return _part(answers, words, "as no setting differs in b_f alone")


def helps(numbers: pd.DataFrame) -> Part:
    """Part (d)."""
    answers, words = [], []
    for own in _judged(numbers, "solved at"):
        from_0 = {one: _sooner(numbers, (one, other)) for one, other in _against(own, 0.0)}
        from_1 = {one: _sooner(numbers, (one, other)) for one, other in _against(own, 1.0)}
        harms = [one for one, answer in from_1.items() if answer is Answer.REFUTED]
        answers += [*(from_0.values() or [Answer.UNDECIDED]), *(from_1[one] for one in harms)]
        shown = [own[bias] for bias in dict.fromkeys((0.0, 1.0, max(own))) if bias in own]
        at = (f"{in_words(estimate(numbers, 'solved at', n), '.0f')} ({n})" for n in shown)
        words.append(
            f"solved at step {', '.join(at)}, sooner than b_f = 0 with "
            f"{_biases(own, [n for n, a in from_0.items() if a is Answer.SUPPORTED])}, later with "
            f"{_biases(own, [n for n, a in from_0.items() if a is Answer.REFUTED])}, "
            f"later than b_f = 1 with {_biases(own, harms)}"
        )
    return _part(answers, words, "as no setting differs in b_f alone")


def _sooner(numbers: pd.DataFrame, pair: tuple[str, str]) -> Answer:
    share, chance = (_number(numbers, quantity, pair).mean for quantity in (SOONER, CHANCE))
    if not chance < SIGNIFICANT or share == 0.5:
        return Answer.UNDECIDED
    return Answer.SUPPORTED if share > 0.5 else Answer.REFUTED


def _number(numbers: pd.DataFrame, quantity: str, pair: tuple[str, str]) -> Estimate:
    """Of a comparison; unknown where it was not made."""
    of = f"{pair[0]} − {pair[1]}"
    if not ((numbers["quantity"] == quantity) & (numbers["of"] == of)).any():
        return Estimate(np.nan, np.nan, np.nan)
    return estimate(numbers, quantity, of)


def _biases(own: Members, names: list[str]) -> str:
    return ", ".join(f"{bias:g}" for bias, name in own.items() if name in names) or "none"


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
            f"{row['setting']}: mean f_t {row['forget_first']:.3f} at initialisation, where the "
            f"gradient {direction} by {abs(decay):.4f} decades a step going back; {solved}."
        )
    return lines
