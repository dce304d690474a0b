"""What a run leaves: tables, parameters, a summary, and the files that hold them."""

import math
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd
from safetensors.numpy import save

from rnnlab.cells.params import trained
from rnnlab.results.params import stored_arrays
from rnnlab.results.summary import summarize_run
from rnnlab.support.files import parquet_bytes
from rnnlab.training.at_ends import Tables
from rnnlab.training.program import Chunk, Program
from rnnlab.training.quantities.summary import Facts
from rnnlab.training.reported import tables_of
from rnnlab.training.update import State


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
    ends: list[Tables],
    environments: list[dict[str, Any]],
) -> RunOutput:
    """Tables, parameters and summary of a run that is over.

    Args:
        program: that it ran.
        state: at its end.
        chunks: all that was reported.
        ends: what was measured at its start and at its end.
        environments: in which it ran.
    """
    task = program.objective.task
    tables = tables_of(program, chunks, bool(state.diverged))
    tables |= {name: pd.concat([end[name] for end in ends]) for name in ends[0]}
    facts = {
        "baseline": task.baseline,
        "threshold": task.threshold,
        "metric": task.metric_name,
        "read_step": task.read_step,
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(trained(state.params["cell"]))),
    }
    cell = program.objective.cell
    known = Facts(task.threshold, task.read_step, cell.carry, cell.direct)
    summary = summarize_run(tables, known)
    is_finite = not state.diverged and math.isfinite(summary["final_loss"])
    status = "finished" if is_finite else "diverged"
    return RunOutput(status, tables, stored_arrays(state.params), facts | summary, environments)
