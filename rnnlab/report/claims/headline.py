"""The one number by which a claim is remembered."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from rnnlab.report.claims.words import is_measured, known
from rnnlab.report.findings import KeyNumber
from rnnlab.results.intervals import Estimate


@dataclass(frozen=True)
class Headline:
    """A number of a claim's table, in words.

    Attributes:
        quantity: what was measured.
        of: of which setting, or comparison of settings; the first of these that was measured, as
            not every config of a claim runs the same settings.
        label: what the number is; ``{of}`` stands for the setting.
        form: of the number, see ``in_words``.
        shown: what is shown of it, a function that rises or falls throughout.
    """

    quantity: str
    of: Sequence[str]
    label: str
    form: str = ".3g"
    shown: Callable[[float], float] = float

    def key_number(self, numbers: pd.DataFrame) -> KeyNumber | None:
        """The number; None where no such setting was measured."""
        measured = [name for name in self.of if is_measured(numbers, self.quantity, name)]
        for name, found in known(numbers, self.quantity, measured).items():
            mean, *ends = map(self.shown, found)
            low, high = ends if any(map(math.isnan, ends)) else sorted(ends)
            return KeyNumber(self.label.format(of=name), Estimate(mean, low, high), self.form)
        return None


def key_numbers(headlines: Sequence[Headline], numbers: pd.DataFrame) -> list[KeyNumber]:
    """The first of these that was measured; nothing where none was."""
    found = (headline.key_number(numbers) for headline in headlines)
    return [number for number in found if number is not None][:1]
