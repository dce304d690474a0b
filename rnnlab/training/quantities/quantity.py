"""The base classes of recorded quantities: input, statistics, table and summary."""

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

# Arrays by name at one moment; nested where a table has rows of several names.
Statistics = dict[str, Any]


class Moment(NamedTuple):
    """The values that a quantity may read at one step of training, in compiled code.

    Attributes:
        objective: the cell and its task.
        record: the options of recording.
        params: parameters before the step's update: ``{"cell": …, "readout": …}``.
        batch: the examples of the update.
        evaluation: the fixed evaluation set.
        log10_norms: by part of the state, log10 adjoint norms of the memory loss for the first
            ``record.examples`` of the batch.
        gate_means: by gate, the mean over these examples and the units.
        gates: by gate, its values (layers, time, examples, …); empty at a step without a record.
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
    """Measurements at some steps: arrays whose leading axis has one entry for each step."""

    steps: list[int]
    statistics: Any


class Reported(NamedTuple):
    """Everything that a run reported up to its end.

    Attributes:
        cell: the trained cell.
        updates: the scalars of every update, see ``StepScalars``.
        records: by quantity, its measurements at the records at which it was due.
        every_step: by quantity, its measurements from step 0 to the last.
    """

    cell: Cell
    updates: Rows
    records: dict[str, Rows]
    every_step: dict[str, Rows]


class Option(NamedTuple):
    """A key of a config's ``record`` that asks for quantities.

    Where its value has ``every`` and ``examples``, these replace those of ``record``.

    Attributes:
        key: the key below ``record``.
        what: the recorded quantities in words, for messages.
        request: the setting that turns the option on, for messages.
        title: the heading of the numbers in the terminal.
    """

    key: str
    what: str
    request: str
    title: str = ""


class Quantity(ABC):
    """A recorded quantity, which is one table of a run; subclass one of those below.

    Attributes:
        name: the name of the table.
        meaning: the meaning in one line.
        option: the option that asks for the quantity; default None: every run records it.
        columns: each column's meaning by name; ``<…>`` in a name stands for one of several words.
        summary: the numbers computed from the table, for a run and for the comparison.
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
        """Number of steps between measurements, or None where ``record.every`` applies."""
        return getattr(self._options(record), "every", None)

    def examples(self, record: Record) -> int:
        """The number of examples on which it is measured."""
        return getattr(self._options(record), "examples", record.examples)

    def _options(self, record: Record) -> Any:
        return None if self.option is None else getattr(record, self.option.key)

    def as_read(self, table: pd.DataFrame, summary: Mapping[str, Any]) -> pd.DataFrame:
        """The table as ``Results`` and exports show it: the stored one, perhaps with more columns.

        Args:
            table: the stored table of one run.
            summary: the summary of the run.
        """
        return table

    def curves(self, table: pd.DataFrame) -> pd.DataFrame | None:
        """The curves of a run in dashboards: ``step``, ``name`` (with slashes), ``value``; or None.

        Args:
            table: see ``as_read``.
        """
        return None


class InTraining(Quantity):
    """A quantity that is measured while a run trains."""

    @abstractmethod
    def measure(self, moment: Moment) -> Statistics:
        """Statistics at one step, in compiled code; by default arrays (layers, time)."""

    @abstractmethod
    def table(self, reported: Reported) -> pd.DataFrame:
        """Make the table of a whole run."""


class AtRecords(InTraining):
    """A quantity measured at records: all, or those at which its option's ``every`` is due."""

    when = "at every record"

    def table(self, reported: Reported) -> pd.DataFrame:
        """Make the table; by default one row for each record, layer and time step."""
        return by_step_layer_time(*reported.records[self.name])


class AtEveryStep(InTraining):
    """A quantity that is measured at every step, records or not."""

    when = "at every step"

    def table(self, reported: Reported) -> pd.DataFrame:
        """Make the table; by default one row for each step, layer and time step."""
        return by_step_layer_time(*reported.every_step[self.name])


class OfCell(Quantity):
    """A quantity of any cell with given parameters and inputs, measured without training."""

    @abstractmethod
    def of_cell(self, cell: Cell, params: Any, inputs: Inputs, step: int) -> pd.DataFrame:
        """Make the table for one set of parameters.

        Args:
            cell: the cell.
            params: its parameters.
            inputs: the cell's inputs, (time, batch, features).
            step: the training step at which the cell has these parameters.
        """


class AtStartAndEnd(OfCell):
    """A quantity measured before the first and after the last update, on the evaluation set."""

    when = "at the start and at the end"
