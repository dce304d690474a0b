"""The committed tables of a result, rounded and in words, for its page."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from extensions.kept import REFERENCE, numbers, obtained, version
from extensions.tables import table
from rnnlab.report.claims.words import in_words
from rnnlab.results.intervals import Estimate

ENDS = ("_low", "_high")
# Of a comparison: before this column stand the settings' values, which their labels say.
FIRST_NUMBER = "runs"
# Said in words.
LEFT_OUT = ("confidence",)
THOUSAND = 1000
COLUMNS = (
    "[What is recorded](/results.md#the-comparison) says what the columns are; what is 0 in all "
    "settings is left out. `_first` is before training, `_last` after it. Brackets are 95 % "
    "intervals."
)

OLDER = (
    "Intervals of what is judged are widened, so that all of them hold together: the rule says of "
    "how many. This table was made before tables said which ones these are."
)


def markdown(name: str) -> str:
    """The comparison of its settings, and every number behind its verdict."""
    frame = pd.read_csv(REFERENCE / name / "compare.csv")
    return "\n\n".join(
        [
            f"The tables are of version {version(name)} of the results.",
            f"## What was obtained\n\n{obtained(name)}",
            f"## Settings compared\n\n{COLUMNS}\n\n{compared(frame)}",
            f"## Numbers behind the verdict\n\n{behind(numbers(name))}",
        ]
    )


def compared(frame: pd.DataFrame) -> str:
    """A row for each setting, without columns that are empty or 0 throughout."""
    start = list(frame.columns).index(FIRST_NUMBER)
    found = [
        column
        for column in frame.columns[start:]
        if not column.endswith(ENDS) and column not in LEFT_OUT
    ]
    shown = [column for column in found if not (frame[column].isna() | (frame[column] == 0)).all()]
    rows = [
        (plain(row["setting"]), *(value(row, column) for column in shown))
        for row in frame.to_dict("records")
    ]
    return table(("setting", *map(plain, shown)), rows)


def behind(frame: pd.DataFrame) -> str:
    """A row for each number, and what its interval is, where the table says so."""
    more = [column for column in ("runs", "interval") if column in frame]
    rows = [
        (
            plain(row["quantity"]),
            plain(row["of"]),
            value(row, "value", "low", "high"),
            *(row[column] for column in more),
        )
        for row in frame.fillna({"interval": ""}).to_dict("records")
    ]
    said = table(("quantity", "of", "value and interval", *more), rows)
    return said if "interval" in frame else f"{OLDER}\n\n{said}"


def value(row: Mapping[Hashable, Any], name: str, *ends: str) -> str:
    """A number of a row, with its interval where it has one."""
    found = row[name]
    if isinstance(found, str):
        return plain(found)
    low, high = (row.get(end, math.nan) for end in ends or (f"{name}{end}" for end in ENDS))
    form = ".3g" if abs(found) < THOUSAND else ".0f"
    return "" if math.isnan(found) else in_words(Estimate(found, low, high), form)


def plain(text: object) -> str:
    """Without meaning to Markdown."""
    return str(text).replace("|", "\\|").replace("_", "\\_").replace("*", "\\*")
