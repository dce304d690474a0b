"""The comparison as the table of a page."""

from collections.abc import Sequence
from typing import Any, cast

import pandas as pd

from rnnlab.report.comparison_views import comparison_views, of_seeds
from rnnlab.report.page.settings import Setting
from rnnlab.results.comparison import compare
from rnnlab.results.read import Results


def comparison_of(settings: Sequence[Setting]) -> pd.DataFrame:
    """The comparison of each results folder, one below the other, with the labels of the page.

    The column ``task`` is a text of all that sets a setting's task.
    """
    by_results = {id(s.results): s.results for s in settings if not s.is_before}
    labels = {(id(s.results), s.own): s.label for s in settings}
    tables = []
    for key, results in by_results.items():
        table = compare(results)
        names, tasks = [labels[key, own] for own in table["setting"]], _tasks(results)
        tables.append(table.assign(task=table["setting"].map(tasks), setting=names))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _tasks(results: Results) -> dict[str, str]:
    """The task of each setting with its options, in words, by the setting's label."""
    runs = results.runs.drop_duplicates("setting").set_index("setting")
    options = runs.filter(regex=r"^task\.").sort_index(axis=1)
    return {
        str(name): ", ".join(
            f"{key}={value:g}" if isinstance(value, int | float) else f"{key}={value}"
            for key, value in own.dropna().items()
        )
        for name, own in options.iterrows()
    }


def table_data(comparison: pd.DataFrame) -> dict[str, Any]:
    """The part ``table`` of the page's data: the columns of all views side by side."""
    views = comparison_views(comparison, "") if len(comparison) else []
    columns: list[dict[str, Any]] = []
    rows: list[list[dict[str, Any]]] = [[] for _ in range(len(comparison))]
    for view in views:
        first = 0 if not columns else 1
        for at in range(first, len(view.columns)):
            texts = [" ".join(row[at].split()) for row in view.rows]
            keys = [own[at] for own in view.keys]
            is_numeric = all(isinstance(key, int | float) for key in keys)
            columns.append(
                {"label": view.columns[at], "meaning": view.meanings[at], "numeric": is_numeric}
            )
            for index, (row, text, key) in enumerate(zip(rows, texts, keys, strict=True)):
                row.append({"text": text, "sort": index if at == 0 else key})
    return {"columns": columns, "rows": rows, "caption": _caption(comparison)}


def _caption(comparison: pd.DataFrame) -> str:
    rows = cast(list[dict[str, Any]], comparison.to_dict("records"))
    return f"Arrows: from the first to the last record. {of_seeds(rows)}".strip() if rows else ""
