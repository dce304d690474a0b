"""Event files for TensorBoard, written without TensorFlow."""

import glob
import os
import shutil
from pathlib import Path
from typing import Any

from rnnlab.results.export.library import require
from rnnlab.results.export.runs import ExportedRun, runs_to_export
from rnnlab.results.read import Results
from rnnlab.support.files import standing_for


def to_tensorboard(results: Results, out: Path) -> list[Path]:
    """Write one folder per run, named by label, seed and id: scalars by step, and hparams.

    Scalars are those of ``ExportedRun.history``, in single precision. The hparams are the settings
    without the seed, so that TensorBoard groups a setting's seeds. A folder of the same run is
    replaced.

    Raises:
        UserError: tensorboard is not installed.
    """
    require("tensorboard", "tensorboard")
    return [_replace(run, out) for run in runs_to_export(results)]


def _replace(run: ExportedRun, out: Path) -> Path:
    """Write into a temporary folder that then replaces the run's folder of an earlier export."""
    target = out / run.folder_name
    partial = out / f".{os.getpid()}.{run.key}"
    try:
        with standing_for(target, partial):
            partial.mkdir()
            _write(run, partial)
            for earlier in out.glob(f"*-{glob.escape(run.key)}"):
                shutil.rmtree(earlier)
            return partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write(run: ExportedRun, folder: Path) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder))
    writer.add_event(Event(wall_time=run.time(0), summary=_settings(run)))
    for step, values in run.history().items():
        writer.add_event(Event(wall_time=run.time(step), step=step, summary=_scalars(values)))
    writer.close()


def _scalars(values: dict[str, float]) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary

    return Summary(
        value=[Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
    )


def _settings(run: ExportedRun) -> Any:
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb

    hparams = {
        key: value if isinstance(value, bool | int | float | str) else str(value)
        for key, value in run.settings.items()
    }
    return hparams_pb(hparams, start_time_secs=run.time(0))
