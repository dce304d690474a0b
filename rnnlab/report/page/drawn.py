"""The settings that a page draws, and their tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from rnnlab.report.page.settings import Setting
from rnnlab.report.page.thinning import evenly
from rnnlab.results.stored_run import StoredRun
from rnnlab.support.checksums import Damaged

# Tables are read of so many settings; the comparison has all of them.
MOST_DRAWN = 100


@dataclass(frozen=True)
class Drawn:
    """The settings that a page draws; reads their tables.

    Attributes:
        settings: by their index on the page.
        notes: what a reader should know; gets a sentence on what cannot be read.
    """

    settings: dict[int, Setting]
    notes: list[str] = field(default_factory=list)

    def having(self, table: str) -> dict[int, list[StoredRun]]:
        """The runs that have a table, of each setting that has one.

        Of trained settings, if there are any: with those that were measured before training, which
        have one record of many seeds, there would be no room for each seed.
        """
        found = {i: [r for r in s.ended if r.has_table(table)] for i, s in self.settings.items()}
        found = {index: runs for index, runs in found.items() if runs}
        trained = {i: runs for i, runs in found.items() if not self.settings[i].is_before}
        return trained or found

    def read(self, run: StoredRun, table: str) -> pd.DataFrame:
        """A table of a run; no rows, and a note, if its file is damaged."""
        try:
            return run.table(table, "")
        except Damaged as damage:
            if (note := f"Left out: {damage}.") not in self.notes:
                self.notes.append(note)
            return pd.DataFrame()


def drawn_of(settings: Sequence[Setting]) -> Drawn:
    """Those of which a run has ended, evenly over the sweep if there are too many."""
    having = [i for i, s in enumerate(settings) if s.ended or (s.before and s.before.ended)]
    chosen = [having[place] for place in evenly(len(having), MOST_DRAWN)]
    drawn = Drawn({index: settings[index] for index in chosen})
    if len(chosen) < len(having):
        drawn.notes.append(
            f"Plots show {len(chosen)} of {len(having)} settings, evenly over the sweep; the "
            "table has all of them."
        )
    return drawn
