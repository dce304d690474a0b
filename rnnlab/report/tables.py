"""Tables in the terminal."""

import math
from typing import Any, cast

import pandas as pd
from rich.table import Table
from rich.text import Text

from rnnlab.config.labels import varying_keys
from rnnlab.results.read import Results
from rnnlab.support.terminal import plain, plain_table
from rnnlab.training.quantities import QUANTITIES
from rnnlab.training.quantities.summary import AtEnds, FromMeans

MISSING = "–"
Row = dict[str, Any]
Labelled = AtEnds | FromMeans
VERSUS_HOW = "[95 % t-interval; of the logarithm for ratios], for 3 seeds or more."


def comparison_tables(table: pd.DataFrame, name: str) -> list[Table | Text]:
    """The comparison as a reader wants it, and the differences to a reference if there are any.

    Every number is in ``compare.csv``.
    """
    columns = ["setting", "final loss", "solved", "at step", "mean f", "decay", "half-life"]
    rows = cast(list[Row], table.to_dict("records"))
    views = [plain_table(name, columns, [_cells(row) for row in rows], _how(table))]
    for title, numbers in _labelled(table).items():
        columns = ["setting", *(number.label for number in numbers)]
        cells = [_labelled_cells(row, numbers) for row in rows]
        how = " ".join(f"{number.label}: {number.meaning}." for number in numbers)
        views.append(plain_table(title, columns, cells, how))
    if "loss_ratio" in table:
        columns = ["setting", "final loss, ratio", "decay at the end, difference", "to"]
        views.append(
            plain_table(
                "difference to the reference, paired by seed",
                columns,
                [_versus(row) for row in rows],
                VERSUS_HOW,
            )
        )
    return views


def _cells(row: Row) -> list[str]:
    counts = f"{row['solved']} of {row['runs']}"
    for status in ("diverged", "failed", "missing"):
        if row[status]:
            counts += f"\n{row[status]} {status}"
    return [
        str(row["setting"]).replace(", ", ",\n"),
        _interval(row, "final_loss"),
        counts,
        _solved_at(row),
        _from_to(row["forget_first"], row["forget_last"], "{:.3f}"),
        _from_to(row["decay_first"], row["decay_last"], f"{row['decay_of']} {{:+.2g}}"),
        _from_to(row["half_life_first"], row["half_life_last"], "{:.3g}"),
    ]


def _labelled(table: pd.DataFrame) -> dict[str, list[Labelled]]:
    """The numbers in the table that have a label of their own, by the title of their view."""
    views: dict[str, list[Labelled]] = {}
    for quantity in QUANTITIES.values():
        title = quantity.meaning if quantity.option is None else quantity.option.title
        for number in quantity.summary:
            if isinstance(number, Labelled) and number.label and number.columns[0] in table:
                views.setdefault(title, []).append(number)
    return views


def _labelled_cells(row: Row, numbers: list[Labelled]) -> list[str]:
    ends = [([row[column] for column in number.columns], number.form) for number in numbers]
    texts = [_from_to(first, last, form) for (first, last), form in ends]
    return [str(row["setting"]), *(text.replace("\n", " ") for text in texts)]


def _versus(row: Row) -> list[str]:
    return [
        str(row["setting"]),
        _interval(row, "loss_ratio").replace("\n", " "),
        _interval(row, "decay_last_difference", "{:+.3g}").replace("\n", " "),
        str(row["reference"] or MISSING),
    ]


def _how(table: pd.DataFrame) -> str:
    baseline = ", ".join(f"{b:.4g}" for b in sorted(set(table["baseline"].dropna())))
    enough = table["final_loss_low"].notna().any()
    interval = (
        "[95 % t-interval of its log over seeds]" if enough else "(no interval: fewer than 3 seeds)"
    )
    return (
        f"final loss: evaluation loss, geometric mean {interval}; baseline (remembers nothing) "
        f"{baseline}.\nat step: median over seeds, an unsolved run counts as later than the last. "
        "a → b: at the first and the last record, top layer.\ndecay: log10 ‖∂L/∂c‖ (or h) "
        "per step back in time, negative: vanishing; half-life in steps."
        "\nDiverged runs are counted, not averaged."
    )


def _number(value: float | int | None, form: str = "{:.3g}") -> str:
    if value is None or math.isnan(value):
        return MISSING
    return "∞" if math.isinf(value) else form.format(value)


def _from_to(first: float, last: float, form: str) -> str:
    ends = _number(first, form), _number(last, form)
    return MISSING if ends == (MISSING, MISSING) else " →\n".join(ends)


def _interval(row: Row, name: str, form: str = "{:.3g}") -> str:
    mean, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    text = _number(mean, form)
    if math.isnan(low):
        return text
    ends = (_number(end, form.replace(".3g", ".2g")) for end in (low, high))
    return f"{text}\n[{', '.join(ends)}]"


def _solved_at(row: Row) -> str:
    if math.isnan(row["solved_at"]):
        return MISSING
    return f"> {row['last_step']}" if math.isinf(row["solved_at"]) else f"{row['solved_at']:.0f}"


def overview(results: Results) -> list[Text | Table]:
    """The content of a results folder: the settings of its runs, and the state of each run."""
    runs = results.runs
    keys = [column for column in runs.columns if "." in column]
    varying = varying_keys(cast(list[Row], runs[keys].to_dict("records")))
    common = {key: runs[key].iloc[0] for key in keys if key not in varying}
    columns = ["setting", "seed", "status", "id", "steps", "seconds", "note"]
    rows = [
        [
            *(str(row[key]) for key in ("setting", "seed", "status", "run")),
            _number(row.get("last_step"), "{:.0f}"),
            _number(row.get("seconds"), "{:.1f}"),
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
        settings = ", ".join(f"{key}={row[key]}" for key in keys if not pd.isna(row[key]))
        lines += [
            f"failed: {row['setting']}, seed {row['seed']} (run {row['run']}): {row['error']}",
            f"  traceback: {results.file_of(row['run'], 'error.txt')}",
            f"  settings: {settings}",
        ]
    return list(map(plain, lines)) or [plain("no run has failed")]
