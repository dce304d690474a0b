"""Look up numbers of the table, and write them in words."""

import math
from collections.abc import Iterable

import pandas as pd

from rnnlab.report.rounding import in_form
from rnnlab.results.intervals import Estimate
from rnnlab.support.errors import UserError, did_you_mean

UNKNOWN = Estimate(math.nan, math.nan, math.nan)


def is_measured(numbers: pd.DataFrame, quantity: str, of: str) -> bool:
    """Tell whether the table has a number of this name, known or not."""
    return bool(_has_name(numbers, quantity, of).any())


def estimate(numbers: pd.DataFrame, quantity: str, of: str) -> Estimate:
    """A number of the table; its ends, or all of it, are NaN where there were too few runs.

    Args:
        numbers: see ``numbers_frame``.
        quantity: what was measured.
        of: of which setting, or comparison of settings.

    Raises:
        UserError: no number, or more than one, is called so.
    """
    rows = numbers[_has_name(numbers, quantity, of)]
    if rows.empty:
        raise UserError(f"no number is {quantity!r} of {of!r}: {_nearest(numbers, quantity, of)}")
    if len(rows) > 1:
        raise UserError(f"{len(rows)} numbers are {quantity!r} of {of!r}")
    row = rows.iloc[0]
    return Estimate(float(row["value"]), float(row["low"]), float(row["high"]))


def estimate_if_measured(numbers: pd.DataFrame, quantity: str, of: str) -> Estimate:
    """The same as ``estimate``, but unknown (NaN) where the table has no such number."""
    return estimate(numbers, quantity, of) if is_measured(numbers, quantity, of) else UNKNOWN


def known(numbers: pd.DataFrame, quantity: str, names: Iterable[str]) -> dict[str, Estimate]:
    """Estimates of those of these settings that were measured and are not unknown, by name."""
    found = {name: estimate_if_measured(numbers, quantity, name) for name in names}
    return {name: value for name, value in found.items() if not math.isnan(value.mean)}


def _has_name(numbers: pd.DataFrame, quantity: str, of: str) -> pd.Series:
    return (numbers["quantity"] == quantity) & (numbers["of"] == of)


def _nearest(numbers: pd.DataFrame, quantity: str, of: str) -> str:
    """Name the nearest number that was measured, and all of them."""
    quantities, others = numbers["quantity"], numbers.loc[numbers["quantity"] == quantity, "of"]
    if others.empty:
        return f"quantity: {did_you_mean(quantity, set(quantities))}"
    return f"of: {did_you_mean(of, set(others))}"


def in_words(estimate: Estimate, form: str = ".3g") -> str:
    """Write an estimate: "41.0 [36.0, 48.0]", with ∞ where it has no bound.

    Args:
        estimate: to write.
        form: of its numbers. In such as ".3g" three significant digits are the fewest, see
            ``rounded``.
    """

    return "unknown" if math.isnan(estimate.mean) else in_form(estimate, f"{{:{form}}}")


def solved_in_words(numbers: pd.DataFrame, of: str) -> str:
    """Write the share and the step: "in 67% of runs, at step 500 [257, ∞] (median)"."""
    share, at = (estimate(numbers, quantity, of) for quantity in ("share solved", "solved at"))
    when = f", at step {in_words(at, '.0f')} (median)" if at.mean < math.inf else ""
    return f"in {share.mean:.0%} of runs{when}"


def pairs_in_words(share: Estimate) -> str:
    """Write a number of ``earlier``: "0.33 [0.00, 0.72] of pairs of runs"."""
    if share.low == share.high:
        return f"{share.mean:.2f} of pairs of runs (all tie)"
    return f"{in_words(share, '.2f')} of pairs of runs"


def settings_in_words(table: pd.DataFrame) -> list[str]:
    """A sentence for each setting: its gate and gradient before training, and which runs solve it.

    Args:
        table: see ``compare``; settings without gradients are left out.
    """
    lines = []
    for _, row in table[table["decay_first"].notna()].iterrows():
        decay = row["decay_first"]
        direction = "shrinks" if decay < 0 else "grows"
        solved = f"solved in {row['solved']} of {row['runs']} runs"
        if math.isfinite(row["solved_at"]):
            solved += f", at step {row['solved_at']:.0f} (median)"
        lines.append(
            f"{row['setting']}: mean f_t {row['gate_first']:.3f} before training, where the "
            f"gradient {direction} by {abs(decay):.4f} decades a step going back; {solved}."
        )
    return lines
