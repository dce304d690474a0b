"""Where runs execute: one after another, in this process."""

import functools
import math
import os
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from omegaconf import OmegaConf

from rnnlab.analysis import summarize_run
from rnnlab.cells import dynamics_of
from rnnlab.environment import environment
from rnnlab.frames import gates_frame, gradients_frame, jacobians_frame, training_frame
from rnnlab.measurement import spectra
from rnnlab.objective import Batch, Objective
from rnnlab.progress import Progress, make_progress
from rnnlab.results import Results, load
from rnnlab.settings import SECTIONS
from rnnlab.store import Store, open_for_writing
from rnnlab.sweep import Experiment, Run, load_experiment
from rnnlab.training import EVALUATION_EXAMPLES, Chunk, Program, random_streams
from rnnlab.version import RESULTS_VERSION

# About half a second on one CPU core: how often progress is seen and Ctrl-C is heard.
OPERATIONS_PER_CALL = 2e10


class RunOutput(NamedTuple):
    """What a run leaves: its tables, its final parameters by name, and its summary."""

    status: str
    tables: dict[str, pd.DataFrame]
    params: dict[str, np.ndarray]
    summary: dict[str, Any]


def run(
    source: str | Path,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    out: str | Path | None = None,
) -> Results:
    """Run an experiment, or what is missing of it, and load its results.

    Args:
        source: a config file, or the name of a bundled config.
        overrides: ``{"cell.hidden": 32}`` or ``["cell.hidden=32"]``.
        out: the results folder; default ``results/<name>``.

    Raises:
        UserError: the config is wrong, or the folder cannot be used.
    """
    experiment = load_experiment(source, overrides)
    folder = Path(out) if out is not None else Path("results") / experiment.config.name
    run_experiment(experiment, folder, make_progress())
    return load(folder)


def run_experiment(experiment: Experiment, folder: Path, progress: Progress) -> None:
    """Do the runs that the folder lacks, storing each the moment it is done.

    A run that fails is stored as failed, with its traceback, and the others go on.
    """
    store = open_for_writing(folder)
    made_in = environment()
    store.write_experiment(_description(experiment, folder), _resolved_yaml(experiment), made_in)
    missing = [run for run in experiment.runs if not store.is_done(run.id)]
    labels = load(folder).runs.set_index("run")["setting"]
    with progress:
        progress.start(total=len(experiment.runs), done=len(experiment.runs) - len(missing))
        for run in missing:
            progress.run_started(labels[run.id], run)
            _run_and_store(run, store, made_in, progress)


def _run_and_store(run: Run, store: Store, made_in: dict[str, Any], progress: Progress) -> None:
    head = _run_description(run) | {"environment": made_in}
    started = time.monotonic()
    try:
        output = execute(run, progress.step)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        head |= {"status": "failed", "error": reason, "summary": {}}
        store.write_failure(run.id, head, traceback.format_exc())
        progress.run_ended("failed", reason)
        return
    summary = output.summary | {"seconds": round(time.monotonic() - started, 3)}
    head |= {"status": output.status, "summary": summary}
    store.write_run(run.id, head, output.tables, output.params)
    reason = f"at step {summary['last_step']}" if output.status == "diverged" else ""
    progress.run_ended(output.status, reason)


def execute(run: Run, report: Callable[[int, float], None]) -> RunOutput:
    """Train one run from its settings and seed; nothing else enters its numbers.

    Args:
        run: what to run.
        report: called now and then with the step reached and its training loss.
    """
    settings = run.settings
    double = settings.training.precision == "float64"
    with jax.enable_x64(double), jax.default_matmul_precision("highest"):
        objective = Objective(settings.cell, settings.task)
        program = Program(
            Objective(dynamics_of(settings.cell), settings.task),
            settings.training,
            settings.record,
        )
        streams = random_streams(run.seed)
        evaluation = objective.sample(streams.evaluation, EVALUATION_EXAMPLES)
        params = objective.init(streams.init)
        ends = [_spectra(program, params, evaluation, 0)]
        state = program.start(params)
        advance = functools.partial(program.advance, data=streams.data, evaluation=evaluation)
        bounds = program.chunk_bounds()
        seen: list[Chunk] = []
        for call in _calls(bounds, _chunks_per_call(program, evaluation.inputs.shape[0])):
            state, chunks = advance(state, bounds=jnp.asarray(call))
            seen.append(jax.tree.map(np.asarray, chunks))
            report(*_latest(seen[-1], call))
            if state.diverged:
                break
        tables = _tables(program, state, seen)
        last_step = int(tables["training"]["step"].iloc[-1])
        if last_step > 0:
            ends.append(_spectra(program, state.params, evaluation, last_step))
        tables |= {name: pd.concat([end[name] for end in ends]) for name in ends[0]}
        return _output(run, state, tables)


def _spectra(
    program: Program, params: Any, evaluation: Batch, step: int
) -> dict[str, pd.DataFrame]:
    """Exponents and eigenvalues at the start or the end of a run that records Jacobians."""
    if program.record.jacobians is None:
        return {}
    inputs = evaluation.inputs[:, : program.record.jacobians.examples]
    return spectra(program.objective.cell, params["cell"], inputs, step)


def _calls(bounds: list[tuple[int, int]], size: int) -> list[list[tuple[int, int]]]:
    """Chunk bounds in lists of equal length, padded with bounds that are skipped."""
    padding = [(-1, -1)] * (-len(bounds) % size)
    padded = bounds + padding
    return [padded[i : i + size] for i in range(0, len(padded), size)]


def _chunks_per_call(program: Program, length: int) -> int:
    cell = program.objective.cell
    products = 4 * cell.layers * 2 * cell.hidden**2
    operations = 6 * products * length * program.training.batch * program.chunk_length
    return max(1, min(int(OPERATIONS_PER_CALL / operations), len(program.chunk_bounds())))


def _latest(chunks: Chunk, call: list[tuple[int, int]]) -> tuple[int, float]:
    """The step reached, and the last finite training loss."""
    updated = [start < stop for start, stop in call]
    losses = chunks.steps.loss[updated]
    losses = losses[np.isfinite(losses)]
    return max(stop for _, stop in call), float(losses[-1]) if losses.size else math.nan


def _tables(program: Program, state: Any, seen: list[Chunk]) -> dict[str, pd.DataFrame]:
    starts = [start for start, _ in program.chunk_bounds()]
    chunks = jax.tree.map(lambda *parts: np.concatenate(parts), *seen)
    last_step = program.training.steps
    if state.diverged:
        last_step, starts = _where_diverged(chunks, starts)
    chunks = jax.tree.map(lambda a: a[: len(starts)], chunks)
    recorded = [index for index, start in enumerate(starts) if program.records_at(start)]
    records = jax.tree.map(lambda a: a[recorded], chunks)
    record_steps = [starts[index] for index in recorded]
    tables = {
        "training": training_frame(chunks, starts, last_step),
        "gradients": gradients_frame(records, record_steps),
        "gates": gates_frame(records, record_steps),
    }
    if program.record.jacobians is not None:
        due = [i for i, step in enumerate(record_steps) if program.records_jacobians_at(step)]
        statistics = {name: a[due] for name, a in records.recorded.jacobians.items()}
        due_steps = [record_steps[i] for i in due]
        tables["jacobians"] = jacobians_frame(statistics, due_steps, program.objective.cell.carry)
    return tables


def _output(run: Run, state: Any, tables: dict[str, pd.DataFrame]) -> RunOutput:
    task = run.settings.task
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
    return RunOutput(status, tables, _named_arrays(state.params), facts | summary)


def _where_diverged(chunks: Chunk, starts: list[int]) -> tuple[int, list[int]]:
    """The step at which no update was made, and the records up to it."""
    stopped = np.isnan(chunks.steps.update_norm[: len(starts)])
    chunk, offset = np.argwhere(stopped)[0]
    return starts[chunk] + int(offset), starts[: chunk + 1]


def _named_arrays(params: Any) -> dict[str, np.ndarray]:
    """Parameters under dotted names, such as ``cell.W_f``, or ``cell.0.W_f`` in a stack."""
    leaves = jax.tree_util.tree_leaves_with_path(params)
    return {
        jax.tree_util.keystr(path, simple=True, separator="."): np.asarray(leaf, order="C")
        for path, leaf in leaves
    }


def _run_description(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "seed": run.seed,
        "results_version": RESULTS_VERSION,
        "settings": run.settings.resolved,
    }


def _description(experiment: Experiment, folder: Path) -> dict[str, Any]:
    return {
        "name": experiment.config.name,
        "question": experiment.config.question,
        "analysis": experiment.config.analysis,
        "config_folder": os.path.relpath(experiment.source.resolve().parent, folder.resolve()),
        "runs": [_run_description(run) for run in experiment.runs],
    }


def _resolved_yaml(experiment: Experiment) -> str:
    """The config with overrides applied, and every default on which all settings agree."""
    config = experiment.config.model_dump(mode="json")
    first, *others = [settings.resolved for settings in experiment.settings]
    for section in SECTIONS:
        config[section] |= {
            key: value
            for key, value in first[section].items()
            if all(key in other[section] and other[section][key] == value for other in others)
        }
    return OmegaConf.to_yaml(OmegaConf.create(config))
