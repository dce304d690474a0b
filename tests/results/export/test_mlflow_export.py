"""An MLflow store, read back by MLflow's client."""

import os
import sqlite3

import pytest
from exported import expected, kind_of, stored

from rnnlab.config.labels import flatten
from rnnlab.results.export import export
from rnnlab.results.export.runs import runs_to_export
from rnnlab.support.errors import UserError

# SQLAlchemy 2.1 says this of how MLflow 3 maps its tables.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")
for module in ("mlflow", "sqlalchemy", "alembic"):
    pytest.importorskip(module)


@pytest.fixture
def client(out, monkeypatch):
    """Opened after the export."""
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    return lambda: MlflowClient(tracking_uri=f"sqlite:///{out / 'mlflow.db'}")


def exported_runs(client, name="tiny"):
    experiment = client.get_experiment_by_name(name)
    runs = client.search_runs([experiment.experiment_id])
    by_id = {run.data.tags["rnnlab.run"]: run for run in runs}
    assert len(by_id) == len(runs)
    return by_id


def history(client, run):
    found = {}
    for name in run.data.metrics:
        for metric in client.get_metric_history(run.info.run_id, name):
            assert (name, metric.step) not in found
            found[name, metric.step] = metric.value
    return found


def test_every_number(results, out, client, capfd):
    assert export(results, "mlflow", out) == [out / "mlflow.db"]
    assert capfd.readouterr() == ("", "")
    opened = client()
    runs = exported_runs(opened)
    assert set(runs) == set(results.runs["run"])
    for row in stored(results):
        summary = results.stores[0].read_run(row.run)["summary"]
        numbers = expected(results, row.run) | {
            (f"summary/{key}", 25): value
            for key, value in summary.items()
            if isinstance(value, int | float)
        }
        assert ("summary/decay_last", 25) in numbers
        assert history(opened, runs[row.run]) == pytest.approx(numbers, rel=1e-6)


def test_names_and_settings(results, out, client):
    export(results, "mlflow", out)
    runs = exported_runs(client())
    for run in runs_to_export(results):
        found = runs[run.id]
        assert found.info.run_name == run.name
        assert found.info.status == "FINISHED"
        assert found.data.tags["rnnlab.setting"] == run.setting
        assert found.data.tags["rnnlab.status"] == "finished"
        wanted = flatten(run.record["settings"]) | {"seed": run.seed}
        assert found.data.params == {key: str(value) for key, value in wanted.items()}


def test_times_are_those_of_the_run(results, out, client):
    export(results, "mlflow", out)
    opened = client()
    for run in runs_to_export(results):
        found = exported_runs(opened)[run.id].info
        assert found.start_time == pytest.approx(1000 * run.time(0), abs=1)
        assert found.end_time == pytest.approx(1000 * run.time(25), abs=1)
        for metric in opened.get_metric_history(found.run_id, "training/loss"):
            assert metric.timestamp == pytest.approx(1000 * run.time(metric.step), abs=1)


def test_exporting_again_replaces_and_keeps_other_experiments(results, out, client):
    export(results, "mlflow", out)
    opened = client()
    mine = opened.create_run(opened.create_experiment("mine", str(out / "artifacts")))
    first = exported_runs(opened)
    export(results, "mlflow", out)
    second = exported_runs(opened)
    assert set(first) == set(second)
    assert not {r.info.run_id for r in first.values()} & {r.info.run_id for r in second.values()}
    assert opened.get_run(mine.info.run_id).info.lifecycle_stage == "active"


def test_a_store_that_was_deleted_is_made_again(results, out, client):
    export(results, "mlflow", out)
    (out / "mlflow.db").unlink()
    export(results, "mlflow", out)
    assert len(exported_runs(client())) == 4


def test_odd_names_stay_inside(odd, out, client):
    export(odd, "mlflow", out)
    assert {path.name for path in out.iterdir()} == {"mlflow.db"}
    runs = exported_runs(client(), "made_up")
    assert set(runs) == {row.run for row in stored(odd)}
    for row in stored(odd):
        found = runs[row.run]
        assert found.info.run_name == f"{row.setting}, seed 0"[:250]
        assert found.data.params["cell.kind"] == kind_of(odd, row)[:6000]
        status = {"finished": "FINISHED", "diverged": "FAILED"}[row.status]
        assert found.info.status == status


def test_nothing_is_sent_and_the_environment_is_put_back(results, out, monkeypatch):
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    seen = []
    original = SqlAlchemyStore.create_run
    monkeypatch.setattr(
        SqlAlchemyStore,
        "create_run",
        lambda *a: seen.append(os.environ["MLFLOW_DISABLE_TELEMETRY"]) or original(*a),
    )
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
    export(results, "mlflow", out)
    assert seen == ["true"] * 4
    assert "MLFLOW_DISABLE_TELEMETRY" not in os.environ


def test_a_store_that_is_none_is_a_message(results, out):
    out.mkdir(parents=True)
    with sqlite3.connect(out / "mlflow.db") as file:
        file.execute("create table alembic_version (version_num text)")
        file.execute("insert into alembic_version values ('of another time')")
    file.close()
    with pytest.raises(UserError, match=r"mlflow\.db: mlflow: "):
        export(results, "mlflow", out)


def test_a_path_that_sqlalchemy_would_cut_off(results, tmp_path):
    with pytest.raises(UserError, match=r"cannot open a path with a \?"):
        export(results, "mlflow", tmp_path / "out?x=1")
