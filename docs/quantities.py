"""Writes the tables of docs/results.md that tell of recorded quantities, from their registry.

python docs/quantities.py
"""

from pathlib import Path

from rnnlab.training.quantities import QUANTITIES
from rnnlab.training.quantities.quantity import Quantity
from rnnlab.training.quantities.summary import AtEnds, FromMedians, Number

PAGE = Path(__file__).parent / "results.md"
OVER_SEEDS = {
    "median": "median",
    "median step": "median, an unsolved run counting as later than the last step; `{count}`: how "
    "many runs have it",
    "same": "the same for all",
    None: "not in the comparison",
}


def tables() -> str:
    """Each quantity's table, column by column."""
    return "\n\n".join(_table(quantity) for quantity in QUANTITIES.values())


def _table(quantity: Quantity) -> str:
    asked = "" if quantity.option is None else f", where `record.{quantity.option.key}` is set"
    head = f"**`{quantity.name}`**: {_cell(quantity.meaning)}. Measured {quantity.when}{asked}."
    rows = [f"| `{name}` | {_cell(meaning)} |" for name, meaning in quantity.columns.items()]
    return "\n".join([head, "", "| column | meaning |", "|---|---|", *rows])


def numbers() -> str:
    """The numbers of a run and of the comparison that quantities give."""
    rows = [
        f"| {_columns(entry)} | `{name}` | {_cell(entry.meaning)} | {_over_seeds(entry)} |"
        for name, quantity in QUANTITIES.items()
        for entry in quantity.summary
    ]
    head = ["| number | from the table | meaning | over seeds |", "|---|---|---|---|"]
    return "\n".join([*head, *rows])


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace(")_", r")\_")


def _columns(entry: Number | AtEnds | FromMedians) -> str:
    return ", ".join(f"`{column}`" for column in entry.columns)


def _over_seeds(entry: Number | AtEnds | FromMedians) -> str:
    if isinstance(entry, FromMedians):
        return f"of the median of `{entry.of}`"
    return OVER_SEEDS[entry.over_seeds].format(count=entry.name.removesuffix("_at"))


def page(text: str) -> str:
    """The page, with these tables between the marks that hold them."""
    for mark, content in {"tables": tables(), "numbers": numbers()}.items():
        before, rest = text.split(f"<!-- {mark} -->")
        _, after = rest.split(f"<!-- end of {mark} -->")
        text = f"{before}<!-- {mark} -->\n\n{content}\n\n<!-- end of {mark} -->{after}"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
