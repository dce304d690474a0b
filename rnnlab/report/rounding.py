"""Numbers in words and tables: no bound with fewer digits than what it bounds."""

import math
import re
from collections.abc import Sequence

from rnnlab.results.intervals import Estimate

MISSING = "–"
# Numbers of this size are written without a power of ten, and with as many decimals as each other
# if the greatest is not more than this many times the least.
SMALL, LARGE, APART = 1e-3, 1e5, 10.0
# Numbers that differ by less than this part of them, as float32 rounds, are as good as equal.
RESOLVED = 1e-6


def in_form(estimate: Estimate, form: str) -> str:
    """Write an estimate, with its interval if it has one, in a number format such as "{:+.2g}".

    The digits of a "g" are the fewest, see ``rounded``.
    """
    if general := re.fullmatch(r"\{:(\+?)\.(\d+)g\}", form):
        return with_interval(estimate, int(general[2]), bool(general[1]))
    middle, low, high = (
        MISSING if math.isnan(value) else _tidy(form.format(value)) for value in estimate
    )
    return middle if low == MISSING else f"{middle} [{low}, {high}]"


def with_interval(
    estimate: Estimate, digits: int = 3, signed: bool = False, between: str = " "
) -> str:
    """Write an estimate, with its interval if it has one: "1.000 [0.998, 1.002]".

    Args:
        estimate: to write.
        digits: see ``rounded``.
        signed: see ``rounded``.
        between: what stands between the two, such as a new line.
    """
    if math.isnan(estimate.mean) or math.isnan(estimate.low):
        return _written(estimate.mean, f"{'+' if signed else ''}.{digits}g")
    middle, low, high = rounded(estimate, digits, signed)
    return f"{middle}{between}[{low}, {high}]"


def rounded(values: Sequence[int | float], digits: int = 3, signed: bool = False) -> list[str]:
    """Write numbers that are read together: the first, and others such as its bounds.

    The first has so many significant digits, or more, so that the last decimal resolves the
    distance from the least number to the greatest. The others have the same decimals; where they
    are decades apart each has its own significant digits.

    Args:
        values: numbers; NaN is written as "–", ±∞ as "∞" and "-∞".
        digits: the fewest significant digits.
        signed: whether positive numbers have a plus sign.
    """
    sign = "+" if signed else ""
    form = _fixed([v for v in values if math.isfinite(v) and v != 0], digits)
    return [_written(value, f"{sign}{form or f'#.{digits}g'}") for value in values]


def _fixed(values: Sequence[int | float], digits: int) -> str:
    """A format with a fixed number of decimals, or none if that does not suit the numbers."""
    sizes = [abs(value) for value in values]
    if not sizes or min(sizes) < SMALL or max(sizes) >= LARGE or max(sizes) > APART * min(sizes):
        return ""
    decimals = digits - 1 - _exponent(sizes[0])
    if (width := max(values) - min(values)) > RESOLVED * sizes[0]:
        decimals = max(decimals, -_exponent(width))
    return f".{max(decimals, 0)}f"


def _exponent(value: int | float) -> int:
    return math.floor(math.log10(abs(value)))


def _written(value: int | float, form: str) -> str:
    if math.isnan(value):
        return MISSING
    if value == 0:
        return "0"
    return _tidy(format(value, form))


def _tidy(text: str) -> str:
    """Infinity as a sign, no point without decimals, no zero below zero."""
    tidy = text.replace("inf", "∞").replace(".e", "e").rstrip(".")
    return re.sub(r"^[+-](?=[0.]*$)", "", tidy)
