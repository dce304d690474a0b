"""The summary of a run: the numbers from which comparison tables are made."""

from typing import Any

import pandas as pd

from rnnlab.training.quantities import QUANTITIES
from rnnlab.training.quantities.summary import Facts, FromMedians

# Facts about a run from its task and its cell.
FACTS = ("baseline", "threshold", "metric", "read_step", "parameters")


def summarize_run(tables: dict[str, pd.DataFrame], facts: Facts) -> dict[str, Any]:
    """Compute the summary numbers of each recorded quantity, by column.

    Args:
        tables: the run's tables, by quantity.
        facts: the facts of the run.
    """
    numbers: dict[str, Any] = {}
    for name, quantity in QUANTITIES.items():
        for entry in quantity.summary if name in tables else ():
            if not isinstance(entry, FromMedians):
                numbers |= entry.of_run(tables[name], facts)
    return numbers


def summary_columns() -> list[str]:
    """The columns of a run's summary, in order; a value is None where the run does not have it."""
    entries = [entry for quantity in QUANTITIES.values() for entry in quantity.summary]
    numbers = [c for entry in entries if not isinstance(entry, FromMedians) for c in entry.columns]
    return [*FACTS, *numbers, "seconds"]
