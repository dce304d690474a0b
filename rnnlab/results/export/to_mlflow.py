"""Runs in an MLflow tracking store, a SQLite file."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rnnlab.results.export.library import environment_variable, require
from rnnlab.results.export.runs import ExportedRun, runs_to_export
from rnnlab.results.read import Results
from rnnlab.support.errors import UserError

DATABASE = "mlflow.db"
RUN_TAG = "rnnlab.run"
METRICS_PER_BATCH, PARAMS_PER_BATCH = 1000, 100
NAME_LENGTH = 250


def to_mlflow(results: Results, out: Path) -> list[Path]:
    """Write one MLflow run per run to ``out/mlflow.db``, in the experiment of the results' name.

    Params are the settings and the seed; metrics are those of ``ExportedRun.history`` and, at the
    last step, the numbers of the run's summary (an infinite one becomes MLflow's largest number).
    A diverged run has the status FAILED. An earlier export of a run is marked as deleted;
    ``mlflow gc`` removes it.

    Raises:
        UserError: mlflow, sqlalchemy or alembic is not installed, or mlflow reports an error.
    """
    with environment_variable("MLFLOW_DISABLE_TELEMETRY", "true"):
        require("mlflow", "mlflow", "sqlalchemy", "alembic")
        from alembic.util import CommandError
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with _tracking_store(out) as store:
                experiment = _experiment(store, results.name)
                for run in runs_to_export(results):
                    _replace(store, experiment, run)
        except (MlflowException, SQLAlchemyError, CommandError) as error:
            raise UserError(f"{out / DATABASE}: mlflow: {error}") from None
    return [out / DATABASE]


@contextlib.contextmanager
def _tracking_store(out: Path) -> Iterator[Any]:
    """MLflow's store without its client, which would keep the file open."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from sqlalchemy import make_url

    path = (out / DATABASE).resolve()
    url = f"sqlite:///{path}"
    if make_url(url).database != str(path):
        raise UserError(f"{path}: sqlalchemy cannot open a path with a ? or a code such as %20")
    with _only_warnings("mlflow.store.db.utils"):
        store = SqlAlchemyStore(url, str(path.parent / "mlartifacts"))
    try:
        yield store
    finally:
        store.engine.dispose()


@contextlib.contextmanager
def _only_warnings(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)


def _experiment(store: Any, name: str) -> str:
    """The id of the experiment of this name, created if missing."""
    found = store.get_experiment_by_name(name)
    return store.create_experiment(name) if found is None else found.experiment_id


def _replace(store: Any, experiment: str, run: ExportedRun) -> None:
    from mlflow.entities import ViewType

    same = f"tags.`{RUN_TAG}` = '{run.key}'"
    earlier = store.search_runs([experiment], same, ViewType.ACTIVE_ONLY)
    _write(store, experiment, run)
    for written_before in earlier:
        store.delete_run(written_before.info.run_id)


def _write(store: Any, experiment: str, run: ExportedRun) -> None:
    from mlflow.entities import Param, RunStatus

    last_step, status = run.summary["last_step"], run.record["status"]
    created = store.create_run(
        experiment, "rnnlab", _milliseconds(run, 0), _tags(run), run.name[:NAME_LENGTH]
    )
    run_id = created.info.run_id
    params = [Param(key, str(value)) for key, value in {**run.settings, "seed": run.seed}.items()]
    for batch in _batches(params, PARAMS_PER_BATCH):
        store.log_batch(run_id, metrics=[], params=batch, tags=[])
    for batch in _batches(_metrics(run), METRICS_PER_BATCH):
        store.log_batch(run_id, metrics=batch, params=[], tags=[])
    ended = RunStatus.FINISHED if status == "finished" else RunStatus.FAILED
    store.update_run_info(run_id, ended, _milliseconds(run, last_step), None)


def _tags(run: ExportedRun) -> list[Any]:
    from mlflow.entities import RunTag

    tags = {RUN_TAG: run.key, "rnnlab.setting": run.setting, "rnnlab.status": run.record["status"]}
    return [RunTag(key, value) for key, value in tags.items()]


def _metrics(run: ExportedRun) -> list[Any]:
    from mlflow.entities import Metric

    last_step = run.summary["last_step"]
    rows = [(name, v, step) for step, row in run.history().items() for name, v in row.items()]
    numbers = {key: v for key, v in run.summary.items() if isinstance(v, int | float)}
    rows += [(f"summary/{key}", float(value), last_step) for key, value in numbers.items()]
    return [Metric(name, value, _milliseconds(run, step), step) for name, value, step in rows]


def _milliseconds(run: ExportedRun, step: int) -> int:
    return round(1000 * run.time(step))


def _batches(items: list[Any], size: int) -> list[list[Any]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
