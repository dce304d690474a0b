"""Tables of texts, from columns that say what each row has in them."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

Row = dict[str, Any]


class Column(NamedTuple):
    """A column of a view.

    Attributes:
        label: its heading.
        meaning: what its numbers are, in a line.
        text: what a row of the comparison has there.
        key: by which rows are sorted.
    """

    label: str
    meaning: str
    text: Callable[[Row], str]
    key: Callable[[Row], Any]


class View(NamedTuple):
    """A table of texts, in which a new line may stand where a space would do.

    Attributes:
        title: above it.
        columns: their headings; the first is the setting.
        rows: of as many cells each.
        caption: below it.
        meanings: of each column.
        keys: of each cell, by which rows are sorted.
    """

    title: str
    columns: list[str]
    rows: list[list[str]]
    caption: str
    meanings: list[str]
    keys: list[list[Any]]


def view_of(title: str, rows: Sequence[Row], columns: Sequence[Column], caption: str) -> View:
    """The view with these columns of these rows."""
    return View(
        title,
        [column.label for column in columns],
        [[column.text(row) for column in columns] for row in rows],
        caption,
        [column.meaning for column in columns],
        [[column.key(row) for column in columns] for row in rows],
    )
