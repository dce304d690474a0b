"""What a recorded quantity is: what it reads and when, its statistics, its table, its summary."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import pandas as pd
from jaxtyping import Array, Float

from rnnlab.cells import Cell
from rnnlab.recurrence.stack import Inputs
from rnnlab.training.frames import by_step_layer_time
from rnnlab.training.objective import Batch, Objective
from rnnlab.training.options import Record
from rnnlab.training.quantities.summary import SummaryEntry

# Arrays by name, of one moment; nested where a table has rows of several names.
Statistics = dict[str, Any]


class Moment(NamedTuple):
    """What a quantity may read at one step of training, in compiled code.

    Attributes:
        objective: the cell and its task.
        record: the options of recording.
        params: before the step's update: ``{"cell": …, "readout": …}``.
        batch: the examples of the update.
        evaluation: the fixed evaluation set.
        log10_norms: by part of the state, log10 adjoint norms of the memory loss of the first
            ``record.examples`` of the batch.
        gate_means: by gate, over these examples and the units.
        gates: by gate, its values (layers, time, examples, …); none at a step that is no record.
    """

    objective: Objective
    record: Record
    params: Any
    batch: Batch
    evaluation: Batch
    log10_norms: dict[str, Float[Array, "layers time examples"]]
    gate_means: dict[str, Float[Array, "layers time"]]
    gates: dict[str, Float[Array, "layers time examples *units"]]


class Rows(NamedTuple):
    """What was measured at some steps: arrays with a leading axis, one entry for each step."""

    steps: list[int]
    statistics: Any


class Reported(NamedTuple):
    """What a run reported up to its end.

    Attributes:
        cell: that was trained.
        updates: what every update reported, see ``StepScalars``.
        records: by quantity, at the records at which it was due.
        every_step: by quantity, from step 0 to the last.
    """

    cell: Cell
    updates: Rows
    records: dict[str, Rows]
    every_step: dict[str, Rows]


class Option(NamedTuple):
    """A key of a config's ``record`` that asks for quantities.

    Where its value has ``every`` and ``examples``, these count in place of those of ``record``.

    Attributes:
        key: below ``record``.
        what: is recorded, for messages.
        request: how it is asked for, for messages.
        title: of the numbers in the terminal.
    """

    key: str
    what: str
    request: str
    title: str = ""


class Quantity(ABC):
    """A recorded quantity, which is one table of a run; subclass one of those below.

    Attributes:
        name: of the table.
        meaning: in one line.
        option: what asks for it; default None: every run records it.
        columns: the meaning of each, by name; ``<…>`` in a name stands for one of several words.
        summary: the numbers that are made of the table, for a run and for the comparison.
    """

    name: ClassVar[str]
    meaning: ClassVar[str]
    when: ClassVar[str]
    option: ClassVar[Option | None] = None
    columns: ClassVar[dict[str, str]]
    summary: ClassVar[tuple[SummaryEntry, ...]] = ()

    def is_wanted(self, record: Record) -> bool:
        """Whether a run with these options records it."""
        return self.option is None or bool(getattr(record, self.option.key))

    def own_every(self, record: Record) -> int | None:
        """Steps from one measurement to the next, where they are not those of ``record.every``."""
        return getattr(self._options(record), "every", None)

    def examples(self, record: Record) -> int:
        """Of how many examples it is measured."""
        return getattr(self._options(record), "examples", record.examples)

    def _options(self, record: Record) -> Any:
        return None if self.option is None else getattr(record, self.option.key)

    def as_read(self, table: pd.DataFrame, summary: Mapping[str, Any]) -> pd.DataFrame:
        """The table as ``Results`` and exports show it: columns may be added to what is stored.

        Args:
            table: of one run.
            summary: of the run.
        """
        return table

    def curves(self, table: pd.DataFrame) -> pd.DataFrame | None:
        """What a dashboard shows of a run: ``step``, ``name`` (with slashes), ``value``; or None.

        Args:
            table: see ``as_read``.
        """
        return None


class InTraining(Quantity):
    """Measured while a run trains."""

    @abstractmethod
    def measure(self, moment: Moment) -> Statistics:
        """Its statistics at one step, in compiled code; by default arrays (layers, time)."""

    @abstractmethod
    def table(self, reported: Reported) -> pd.DataFrame:
        """Its table of a whole run."""


class AtRecords(InTraining):
    """Measured at records: all of them, or those at which its option's ``every`` is due."""

    when = "at every record"

    def table(self, reported: Reported) -> pd.DataFrame:
        """By default one row for each record, layer and time step."""
        return by_step_layer_time(*reported.records[self.name])


class AtEveryStep(InTraining):
    """Measured at every step, records or not."""

    when = "at every step"

    def table(self, reported: Reported) -> pd.DataFrame:
        """By default one row for each step, layer and time step."""
        return by_step_layer_time(*reported.every_step[self.name])


class OfCell(Quantity):
    """Can be measured of any cell with parameters on inputs, without training it."""

    @abstractmethod
    def of_cell(self, cell: Cell, params: Any, inputs: Inputs, step: int) -> pd.DataFrame:
        """Its table for one set of parameters.

        Args:
            cell: the cell.
            params: its parameters.
            inputs: what it reads, (time, batch, features).
            step: of training, at which it has these parameters.
        """


class AtStartAndEnd(OfCell):
    """Measured before the first update and after the last one, on the evaluation set."""

    when = "at the start and at the end"
