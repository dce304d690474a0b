"""Claim: ∂c_t/∂c_{t−1} lies in (0, 1), a large b_f moves it to 1, and raising b_f helps learning.

After Gers et al. 2000 and Jozefowicz et al. 2015, who advise b_f = 1.

From ``configs/forget_bias_full.yaml``, and the quick demo ``configs/forget_bias.yaml``, on adding
alone and with fewer b_f. Parts of the claim, each for b_f alone (b_i = 0), on every task:

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

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from rnnlab.report.claims.claim import Claim, Judged, Measured
from rnnlab.report.claims.evidence import Number, differences, mean_of, numbers_frame, versus
from rnnlab.report.claims.families import (
    Family,
    against,
    families,
    measured,
    of_greatest,
    of_pairs,
)
from rnnlab.report.claims.headline import Headline
from rnnlab.report.claims.learning import EARLIER, earlier, ended, solved
from rnnlab.report.claims.rules import Part, Rule, above, below, between, not_below
from rnnlab.report.claims.start import gradient_at_first_step, one_step, sensitivity_at_first_step
from rnnlab.report.claims.verdict import Answer
from rnnlab.report.claims.words import (
    estimate_if_measured,
    in_words,
    known,
    settings_in_words,
)
from rnnlab.report.figures.against_forget_bias import against_forget_bias
from rnnlab.report.figures.captions import caption_of
from rnnlab.report.figures.retention_and_learning import retention_and_learning
from rnnlab.results.comparison import compare
from rnnlab.results.read import Results

FORGET, NORM = "mean f_t before training", "‖∂c_t/∂c_{t−1}‖₂ before training"
RADIUS = "spectral radius of ∂(h, c)_t/∂(h, c)_{t−1} before training"
LEFT = "log10 of the gradient left at the first step before training"
NEAR_ONE = (10**-0.01, 10**0.01)
NO_PAIRS = "no settings differ in b_f alone, from 0 on"


def measure(results: Results) -> Measured:
    """Measure f_t, one step and the whole sequence before training, and who solves the task."""
    runs = ended(results.runs)
    before = before_training(results.before_training if results.has_before_training else results)
    numbers = numbers_frame([*at_start(before), *learning(runs)])
    draw: Callable[..., Figure] = retention_and_learning
    tables: tuple[object, ...] = (runs,)
    if results.has_before_training:
        draw, tables = against_forget_bias, (before, runs, NORM, LEFT)
    text = "\n".join([*settings_in_words(compare(results)), *not_judged(numbers, before)])
    return Measured(numbers, draw(*tables), text, caption=caption_of(draw))


def untied(settings: pd.DataFrame) -> list[Family]:
    """Settings that differ in b_f alone, without those with b_i = −b_f."""
    return families(settings[settings["cell.input_bias"] != "tied"], "cell.forget_bias")


def before_training(results: Results) -> pd.DataFrame:
    """One row a run: f_t, what is left of the gradient, and, with Jacobians, size of one step."""
    runs = ended(results.runs)
    frame = runs.assign(**{FORGET: runs["gate_first"].astype(float)})
    if not results.has_jacobians:
        return frame.join(gradient_at_first_step(results.gradients).rename(LEFT), on="run")
    columns = {NORM: "total_spectral", RADIUS: "spectral_radius"}
    frame = frame.join(one_step(results.jacobians, columns), on="run")
    return frame.join(sensitivity_at_first_step(results.jacobians).rename(LEFT), on="run")


def at_start(before: pd.DataFrame) -> list[Number]:
    """Numbers on which parts (a) to (c) rest."""
    judged, with_left = untied(before), set(before.dropna(subset=LEFT)["setting"])
    pairs = [pair for own in judged for pair in against(own, 0.0) if with_left.issuperset(pair)]
    ones = sum(map(len, judged)) if NORM in before else 0
    many = max(1, ones + 2 * len(judged) + len(pairs))
    quantities = [name for name in (FORGET, NORM, RADIUS, LEFT) if name in before]
    means = [number for name in quantities for number in mean_of(before, name, many)]
    return [*means, *(differences(before, LEFT, pairs, many) if pairs else [])]


def learning(runs: pd.DataFrame) -> list[Number]:
    """Numbers on which part (d) rests."""
    references = (0.0, 1.0)
    pairs = [p for own in untied(runs) for bias in references for p in against(own, bias)]
    return [*solved(runs), *earlier(runs, pairs, max(1, len(pairs)))]


def parts(numbers: pd.DataFrame, settings: pd.DataFrame) -> list[Part]:
    """Parts (a) to (c) are about settings before training, part (d) about those that train."""
    is_before = settings["before_training"]
    first = untied(settings[is_before == is_before.any()])
    trained = untied(settings[~is_before])
    return [
        not_stretched(numbers, first),
        moved(numbers, first),
        survives(numbers, first),
        helps(numbers, trained),
    ]


def not_stretched(numbers: pd.DataFrame, of: list[Family]) -> Part:
    """Part (a): no direction is stretched."""
    names = (name for own in measured(numbers, NORM, of) for name in own.values())
    sizes = known(numbers, NORM, names)
    words = "∂c_t/∂c_{t−1} was not recorded"
    if sizes:
        most = max(sizes, key=lambda name: sizes[name].mean)
        words = f"norm up to {in_words(sizes[most])} ({most})"
    return Part("(a) in (0, 1)", [Rule(NORM, name, below(1.0)) for name in sizes], words=words)


def moved(numbers: pd.DataFrame, of: list[Family]) -> Part:
    """Part (b): at the greatest b_f, f_t and the norm are near 1."""
    rules: list[Callable[[pd.DataFrame], Answer]] = []
    words = []
    for quantity, symbol in ((FORGET, "f_t"), (NORM, "norm")):
        found = of_greatest(numbers, quantity, of)
        rules += [Rule(quantity, name, between(*NEAR_ONE)) for name in found]
        if found:
            worst = max(found, key=lambda name: abs(np.log(found[name].mean)))
            words.append(f"{symbol} {in_words(found[worst], '.4g')} ({worst})")
        elif quantity == NORM:
            rules.append(lambda numbers: Answer.UNDECIDED)
            words.append("the other paths were not recorded")
    return Part("(b) moved to 1", rules, words=", ".join(words))


def survives(numbers: pd.DataFrame, of: list[Family]) -> Part:
    """Part (c): the gradient reaches the first step, better than with b_f = 0."""
    left = of_greatest(numbers, LEFT, of)
    pairs = [pair for own in measured(numbers, LEFT, of) for pair in against(own, 0.0)]
    gains = of_pairs(numbers, LEFT, pairs)
    if not left or not gains:
        return Part("(c) survives", [], words=NO_PAIRS)
    rules = [Rule(LEFT, name, above(-1.0)) for name in left]
    rules += [Rule(LEFT, versus(pair), above(0.0)) for pair in gains]
    least = min(left, key=lambda name: left[name].mean)
    closest = min(gains, key=lambda pair: gains[pair].mean)
    words = (
        f"10^({in_words(left[least])}) left ({least}), decades gained over b_f = 0 at least "
        f"{in_words(gains[closest])} ({closest[0]})"
    )
    return Part("(c) survives", rules, words=words)


def helps(numbers: pd.DataFrame, of: list[Family]) -> Part:
    """Part (d): the task is solved earlier than with b_f = 0, and not later than with b_f = 1."""
    than_0, than_1 = (
        {
            pair: Rule(EARLIER, versus(pair), judge)
            for own in measured(numbers, "solved at", of)
            for pair in of_pairs(numbers, EARLIER, against(own, reference))
        }
        for reference, judge in ((0.0, above(0.5)), (1.0, not_below(0.5)))
    )
    if not than_0:
        return Part("(d) helps learning", [], words=NO_PAIRS)
    found = [rule(numbers) for rule in than_0.values()]
    harms = [name for (name, _), rule in than_1.items() if rule(numbers) is Answer.REFUTED]
    words = (
        f"earlier than b_f = 0 in {found.count(Answer.SUPPORTED)} of {len(found)} settings, later "
        f"in {found.count(Answer.REFUTED)}, later than b_f = 1 in {len(harms)} of {len(than_1)}"
    )
    words += f" ({', '.join(harms)})" if harms else ""
    return Part("(d) helps learning", [*than_0.values(), *than_1.values()], words=words)


def evidence(judged: Judged) -> str:
    """Tell each part with its answer."""
    answers = judged.answers
    return "; ".join(f"{part.name} {answers[part.name]}: {part.words}" for part in judged.parts)


def not_judged(numbers: pd.DataFrame, before: pd.DataFrame) -> list[str]:
    """A line for the greatest tied b_f of each task, where Jacobians are recorded."""
    tied = families(before[before["cell.input_bias"] == "tied"], "cell.forget_bias")
    return [
        f"not judged, {name}: norm {in_words(norm, '.4g')}, "
        f"10^({in_words(estimate_if_measured(numbers, LEFT, name))}) of the gradient left"
        for name, norm in of_greatest(numbers, NORM, tied).items()
    ]


HEADLINES = [
    Headline(
        NORM,
        ["copy, b_f = 6", "adding, b_f = 5", "b_f = 5"],
        "‖∂c_t/∂c_{{t−1}}‖₂, the greatest stretch in one step, before training ({of})",
    ),
    Headline(
        LEFT, ["b_f = 5"], "log10 of the gradient left at the first step, before training ({of})"
    ),
]
analyse = Claim("forget_bias", measure, parts, evidence, headlines=HEADLINES, says=__doc__)
