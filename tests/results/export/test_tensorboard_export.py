"""Event files, read back by TensorBoard's own reader."""

import numpy as np
import pytest
from exported import expected, kind_of, stored

from rnnlab.config.labels import flatten
from rnnlab.results.export import export

pytest.importorskip("tensorboard")


def read(folder):
    """TensorBoard's reader, told to keep every scalar."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()


def scalars(events):
    return {
        (tag, event.step): event.value
        for tag in events.Tags()["scalars"]
        for event in events.Scalars(tag)
    }


def hparams(events):
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    metadata = events.SummaryMetadata("_hparams_/session_start_info")
    start = HParamsPluginData.FromString(metadata.plugin_data.content).session_start_info
    return start.group_name, {
        key: getattr(value, value.WhichOneof("kind")) for key, value in start.hparams.items()
    }


def test_every_number(results, out):
    folders = export(results, "tensorboard", out)
    rows = stored(results)
    assert len(folders) == len(rows) == 4
    for folder, row in zip(folders, rows, strict=True):
        assert folder.name.endswith(f"-seed{row.seed}-{row.run}")
        numbers = expected(results, row.run)
        found = scalars(read(folder))
        assert set(found) == set(numbers)
        for key, value in numbers.items():
            assert found[key] == pytest.approx(np.float32(value), rel=1e-6), key


def test_hparams_are_the_settings_and_group_the_seeds(results, out):
    read_back = [hparams(read(folder)) for folder in export(results, "tensorboard", out)]
    for run, (_, found) in zip(stored(results), read_back, strict=True):
        settings = flatten(results.stores[0].read_run(run.run)["settings"])
        for key, value in settings.items():
            assert found[key] == (value if isinstance(value, int | float | str) else str(value))
        assert set(found) == set(settings)
    groups = [group for group, _ in read_back]
    assert groups[0] == groups[1] != groups[2] == groups[3]


def test_times_are_those_of_the_run(results, out):
    from rnnlab.results.export.runs import runs_to_export

    folders = export(results, "tensorboard", out)
    for folder, run in zip(folders, runs_to_export(results), strict=True):
        for event in read(folder).Scalars("training/loss"):
            assert event.wall_time == pytest.approx(run.time(event.step), abs=1e-3)


def test_exporting_again_replaces_whatever_the_label_was(results, out):
    folders = export(results, "tensorboard", out)
    folders[0].rename(out / f"another-label-{stored(results)[0].run}")
    (out / "of-my-own").mkdir()
    again = export(results, "tensorboard", out)
    assert again == folders
    assert set(out.iterdir()) == {*folders, out / "of-my-own"}
    assert all(len(list(folder.iterdir())) == 1 for folder in folders)


def test_odd_names_stay_inside(odd, out):
    folders = export(odd, "tensorboard", out)
    assert {folder.parent for folder in folders} == {out}
    assert set(out.iterdir()) == set(folders)
    for folder, row in zip(folders, stored(odd), strict=True):
        events = read(folder)
        assert len(scalars(events)) > 100
        assert hparams(events)[1]["cell.kind"] == kind_of(odd, row)


def test_without_tensorflow(results, out):
    import sys

    export(results, "tensorboard", out)
    assert not {"tensorflow", "torch"} & set(sys.modules)
