"""Tables as CSV."""

from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from rnnlab.support.text import printable

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_text(table: pd.DataFrame) -> str:
    """A table as CSV, of which a spreadsheet takes no word for a formula."""
    safe = pd.DataFrame(
        {
            _no_formula(name): column if is_numeric_dtype(column) else _safe(column)
            for name, column in table.items()
        }
    )
    return safe.to_csv(index=False)


def _safe(column: pd.Series) -> pd.Series:
    return column.astype(object).map(_no_formula)


def _no_formula(value: Any) -> Any:
    """Text as it may be shown, guarded unless it is a number."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return text if _is_number(text) else guarded(text)


def guarded(value: Any) -> Any:
    """Text that begins as formulas do with an apostrophe in front; all else as it is."""
    is_formula = isinstance(value, str) and value.startswith(FORMULA_STARTS)
    return f"'{value}" if is_formula else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
