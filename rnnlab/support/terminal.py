"""Text and tables for the terminal, without markup."""

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from rnnlab.support.text import printable

MOST_LAID_OUT = 500


def plain(text: str) -> Text:
    """Text for the terminal, without markup and control characters."""
    return Text(printable(text))


def plain_table(
    title: str, columns: list[str], rows: list[list[str]], caption: str = ""
) -> Table | Text:
    """A table without markup; long ones are aligned lines of text, which are faster to lay out."""
    if len(rows) > MOST_LAID_OUT:
        return _aligned(title, columns, rows, caption)
    view = Table(title_justify="left", caption_justify="left")
    view.title = Text(printable(title), "table.title")
    view.caption = Text(printable(caption), "table.caption") if caption else None
    view.box, view.pad_edge, view.padding = SIMPLE_HEAD, False, (0, 1, 0, 0)
    for column in columns:
        is_text = column in ("setting", "key", "file:name")
        view.add_column(column, justify="left" if is_text else "right", overflow="fold")
    for row in rows:
        view.add_row(*(Text(printable(cell)) for cell in row))
    return view


def _aligned(title: str, columns: list[str], rows: list[list[str]], caption: str) -> Text:
    lines = [columns, *([printable(cell).replace("\n", " ") for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines)
    return Text("\n".join([printable(title), *(line.rstrip() for line in padded), caption]))
