"""What a run leaves: tables, parameters, a summary, and the files that hold them."""

import math
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd
from safetensors.numpy import save

from rnnlab.results.params import stored_arrays
from rnnlab.results.summary import summarize_run
from rnnlab.support.files import parquet_bytes
from rnnlab.training.frames import (
    gates_frame,
    gradients_frame,
    jacobians_frame,
    means_frame,
    training_frame,
)
from rnnlab.training.measurement import Tables
from rnnlab.training.program import Chunk, Program, State


class RunOutput(NamedTuple):
    """What a run leaves: its tables, its final parameters by name, and its summary.

    ``environments`` are those in which it ran: several if it was resumed elsewhere.
    """

    status: str
    tables: Tables
    params: dict[str, np.ndarray]
    summary: dict[str, Any]
    environments: list[dict[str, Any]]

    def files(self) -> dict[str, bytes]:
        """Content by name, as it is stored."""
        tables = {f"{name}.parquet": parquet_bytes(table) for name, table in self.tables.items()}
        return tables | {"params.safetensors": save(self.params)}


def joined(parts: list[Any]) -> Any:
    """Trees of arrays, concatenated along the leading axis."""
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)


def make_output(
    program: Program,
    state: State,
    chunks: Chunk,
    spectra: list[Tables],
    environments: list[dict[str, Any]],
) -> RunOutput:
    """Tables, parameters and summary of a run that is over.

    Args:
        program: that it ran.
        state: at its end.
        chunks: all that was reported.
        spectra: tables of its start and its end, empty if it records none.
        environments: in which it ran.
    """
    task = program.objective.task
    tables = _tables(program, bool(state.diverged), chunks)
    tables |= {name: pd.concat([end[name] for end in spectra]) for name in spectra[0]}
    facts = {
        "baseline": task.baseline,
        "threshold": task.threshold,
        "metric": task.metric_name,
        "read_step": task.read_step,
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(state.params["cell"])),
    }
    summary = summarize_run(tables, task.threshold, task.read_step)
    is_finite = not state.diverged and math.isfinite(summary["final_loss"])
    status = "finished" if is_finite else "diverged"
    return RunOutput(status, tables, stored_arrays(state.params), facts | summary, environments)


def last_step(program: Program, chunks: Chunk, diverged: bool) -> int:
    """The step at which the run ended."""
    starts = [start for start, _ in program.chunk_bounds()]
    return _where_diverged(chunks, starts)[0] if diverged else program.training.steps


def _tables(program: Program, diverged: bool, chunks: Chunk) -> Tables:
    starts = [start for start, _ in program.chunk_bounds()]
    end = program.training.steps
    if diverged:
        end, starts = _where_diverged(chunks, starts)
    chunks = jax.tree.map(lambda a: a[: len(starts)], chunks)
    recorded = [index for index, start in enumerate(starts) if program.records_at(start)]
    records = jax.tree.map(lambda a: a[recorded], chunks)
    record_steps = [starts[index] for index in recorded]
    tables = {
        "training": training_frame(chunks, starts, end),
        "gradients": gradients_frame(records, record_steps),
        "gates": gates_frame(records, record_steps),
    }
    if program.record.means:
        tables["means"] = means_frame(chunks, starts, end)
    if program.record.jacobians is not None:
        due = [i for i, step in enumerate(record_steps) if program.records_jacobians_at(step)]
        statistics = {name: a[due] for name, a in records.recorded.jacobians.items()}
        due_steps = [record_steps[i] for i in due]
        tables["jacobians"] = jacobians_frame(statistics, due_steps, program.objective.cell.carry)
    return tables


def _where_diverged(chunks: Chunk, starts: list[int]) -> tuple[int, list[int]]:
    """The step at which no update was made, and the records up to it."""
    stopped = np.isnan(chunks.steps.update_norm[: len(starts)])
    chunk, offset = np.argwhere(stopped)[0]
    return starts[chunk] + int(offset), starts[: chunk + 1]
