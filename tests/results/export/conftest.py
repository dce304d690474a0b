"""Results to export: real ones, and some with names that mean harm."""

import pandas as pd
import pytest
from made_up import files, settings, summary, write

import rnnlab
from rnnlab.support.files import parquet_bytes

TINY = """
task: {kind: adding, length: 7}
training: {steps: 25, batch: 5}
record: {every: 10}
sweep:
  cell:
    - {kind: rnn, hidden: 3}
    - {kind: lstm, hidden: 3, layers: 2}
seeds: 2
"""
ODD_KINDS = (
    '=HYPERLINK("http://x")',
    "../../../<script>é雪</script>",
    "/etc/x",
    "..",
    "x" * 9000,
    "a/b",
    "a\\b",
    "-1+1",
)


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """Two cells, one of two layers and one without gates, with two seeds."""
    folder = tmp_path_factory.mktemp("exported")
    (folder / "tiny.yaml").write_text(TINY)
    rnnlab.run(folder / "tiny.yaml", out=folder / "results")
    return rnnlab.load(folder / "results")


@pytest.fixture(scope="session")
def odd(tmp_path_factory):
    """Odd names, one diverged, and one more each that failed or is missing."""
    runs = [(settings(kind=k, forget_bias=0), 0, "finished", summary()) for k in ODD_KINDS]
    runs[-1] = (*runs[-1][:2], "diverged", summary())
    runs += [
        (settings(kind="lstm", forget_bias=1), seed, status, {})
        for seed, status in enumerate(["failed", "missing"])
    ]
    folder = tmp_path_factory.mktemp("odd") / "results"
    write(folder, runs)
    return rnnlab.load(folder)


@pytest.fixture(scope="session")
def with_jacobians(tmp_path_factory):
    """Of three runs, two with tables of Jacobians, of cells with other gates."""
    folder = tmp_path_factory.mktemp("jacobians") / "results"
    recorded = [settings(kind=kind, forget_bias=1) for kind in ("lstm", "gru")]
    for chosen in recorded:
        chosen["record"]["jacobians"] = {"every": 10, "examples": 2}
    chosen = [*recorded, settings(kind="rnn", forget_bias=1)]
    store = write(folder, [(c, 0, "finished", summary()) for c in chosen])
    for index, gate in enumerate("iz"):
        columns = {"step": [0, 100], "direct": [0.1, float("nan")], gate: [1 / 3, index]}
        table = parquet_bytes(pd.DataFrame(columns).astype({"direct": "float32"}))
        more = {f"{name}.parquet": table for name in ("jacobians", "lyapunov", "eigenvalues")}
        run = f"{index:016x}"
        store.write_run(run, store.read_run(run), files(settings(forget_bias=1.0)) | more)
    return rnnlab.load(folder)


@pytest.fixture
def out(tmp_path, monkeypatch):
    """A folder to export into; the test fails if anything appears beside it."""
    (tmp_path / "working").mkdir()
    monkeypatch.chdir(tmp_path / "working")
    yield tmp_path / "a bé#%" / "out"
    assert list((tmp_path / "working").iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"working", "a bé#%"}
    assert {path.name for path in (tmp_path / "a bé#%").iterdir()} == {"out"}
