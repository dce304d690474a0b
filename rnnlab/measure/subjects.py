"""The subjects of a measurement: runs before training, stored runs, a user's own weights."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from rnnlab.cells import Cell
from rnnlab.config.settings import SECTIONS, Settings, file_hashes, resolve
from rnnlab.config.sweep import Experiment, Run
from rnnlab.recurrence.own_cells import check_own_cell
from rnnlab.recurrence.stack import check_finite, unroll
from rnnlab.results.params import read_params
from rnnlab.results.read import load
from rnnlab.results.stored_run import ENDED
from rnnlab.support.errors import UserError, did_you_mean
from rnnlab.support.paths import current_folder
from rnnlab.support.plugins import in_folders
from rnnlab.training.objective import Objective
from rnnlab.training.options import RecordJacobians
from rnnlab.training.program import EVALUATION_EXAMPLES, random_streams

# (file, cell, number of input features) → parameters.
ReadWeights = Callable[[Path, Cell, int], Any]


@dataclass(frozen=True)
class Subject:
    """One set of parameters.

    Attributes:
        run: settings and seed.
        id: the subject's id in tables.
        step: the step of training; −1 where it is not known.
        weights: the file that holds the parameters; default None, the initial parameters.
        read: reads the parameters of a cell from that file, given its number of input features.
    """

    run: Run
    id: str
    step: int = 0
    weights: Path | None = None
    read: ReadWeights = read_params

    @property
    def source(self) -> str:
        """The name of the subject in messages."""
        return str(self.weights or f"run {self.id}")

    def params_and_inputs(self, given: np.ndarray | None) -> tuple[Any, Array]:
        """Parameters of the cell, and the given inputs, or else examples of the evaluation set.

        Raises:
            UserError: the file does not hold weights that fit.
            ValueError: inputs do not fit, are of one time step, or the states are not finite.
        """
        settings, streams = self.run.settings, random_streams(self.run.seed)
        objective = Objective(settings.cell, settings.task)
        if given is None:
            drawn = objective.evaluation_set(streams.evaluation, EVALUATION_EXAMPLES).inputs
            inputs = drawn[:, : _examples(settings)]
        else:
            with np.errstate(over="ignore"):
                inputs = jnp.asarray(given.astype(jnp.zeros(()).dtype))
            if not np.isfinite(inputs).all():
                raise UserError(f"inputs: some are too large for {inputs.dtype}")
        if len(inputs) < 2:
            raise ValueError("inputs have 1 time step, and a derivative through time needs 2")
        if self.weights is not None:
            features = inputs.shape[-1]
            params = self.read(self.weights, settings.cell, features)
        else:
            params = objective.init(streams.init)["cell"]
        check_finite(params=params)
        check_own_cell(settings.cell, params, inputs)
        check_finite(states=unroll(settings.cell, params, inputs))
        return params, inputs


def _examples(settings: Settings) -> int:
    jacobians = settings.record.jacobians
    return (jacobians or RecordJacobians(every=settings.record.every)).examples


def of_config(experiment: Experiment) -> list[Subject]:
    """Every run of a config, before training."""
    return [Subject(run, run.id) for run in experiment.runs]


def of_weights(experiment: Experiment, weights: Path, read: ReadWeights) -> list[Subject]:
    """A user's own weights, for the cell of a config.

    Args:
        experiment: the config.
        weights: the file that holds them.
        read: see ``Subject``.

    Raises:
        UserError: the config has several settings.
    """
    if len(experiment.settings) > 1:
        raise UserError(
            f"{experiment.config.name}: has {len(experiment.settings)} settings, and the weights "
            "are those of one: choose it by overrides, such as 'sweep={}' cell.hidden=64"
        )
    return [Subject(experiment.runs[0], weights.stem, -1, weights, read)]


def of_results(folder: Path, run_id: str | None = None) -> list[Subject]:
    """All stored runs with their final parameters, or one of them.

    Raises:
        UserError: there is no such run, none has ended, or a plug-in or data file has changed.
    """
    results = load(folder)
    ended = results.runs[results.runs["status"].isin(ENDED)]
    if ended.empty:
        raise UserError(f"{folder}: no run has ended yet; rnnlab run CONFIG does what is missing")
    wanted = list(ended["run"]) if run_id is None else [run_id]
    if run_id is not None and run_id not in list(ended["run"]):
        raise UserError(f"--run {run_id}: no such run; {did_you_mean(run_id, ended['run'])}")
    config_folder = folder / results.stores[0].experiment()["config_folder"]
    subjects = []
    for run in wanted:
        stored = results.stored_run(run)
        weights, record = stored.file("params.safetensors"), stored.record
        settings = _stored_settings(record["settings"], str(weights.parent), config_folder)
        last_step = record["summary"]["last_step"]
        subjects.append(Subject(Run(settings, record["seed"]), run, last_step, weights))
    return subjects


def _stored_settings(stored: dict[str, Any], source: str, config_folder: Path) -> Settings:
    find = in_folders(config_folder, current_folder())
    settings = resolve({name: stored[name] for name in SECTIONS}, source, find)
    now, before = file_hashes(settings.resolved), file_hashes(stored)
    if changed := ", ".join(file for file in before if now.get(file) != before[file]):
        raise UserError(f"{source}: {changed} has changed since this run was trained")
    return settings
