"""What all exports share: their names, and what they say when they cannot."""

import os
import sys

import pytest
from exported import stored
from made_up import settings, write

import rnnlab
from rnnlab.results.export import FORMATS, export
from rnnlab.results.export.runs import runs_to_export, safe_name
from rnnlab.support.errors import UserError


def test_an_unknown_format(results, tmp_path):
    with pytest.raises(
        UserError, match="to='tensorbord': no such format; did you mean 'tensorboard'"
    ):
        export(results, "tensorbord", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("to", "module", "extra"),
    [
        ("tensorboard", "tensorboard", "tensorboard"),
        ("wandb-offline", "wandb", "wandb"),
        ("mlflow", "mlflow", "mlflow"),
        ("mlflow", "sqlalchemy", "mlflow"),
        ("mlflow", "alembic", "mlflow"),
    ],
)
def test_a_missing_library(results, tmp_path, monkeypatch, to, module, extra):
    if module in ("sqlalchemy", "alembic"):
        pytest.importorskip("mlflow")
    if module == "alembic":
        pytest.importorskip("sqlalchemy")
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "true")
    before = dict(os.environ)
    with pytest.raises(UserError) as caught:
        export(results, to, tmp_path)
    assert f"needs {module}, which is not installed: pip install 'rnnlab[{extra}]'" in str(
        caught.value
    )
    assert dict(os.environ) == before


def test_nothing_has_finished(tmp_path):
    chosen = settings(forget_bias=0)
    write(tmp_path / "results", [(chosen, 0, "failed", {}), (chosen, 1, "missing", {})])
    results = rnnlab.load(tmp_path / "results")
    with pytest.raises(UserError, match="made_up: no run has finished yet"):
        export(results, "csv", tmp_path / "out")


def test_a_folder_that_is_a_file(results, tmp_path):
    (tmp_path / "out").write_text("")
    for to in FORMATS:
        with pytest.raises(UserError, match="out: is a file, not a folder"):
            export(results, to, tmp_path / "out")


def test_times_end_when_the_run_was_stored(results):
    run = next(runs_to_export(results))
    seconds = run.summary["seconds"]
    os.utime(run.stored.file("run.json"), (5e8, 1e9))
    assert seconds > 0
    assert run.time(25) == 1e9
    assert run.time(0) == pytest.approx(1e9 - seconds, abs=1e-6)
    assert run.time(5) == pytest.approx(1e9 - 0.8 * seconds, abs=1e-6)


def test_where_there_is_no_distance_places_are_times(tmp_path):
    numbers = {"last_step": 100, "read_step": None}
    write(tmp_path, [(settings(forget_bias=0), 0, "finished", numbers)])
    run = next(runs_to_export(rnnlab.load(tmp_path)))
    table = run.table("gradients").set_index(["step", "layer", "quantity", "t"])["log10_mean"]
    found = {key: v for key, v in run.history()[10].items() if key.startswith("gradients/c/layer1")}
    assert found == {
        f"gradients/c/layer1/log10_at_t_{t}": table.loc[10, 1, "c", t] for t in (0, 1, 3, 5)
    }


def test_names_of_files():
    assert safe_name("b_f = -0.5, b_i = −b_f") == "b_f_-0.5_b_i_b_f"
    assert safe_name("..") == "_"
    assert safe_name("../a/..\\b\0c") == "a_.._b_c"
    assert safe_name("雪") == "雪"


def test_names_of_folders_are_unique_and_short(odd):
    names = [run.folder_name for run in runs_to_export(odd)]
    assert len(set(names)) == len(names) == len(stored(odd))
    assert max(len(name.encode()) for name in names) <= 255
