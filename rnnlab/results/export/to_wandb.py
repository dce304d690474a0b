"""Offline runs of Weights & Biases, for a later upload with ``wandb sync``."""

import glob
import shutil
from pathlib import Path

from rnnlab.results.export.library import environment_variable, require
from rnnlab.results.export.runs import ExportedRun, runs_to_export
from rnnlab.results.read import Results
from rnnlab.support.errors import UserError

PROJECT = "rnnlab"
NAME_LENGTH = 128
QUIET = {
    "silent": True,
    "console": "off",
    "symlink": False,
    "disable_git": True,
    "save_code": False,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_disable_machine_info": True,
    "x_save_requirements": False,
}


def to_wandb(results: Results, out: Path) -> list[Path]:
    """Write one offline run per run into ``out/wandb``, without network or login.

    The group is the experiment, the config has the settings under dotted keys, the history is
    ``ExportedRun.history``. A run keeps its id, so that it replaces an earlier export of the same
    run. wandb writes the end of the files in the background: they are complete when Python has
    ended, or after ``wandb.teardown()``.

    Raises:
        UserError: wandb is not installed, or reports an error.
    """
    with environment_variable("WANDB_ERROR_REPORTING", "false"):
        require("wandb", "wandb")
        import wandb

        try:
            return [_replace(run, results.name, out) for run in runs_to_export(results)]
        except wandb.Error as error:
            raise UserError(f"{out}: wandb: {error}") from None


def _replace(run: ExportedRun, group: str, out: Path) -> Path:
    (out / "wandb").mkdir(exist_ok=True)
    for earlier in (out / "wandb").glob(f"offline-run-*-{glob.escape(run.key)}"):
        shutil.rmtree(earlier)
    return _write(run, group, out)


def _write(run: ExportedRun, group: str, out: Path) -> Path:
    import wandb

    target = wandb.init(
        mode="offline",
        dir=str(out),
        project=PROJECT,
        id=run.key,
        name=run.name[:NAME_LENGTH],
        group=group[:NAME_LENGTH],
        config={**run.settings, "seed": run.seed, "setting": run.setting},
        reinit="create_new",
        settings=QUIET,
    )
    for step, values in run.history().items():
        target.log({**values, "_timestamp": run.time(step)}, step=step)
    target.summary.update({**run.summary, "status": run.record["status"]})
    target.finish()
    return Path(target.settings.sync_dir)
