"""Tables in the terminal."""

import math
from typing import Any, cast

import pandas as pd
from rich.table import Table
from rich.text import Text

from rnnlab.config.labels import told_once, varying_keys
from rnnlab.report.comparison_views import comparison_views
from rnnlab.report.rounding import MISSING
from rnnlab.results.read import Results
from rnnlab.support.terminal import plain, plain_table

Row = dict[str, Any]


def comparison_tables(table: pd.DataFrame, name: str) -> list[Table | Text]:
    """The comparison for the terminal, see ``comparison_views``."""
    return [
        plain_table(view.title, view.columns, view.rows, view.caption)
        for view in comparison_views(table, name)
    ]


def overview(results: Results) -> list[Text | Table]:
    """The content of a results folder: the settings of its runs, and the state of each run."""
    runs = results.runs
    keys = [column for column in runs.columns if "." in column]
    varying = varying_keys(cast(list[Row], runs[keys].to_dict("records")))
    of_all = told_once({key: runs[key].iloc[0] for key in keys})
    common = {key: value for key, value in of_all.items() if key not in varying}
    columns = ["setting", "seed", "status", "id", "steps", "seconds", "note"]
    rows = [
        [
            *(str(row[key]) for key in ("setting", "seed", "status", "run")),
            _number(row.get("last_step"), ".0f"),
            _number(row.get("seconds"), ".1f"),
            _note(row, results),
        ]
        for row in cast(list[Row], runs.to_dict("records"))
    ]
    counts = runs["status"].value_counts()
    before = [
        f"{results.name}: {results.question}".removesuffix(": "),
        "all settings: " + ", ".join(f"{key}={value}" for key, value in common.items()),
    ]
    after = [", ".join(f"{count} {status}" for status, count in counts.items())]
    return [
        *map(plain, before),
        plain_table("runs", columns, rows),
        *map(plain, (*after, *results.mixtures())),
    ]


def _number(value: float | int | None, form: str) -> str:
    return MISSING if value is None or math.isnan(value) else format(value, form)


def _note(row: Row, results: Results) -> str:
    if row["status"] == "missing" and results.has_begun(row["run"]):
        return "has begun; a checkpoint is stored"
    return "" if pd.isna(row["error"]) else str(row["error"])


def failures(results: Results) -> list[Text]:
    """The settings, the error and the place of the traceback of each failed run."""
    runs = results.runs
    keys = [column for column in runs.columns if "." in column]
    lines = []
    for row in runs[runs["status"] == "failed"].to_dict("records"):
        own = told_once({key: row[key] for key in keys if not pd.isna(row[key])})
        settings = ", ".join(f"{key}={value}" for key, value in own.items())
        lines += [
            f"failed: {row['setting']}, seed {row['seed']} (run {row['run']}): {row['error']}",
            f"  traceback: {results.file_of(row['run'], 'error.txt')}",
            f"  settings: {settings}",
        ]
    return list(map(plain, lines)) or [plain("no run has failed")]
