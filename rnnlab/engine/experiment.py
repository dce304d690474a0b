"""Runs an experiment, or the part of it that is not stored yet."""

import os
import signal
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnlab.config.labels import label_settings
from rnnlab.config.safe_yaml import write_yaml
from rnnlab.config.settings import SECTIONS, file_hashes
from rnnlab.config.sweep import Experiment, Run, load_experiment
from rnnlab.engine.groups import Group, bytes_of, make_groups
from rnnlab.engine.interrupt import Signalled, Stop, stop_on_signal
from rnnlab.engine.ledger import Ledger
from rnnlab.engine.placement import Placement
from rnnlab.engine.programs import operations_of
from rnnlab.engine.progress import Progress, make_progress
from rnnlab.engine.script import is_run_by_worker
from rnnlab.engine.work import head_of, is_accelerated, work
from rnnlab.results.folders import open_for_reading, open_for_writing
from rnnlab.results.read import Results, load
from rnnlab.support.errors import UserError
from rnnlab.support.paths import user_path
from rnnlab.support.platforms import check_jax
from rnnlab.support.threads import limit_threads

HERE = Placement(workers=0)


def run(
    source: str | Path,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    out: str | Path | None = None,
    workers: int = 0,
) -> Results:
    """Run an experiment, or what is missing of it, and load its results.

    Args:
        source: a config file, or the name of a bundled config.
        overrides: ``{"cell.hidden": 32}`` or ``["cell.hidden=32"]``.
        out: the results folder; default ``results/<name>``.
        workers: processes; 0 is this one. More need a script's ``if __name__ == "__main__":``.

    Raises:
        UserError: the config is wrong, or the folder cannot be used.
        KeyboardInterrupt: Ctrl-C; runs in progress have been stored and will go on from there.
            After another signal, such as SIGTERM, they have been stored too, and then the signal
            does what it does elsewhere in this process.
    """
    experiment = load_experiment(source, overrides)
    folder = default_folder(experiment) if out is None else user_path(out)
    try:
        for part, place in experiment.parts(folder):
            run_experiment(part, place, make_progress(), Placement(workers=workers))
    except Signalled as stopped:
        if stopped.number != signal.SIGINT:
            signal.raise_signal(stopped.number)
        raise
    except (UserError, RuntimeError) as error:
        if workers and is_run_by_worker():  # the process that has started it tells why
            raise SystemExit(1) from None
        if isinstance(error, UserError):  # where in rnnlab it was raised is no help
            raise error.with_traceback(None) from error.__cause__
        raise
    return load(folder)


def default_folder(experiment: Experiment) -> Path:
    """The results folder of an experiment if the user names none."""
    return Path("results") / experiment.config.name


def stored_experiment(folder: Path) -> Experiment:
    """The experiment of a results folder, from its ``config.yaml``.

    Raises:
        UserError: the folder has none, or plug-in or data files have changed since.
    """
    stored = open_for_reading(folder).experiment()
    path = folder / "config.yaml"
    experiment = load_experiment(path, home=folder / stored["config_folder"])
    if [run.id for run in experiment.runs] != [run["id"] for run in stored["runs"]]:
        changed = ", ".join(_changed_files(experiment, stored["runs"])) or path.name
        raise UserError(
            f"{path}: {changed} has changed since these runs, so that others are wanted now; "
            f"rnnlab run {path} --out {folder} does them, finished ones of before included"
        )
    return experiment


def _changed_files(experiment: Experiment, stored: list[dict[str, Any]]) -> list[str]:
    """Plug-in and data files that have changed since, or are no longer read, or new."""
    now: dict[str, str] = {}
    for settings in experiment.settings:
        now |= file_hashes(settings.resolved)
    before: dict[str, str] = {}
    for run in stored:
        before |= file_hashes(run["settings"])
    return sorted(file for file in now.keys() | before.keys() if now.get(file) != before.get(file))


def run_experiment(
    experiment: Experiment,
    folder: Path,
    progress: Progress,
    placement: Placement = HERE,
    only: Collection[str] | None = None,
) -> None:
    """Do the runs that are not stored in the folder yet, and store each when it ends.

    A run that fails is stored as failed, with its traceback, and the others go on.

    Args:
        experiment: to be run.
        folder: the results folder.
        progress: shows every run.
        placement: in this process, or in workers.
        only: ids of the runs to do; default all that the folder lacks.

    Raises:
        UserError: the folder cannot be used or written, or the workers are lost.
        Signalled: Ctrl-C or another signal; runs in progress have been stored, and will go on from
            there.
    """
    store = open_for_writing(folder)
    with store.locked():
        store.write_experiment(_description(experiment, folder), _resolved_yaml(experiment))
        missing = [run for run in experiment.runs if not store.is_done(run.id)]
        wanted = missing if only is None else [run for run in missing if run.id in only]
        names = label_settings([run.settings.resolved for run in experiment.runs])
        labels = {run.id: name for run, name in zip(experiment.runs, names, strict=True)}
        cost = float(sum(map(operations_of, wanted)))
        ledger = Ledger(store, wanted, labels, progress)
        done = len(experiment.runs) - len(missing)
        trains = any(settings.training.steps for settings in experiment.settings)
        what = "training" if trains else "measuring before training"
        with progress, stop_on_signal(progress.say) as stop, ledger.live:
            progress.start(done + len(wanted), done, cost, what)
            if wanted:
                _do(wanted, ledger, experiment.config.checkpoint_every, placement, stop)
        stop.check()


def _do(
    runs: list[Run], ledger: Ledger, checkpoint_every: float, placement: Placement, stop: Stop
) -> None:
    workers = workers_here(placement, runs)
    if workers == 0:
        limit_threads(placement.threads)
        check_jax()
        groups = make_groups(runs, 1, side_by_side=is_accelerated())
        _do_here(groups, ledger, checkpoint_every, stop)
    else:
        from rnnlab.engine.cluster import do_on_cluster

        do_on_cluster(runs, ledger, checkpoint_every, placement, workers, stop)


def workers_here(placement: Placement, runs: Sequence[Run]) -> int | None:
    """The number of worker processes on this machine; None if runs are done elsewhere."""
    if placement.workers is None and placement.scheduler is None and placement.slurm is None:
        from rnnlab.engine.resources import default_workers

        return default_workers(len(runs), max(map(bytes_of, runs)), sum(map(operations_of, runs)))
    return placement.workers


def _do_here(groups: list[Group], ledger: Ledger, checkpoint_every: float, stop: Stop) -> None:
    def take_all(messages: Sequence[Any]) -> None:
        for message in messages:
            with stop.storing():
                ledger.take(message)

    for group in groups:
        begun = ledger.store.checkpoints.read(run.id for run in group.runs)
        work(group.runs, begun, checkpoint_every, "this process", take_all, stop)


def _description(experiment: Experiment, folder: Path) -> dict[str, Any]:
    return {
        "name": experiment.config.name,
        "question": experiment.config.question,
        "analysis": experiment.config.analysis,
        "config_folder": _relative(experiment.home.resolve(), folder.resolve()),
        "runs": [head_of(run) for run in experiment.runs],
    }


def _relative(path: Path, start: Path) -> str:
    """The path relative to ``start``; absolute if it is on another drive."""
    try:
        return os.path.relpath(path, start)
    except ValueError:
        return str(path)


def _resolved_yaml(experiment: Experiment) -> str:
    """The config with overrides applied, and with the options on which all settings agree."""
    config = experiment.config.model_dump(mode="json")
    first, *others = [settings.resolved for settings in experiment.settings]
    for section in SECTIONS:
        config[section] |= {
            key: value
            for key, value in first[section].items()
            if all(key in other[section] and other[section][key] == value for other in others)
        }
    return write_yaml(config)
