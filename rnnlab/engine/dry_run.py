"""The output of ``rnnlab run --dry-run``."""

from collections.abc import Callable
from pathlib import Path

from rich.table import Table
from rich.text import Text

from rnnlab.config.labels import label_settings
from rnnlab.config.sweep import Experiment, Run
from rnnlab.engine.estimate import Pace, measure_pace, seconds_in_all
from rnnlab.engine.experiment import workers_here
from rnnlab.engine.placement import Placement
from rnnlab.engine.programs import program_of
from rnnlab.engine.progress import minutes
from rnnlab.results.folders import open_for_writing
from rnnlab.support.terminal import plain, plain_table


def foresee(
    experiment: Experiment, folder: Path, placement: Placement, tell: Callable[[str], None]
) -> list[Text | Table]:
    """List the runs of an experiment and estimate their time; nothing is written.

    Args:
        experiment: to be run.
        folder: the results folder, which need not exist.
        placement: where it would run.
        tell: called with a line before each slow part.

    Raises:
        UserError: the folder holds something else.
    """
    store = open_for_writing(folder)
    missing = {run.id: run for run in experiment.runs if not store.is_done(run.id)}
    begun = {path.stem for path in folder.glob("checkpoints/*")}
    script = (
        [plain("the job script:\n" + _job_script(placement))] if placement.slurm is not None else []
    )
    pace = measure_pace(list(missing.values()), placement.threads, tell)
    names = label_settings([run.settings.resolved for run in experiment.runs])
    rows = []
    for run, name in zip(experiment.runs, names, strict=True):
        state, seconds = "stored", ""
        if run.id in missing:
            state = "begun" if run.id in begun else "to do"
            fails = program_of(run.settings) in pace.failing
            seconds = "fails" if fails else f"{pace.seconds(run):.1f}"
        rows.append([name, str(run.seed), state, seconds])
    done = f"{len(rows) - len(missing)} of {len(rows)} runs are stored in {folder}"
    table = plain_table("runs", ["setting", "seed", "state", "seconds"], rows)
    parts: list[Text | Table] = [table, plain(done)]
    if missing:
        parts.append(plain(_time_in_words(list(missing.values()), pace, placement)))
    return parts + script


def _job_script(placement: Placement) -> str:
    from rnnlab.engine.slurm import job_script

    assert placement.slurm is not None
    return job_script(placement.slurm, placement.interface, placement.threads)


def _time_in_words(missing: list[Run], pace: Pace, placement: Placement) -> str:
    workers = workers_here(placement, missing)
    if workers is None and placement.slurm is not None:
        workers = placement.slurm_jobs
    if workers is None:
        alone = seconds_in_all(missing, pace, 1)
        return f"about {minutes(alone)} by this machine's pace, divided by the number of workers"
    time_left = minutes(seconds_in_all(missing, pace, workers))
    many = f"{workers} worker{'s' if workers > 1 else ''} at this machine's pace"
    by = many if workers else "this process"
    return f"about {time_left} by {by}"
