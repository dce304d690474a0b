"""The parts of a claim, and the rules that decide them."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from rnnlab.report.claims.verdict import Answer, all_of, is_above, is_below
from rnnlab.report.claims.words import estimate, estimate_if_measured, in_words
from rnnlab.results.intervals import Estimate

Judge = Callable[[Estimate], Answer]


@dataclass(frozen=True)
class Bounds:
    """Require more than ``low`` and less than ``high``, of those that are finite."""

    low: int | float = -math.inf
    high: int | float = math.inf

    def __call__(self, obtained: Estimate) -> Answer:
        """Judge by the whole interval, see ``is_above`` and ``is_below``."""
        answers = [is_above(obtained, self.low)] if self.low > -math.inf else []
        answers += [is_below(obtained, self.high)] if self.high < math.inf else []
        return all_of(*answers)


def above(threshold: int | float) -> Bounds:
    """Require more than this."""
    return Bounds(low=threshold)


def below(threshold: int | float) -> Bounds:
    """Require less than this."""
    return Bounds(high=threshold)


def between(low: int | float, high: int | float) -> Bounds:
    """Require more than ``low`` and less than ``high``."""
    return Bounds(low, high)


def not_below(threshold: int | float) -> Judge:
    """Refute what is below by its whole interval; all else is supported."""

    def judge(obtained: Estimate) -> Answer:
        is_lower = is_below(obtained, threshold) is Answer.SUPPORTED
        return Answer.REFUTED if is_lower else Answer.SUPPORTED

    return judge


@dataclass(frozen=True)
class Rule:
    """A number of the table, and what it has to be.

    Attributes:
        quantity: what was measured.
        of: of which setting, or comparison of settings.
        judge: whether its estimate is as it has to be.
        if_measured: undecided where the table has no such number; otherwise that is an error.
    """

    quantity: str
    of: str
    judge: Judge
    if_measured: bool = False

    def __call__(self, numbers: pd.DataFrame) -> Answer:
        """Judge the number of this name.

        Raises:
            UserError: there is no such number.
        """
        return self.judge(self.obtained(numbers))

    def obtained(self, numbers: pd.DataFrame) -> Estimate:
        """The number that is judged."""
        look_up = estimate_if_measured if self.if_measured else estimate
        return look_up(numbers, self.quantity, self.of)


def if_measured(*rules: Rule) -> list[Rule]:
    """The same rules, undecided where a setting was not run."""
    return [replace(rule, if_measured=True) for rule in rules]


@dataclass(frozen=True)
class Part:
    """One statement of a claim.

    Attributes:
        name: the statement, in short.
        rules: each gives an answer from the table of numbers.
        combine: the answer of the part, from those of its rules.
        words: what was measured of it; default the numbers of its rules.
    """

    name: str
    rules: Sequence[Callable[[pd.DataFrame], Answer]]
    combine: Callable[..., Answer] = all_of
    words: str = ""

    def answer(self, numbers: pd.DataFrame) -> Answer:
        """The answer of the part, see ``all_of``."""
        return self.combine(*(rule(numbers) for rule in self.rules))

    def evidence(self, numbers: pd.DataFrame) -> str:
        """Its words, or else its numbers."""
        rules = (rule for rule in self.rules if isinstance(rule, Rule))
        found = (
            f"{rule.quantity}, {rule.of}: {in_words(rule.obtained(numbers))}" for rule in rules
        )
        return self.words or ", ".join(found)


def judged_together(parts: Iterable[Part]) -> int:
    """How many numbers the rules judge, by which the interval of each is widened."""
    rules = [rule for part in parts for rule in part.rules if isinstance(rule, Rule)]
    return len({(rule.quantity, rule.of) for rule in rules})
