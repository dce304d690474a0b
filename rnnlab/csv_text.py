"""Tables as CSV."""

from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from rnnlab.labels import printable


def csv_text(table: pd.DataFrame) -> str:
    """A table as CSV, of which a spreadsheet takes no word for a formula."""
    guarded = pd.DataFrame(
        {
            _no_formula(name): column if is_numeric_dtype(column) else _guarded(column)
            for name, column in table.items()
        }
    )
    return guarded.to_csv(index=False)


def _guarded(column: pd.Series) -> pd.Series:
    return column.astype(object).map(_no_formula)


def _no_formula(value: Any) -> Any:
    """A word that begins as formulas do with an apostrophe in front; numbers as they are."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return text if text[:1] not in tuple("=+-@") or _is_number(text) else f"'{text}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
