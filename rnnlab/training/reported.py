"""From the reports of a run's compiled calls to the tables of its quantities."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from rnnlab.training.at_ends import Tables
from rnnlab.training.program import Chunk, Program
from rnnlab.training.quantities.quantity import AtRecords, InTraining, Reported, Rows


def last_step(program: Program, chunks: Chunk, diverged: bool) -> int:
    """The step at which the run ended."""
    return _end(program, chunks, diverged)[0]


def tables_of(program: Program, chunks: Chunk, diverged: bool) -> Tables:
    """Make the tables of the quantities that were measured at records and at every step.

    Args:
        program: the program that ran.
        chunks: everything that it reported, with a leading chunk axis.
        diverged: whether the run has diverged.
    """
    last, starts = _end(program, chunks, diverged)
    chunks = jax.tree.map(lambda a: a[: len(starts)], chunks)
    recorded = [(at, start) for at, start in enumerate(starts) if program.records_at(start)]
    records = {}
    for quantity in [q for q in program.recorded if isinstance(q, AtRecords)]:
        due = [(at, start) for at, start in recorded if program.is_due(quantity, start)]
        positions, steps = [at for at, _ in due], [start for _, start in due]
        measured = chunks.records[quantity.name]
        records[quantity.name] = Rows(steps, jax.tree.map(lambda a, p=positions: a[p], measured))
    reported = Reported(
        program.objective.cell,
        _each_step_once(chunks.updates._asdict(), starts, last),
        records,
        {name: _each_step_once(s, starts, last) for name, s in chunks.every_step.items()},
    )
    return {q.name: q.table(reported) for q in program.recorded if isinstance(q, InTraining)}


def _each_step_once(statistics: dict[str, Any], starts: Sequence[int], last: int) -> Rows:
    """The unique steps up to the last one, and their statistics; the later chunk wins.

    All chunks have the same length; steps after the end of a short one belong to the next chunk.
    """
    length = next(iter(statistics.values())).shape[1]
    steps = np.add.outer(np.asarray(starts), np.arange(length)).ravel()
    found, from_behind = np.unique(steps[::-1], return_index=True)
    rows = (len(steps) - 1 - from_behind)[found <= last]
    values = {k: a.reshape(-1, *a.shape[2:])[rows] for k, a in statistics.items()}
    return Rows(found[found <= last].tolist(), values)


def _end(program: Program, chunks: Chunk, diverged: bool) -> tuple[int, list[int]]:
    """The last step, at which a diverged run made no update, and the starts of chunks up to it."""
    starts = [start for start, _ in program.chunk_bounds()]
    if not diverged:
        return program.training.steps, starts
    stopped = np.isnan(chunks.updates.update_norm[: len(starts)])
    chunk, offset = np.argwhere(stopped)[0]
    return starts[chunk] + int(offset), starts[: chunk + 1]
