"""Tables as CSV."""

from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from rnnlab.support.text import printable

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_text(table: pd.DataFrame) -> str:
    """A table as CSV in which a spreadsheet finds no formulas."""
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
    """Printable text, guarded unless it is a number."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return text if _is_number(text) else guarded(text)


def guarded(value: Any) -> Any:
    """Put an apostrophe in front of text that begins like a formula."""
    is_formula = isinstance(value, str) and value.startswith(FORMULA_STARTS)
    return f"'{value}" if is_formula else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
