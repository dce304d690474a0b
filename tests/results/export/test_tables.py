"""CSV files, read back by pandas and the standard library."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from exported import stored

from rnnlab.results.export import export
from rnnlab.results.export.tables import safe_csv

TABLES = ("training", "gates", "gradients")
JACOBIAN_TABLES = ("jacobians", "lyapunov", "eigenvalues")


@pytest.mark.parametrize("name", TABLES)
def test_every_number_of_a_table(results, out, name):
    written = export(results, "csv", out)
    assert [path.name for path in written] == [f"{file}.csv" for file in ("runs", *TABLES)]
    assert_same(pd.read_csv(out / f"{name}.csv", dtype={"run": str}), getattr(results, name))


@pytest.mark.parametrize("name", JACOBIAN_TABLES)
def test_tables_of_jacobians_of_the_runs_that_have_them(with_jacobians, out, name):
    written = export(with_jacobians, "csv", out)
    assert [path.stem for path in written] == ["runs", *TABLES, *JACOBIAN_TABLES]
    read = pd.read_csv(out / f"{name}.csv", dtype={"run": str})
    assert_same(read, getattr(with_jacobians, name))
    assert list(read["i"].isna()) == [False, False, True, True]


def assert_same(read, table):
    assert list(read.columns[:3]) == ["run", "setting", "seed"]
    assert set(read.columns) == set(table.columns)
    assert len(read) == len(table)
    for column, values in table.infer_objects().items():
        if values.dtype.kind in "fiu":
            same = read[column].to_numpy(values.dtype)
            np.testing.assert_array_equal(same, values.to_numpy(), err_msg=column)
        else:
            assert list(read[column]) == list(values.astype(str)), column


def test_all_runs(odd, out):
    export(odd, "csv", out)
    read = pd.read_csv(out / "runs.csv", keep_default_na=False, dtype={"run": str})
    assert list(read["run"]) == list(odd.runs["run"])
    assert list(read["status"]) == ["finished"] * 7 + ["diverged", "failed", "missing"]
    assert list(read["cell.forget_bias"]) == [0] * 8 + [1] * 2
    assert set(read["seconds"]) == {""}
    training = pd.read_csv(out / "training.csv", dtype={"run": str})
    assert set(training["run"]) == {row.run for row in stored(odd)}


def test_no_cell_is_a_formula(odd, out):
    for path in export(odd, "csv", out):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                for cell in row:
                    assert not cell.startswith(("=", "+", "@", "\t", "\r"))
                    assert not cell.startswith("-") or float(cell) <= 0


def test_text_that_would_run_is_quoted_and_nothing_else():
    texts = ["=1", "+1", "-1", "@a", "\tb", "\rc", "a=1", "", 'a,\n"b"', "b"]
    frame = pd.DataFrame({"-x": texts, "number": [-1.5, float("nan"), -np.inf, *range(7)]})
    read = list(csv.reader(io.StringIO(safe_csv(frame), newline="")))
    assert read[0] == ["'-x", "number"]
    assert [row[0] for row in read[1:]] == [
        *("'=1", "'+1", "'-1", "'@a", "'\tb", "'\rc", "a=1", "", 'a,\n"b"', "b")
    ]
    assert [row[1] for row in read[1:4]] == ["-1.5", "", "-inf"]
    assert frame["-x"].tolist() == texts


def test_an_option_that_is_a_number_or_a_word_keeps_its_numbers():
    frame = pd.DataFrame({"bias": pd.Series([-1.0, "chrono", "-1"], dtype=object)})
    assert safe_csv(frame, header=False) == "-1.0\r\nchrono\r\n'-1\r\n"


def test_exporting_again_replaces_and_leaves_no_scraps(results, out):
    first = [path.read_bytes() for path in export(results, "csv", out)]
    written = export(results, "csv", out)
    assert [path.read_bytes() for path in written] == first
    assert set(out.iterdir()) == set(written)


def test_without_jacobians_there_are_no_tables_of_them(odd, out):
    export(odd, "csv", out)
    names = {"runs.csv", "training.csv", "gradients.csv", "gates.csv"}
    assert {path.name for path in out.iterdir()} == names


def test_an_interrupted_export_leaves_the_earlier_files(results, out, monkeypatch):
    before = {path: path.read_bytes() for path in export(results, "csv", out)}

    def fails(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("rnnlab.results.export.tables.safe_csv", fails)
    with pytest.raises(KeyboardInterrupt):
        export(results, "csv", out)
    assert {path: path.read_bytes() for path in out.iterdir()} == before
