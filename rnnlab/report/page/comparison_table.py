"""The comparison as the table of a page."""

from collections.abc import Sequence
from typing import Any, cast

import pandas as pd

from rnnlab.report.comparison_views import comparison_views, of_seeds
from rnnlab.report.page.settings import Setting
from rnnlab.results.comparison import compare


def comparison_of(settings: Sequence[Setting]) -> pd.DataFrame:
    """The comparison of each results folder, one below the other, with the labels of the page."""
    by_results = {id(s.results): s.results for s in settings if not s.is_before}
    labels = {(id(s.results), s.own): s.label for s in settings}
    tables = []
    for key, results in by_results.items():
        table = compare(results)
        tables.append(table.assign(setting=[labels[key, own] for own in table["setting"]]))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


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
