"""Settings that differ in one number alone, and the pairs that are compared."""

from collections.abc import Sequence

import pandas as pd

from rnnlab.report.claims.evidence import Pair, versus
from rnnlab.report.claims.words import is_measured, known
from rnnlab.results.intervals import Estimate

# The settings by that number, from the least to the greatest.
Family = dict[float, str]


def families(settings: pd.DataFrame, key: str) -> list[Family]:
    """The settings that differ in one number alone, two or more of each kind.

    Args:
        settings: ``setting``, its label, and all that it sets, under dotted keys; one row a
            setting, as of ``settings_of``, or one a run.
        key: of the number, as ``cell.forget_bias``; settings in which it is none are left out.
    """
    rows = settings.drop_duplicates("setting")
    numbers = pd.to_numeric(rows[key], errors="coerce")
    others = [column for column in rows.columns if "." in column and column != key]
    found: dict[tuple[str, ...], Family] = {}
    for same, number, name in zip(
        rows[others].itertuples(index=False, name=None), numbers, rows["setting"], strict=True
    ):
        if not pd.isna(number):
            found.setdefault(tuple(map(_value, same)), {})[float(number)] = str(name)
    return [dict(sorted(own.items())) for own in found.values() if len(own) > 1]


def _value(value: object) -> str:
    """The same for 1 and 1.0."""
    return repr(float(value) if isinstance(value, int) else value)


def measured(numbers: pd.DataFrame, quantity: str, of: Sequence[Family]) -> list[Family]:
    """Keep the settings of which the table has such a number."""
    found = (
        {value: name for value, name in own.items() if is_measured(numbers, quantity, name)}
        for own in of
    )
    return [own for own in found if len(own) > 1]


def against(own: Family, reference: int | float) -> list[Pair]:
    """Each setting with a larger number, and the one with this number, if there is one."""
    if reference not in own:
        return []
    return [(name, own[reference]) for value, name in own.items() if value > reference]


def of_greatest(numbers: pd.DataFrame, quantity: str, of: Sequence[Family]) -> dict[str, Estimate]:
    """Known estimates at the greatest number of each family, by setting."""
    return known(numbers, quantity, (own[max(own)] for own in measured(numbers, quantity, of)))


def of_pairs(numbers: pd.DataFrame, quantity: str, pairs: Sequence[Pair]) -> dict[Pair, Estimate]:
    """Known estimates of the comparisons of these pairs."""
    found = known(numbers, quantity, map(versus, pairs))
    return {pair: found[versus(pair)] for pair in pairs if versus(pair) in found}
