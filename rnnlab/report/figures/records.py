"""Selecting what a figure draws from the tables of results."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from rnnlab.report.figures.palette import Style, styles
from rnnlab.support.errors import UserError, did_you_mean


def settings_of(frame: pd.DataFrame) -> list[str]:
    """All settings of the sweep in order, also those that have no row in this table."""
    return list(frame["setting"].cat.categories)


def present_settings(frame: pd.DataFrame) -> list[str]:
    """The settings that have a row, in the order of the sweep."""
    present = set(frame["setting"])
    return [setting for setting in settings_of(frame) if setting in present]


def quantities_of(gradients: pd.DataFrame) -> list[str]:
    """The recorded parts of the state: c, h, and then any others."""
    return sorted(gradients["quantity"].unique(), key=lambda name: ("c", "h", name).index(name))


def require(frame: pd.DataFrame, column: str, value: object) -> None:
    """Raise a UserError unless a table has rows with this value."""
    if value not in set(frame[column]):
        valid = map(str, frame[column].unique())
        raise UserError(f"{column} {value!r} is not recorded; {did_you_mean(value, valid)}")


def recorded(frame: pd.DataFrame, **wanted: object) -> pd.DataFrame:
    """The rows of a table that have these values, given by column.

    Raises:
        UserError: a value is not in its column.
    """
    rows = frame
    for column, value in wanted.items():
        require(frame, column, value)
        rows = rows[rows[column] == value]
    return rows


def top_layer(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of each setting's top layer."""
    top = frame.groupby("setting", observed=True)["layer"].transform("max")
    return frame[frame["layer"] == top]


def by_seed(record: pd.DataFrame, x: str, y: str) -> Iterator[tuple[Style, str, pd.DataFrame]]:
    """Style, label and values of each setting that a record has.

    Args:
        record: with columns ``setting`` (categorical), ``seed``, ``x`` and ``y``.
        x: column of the index of the values.
        y: column of the values; their mean where ``x`` occurs more than once.

    Yields:
        The style of the setting, the same in each figure of the sweep; its label; and a data frame
        with ``x`` as index and one column a seed.
    """
    for setting, style in styles(record).items():
        own = record[record["setting"] == setting]
        if not own.empty:
            wide = own.pivot_table(index=x, columns="seed", values=y, dropna=False)
            yield style, setting, wide


def log10_with_zeros(gradients: pd.DataFrame) -> pd.Series:
    """``log10_mean``; −∞ where every example reads zero, so that a median counts it as small."""
    return gradients["log10_mean"].mask(gradients["zero_fraction"] == 1, -np.inf)


def starts_and_ends(frame: pd.DataFrame, end: int) -> pd.DataFrame:
    """The first and the last record of each run; the last gets the step ``end``."""
    steps = frame.groupby("run")["step"]
    is_first, is_last = (frame["step"] == steps.transform(of) for of in ("min", "max"))
    unified = frame["step"].mask(is_last & (frame["step"] > 0), end)
    return frame.assign(step=unified)[is_first | is_last]
