"""Measuring without training: what ``rnnlab measure`` finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd

from rnnlab.cells import dynamics_of
from rnnlab.diagnosis import diagnose, summarize
from rnnlab.errors import UserError
from rnnlab.findings import Findings, jacobian_figures, write_findings
from rnnlab.labels import flatten, labels
from rnnlab.measurement import Tables, measure
from rnnlab.progress import Progress
from rnnlab.store import storage_errors, write_parquet, write_text
from rnnlab.subjects import Subject


@dataclass(frozen=True)
class Survey:
    """What was measured of several subjects.

    Attributes:
        tables: ``jacobians``, ``lyapunov``, ``eigenvalues``, with ``run, setting, seed`` in front.
        runs: one row a subject: every setting under its dotted key.
        summary: one row a subject, see ``diagnosis.summarize``.
        text: the diagnosis in words.
    """

    tables: Tables
    runs: pd.DataFrame
    summary: pd.DataFrame
    text: str

    def write(self, out: Path) -> list[Path]:
        """Write the tables, the diagnosis, and figures.

        Returns:
            The files written.
        """
        figures = jacobian_figures(**self.tables, runs=self.runs)
        with storage_errors(out):
            out.mkdir(parents=True, exist_ok=True)
            written = [out / "diagnosis.txt"]
            write_text(written[0], self.text + "\n")
            for name, table in self.tables.items():
                written.append(out / f"{name}.parquet")
                write_parquet(table, written[-1])
        return written + write_findings(Findings(self.summary, figures), out, table="measure.csv")


def survey(
    subjects: Sequence[Subject],
    inputs: np.ndarray | None,
    wanted: int | None,
    progress: Progress,
) -> Survey:
    """Measure every subject; Ctrl-C ends it with those that are done.

    One whose states are not finite is left out, and named in the text.

    Args:
        subjects: whom.
        inputs: what they read, (time, batch, features); default their task's evaluation set.
        wanted: how many steps back the gradient should reach; default from the last to the first.
        progress: told of every subject.

    Raises:
        UserError: none can be measured.
    """
    names = _labels(subjects)
    heads: list[dict[str, Any]] = []
    measured: list[tuple[Tables, dict[str, Any]]] = []
    left_out: list[str] = []
    with progress:
        progress.start(total=len(subjects), done=0)
        try:
            for subject, setting in zip(subjects, names, strict=True):
                progress.run_started(setting, subject.run)
                try:
                    measured.append(_measure(subject, inputs, wanted))
                except UserError as error:
                    left_out.append(str(error))
                    progress.run_ended("not measured", str(error))
                    continue
                heads.append({"run": subject.id, "setting": setting, "seed": subject.run.seed})
                reach = measured[-1][1]["reach"]
                progress.run_ended("measured", f"the gradient reaches {reach} steps back")
        except KeyboardInterrupt:
            left_out.append("stopped before all were measured")
    if not measured:
        raise UserError("\n".join(dict.fromkeys(left_out)))
    ids = [head["run"] for head in heads]
    flat = [flatten(s.run.settings.resolved) for s in subjects if s.id in ids]
    return _gathered(heads, flat, measured, left_out)


def _labels(subjects: Sequence[Subject]) -> list[str]:
    flat = [flatten(subject.run.settings.resolved) for subject in subjects]
    distinct = [f for i, f in enumerate(flat) if f not in flat[:i]]
    names = labels(distinct)
    return [names[distinct.index(f)] for f in flat]


def _measure(
    subject: Subject, inputs: np.ndarray | None, wanted: int | None
) -> tuple[Tables, dict[str, Any]]:
    settings = subject.run.settings
    double = settings.training.precision == "float64"
    with jax.enable_x64(double), jax.default_matmul_precision("highest"):
        params, read = subject.params_and_inputs(inputs)
        cell = dynamics_of(settings.cell)
        tables = measure(cell, params, read, subject.step)
        distance = wanted if wanted is not None else max(1, len(read) - 1)
        return tables, summarize(cell, params, tables, distance)


def _gathered(
    heads: list[dict[str, Any]],
    flat: list[dict[str, Any]],
    measured: list[tuple[Tables, dict[str, Any]]],
    left_out: list[str],
) -> Survey:
    names = list(dict.fromkeys(head["setting"] for head in heads))

    def with_settings(frame: pd.DataFrame) -> pd.DataFrame:
        setting = pd.Categorical(frame["setting"], names, ordered=True)
        return frame.assign(setting=setting)

    def together(table: str) -> pd.DataFrame:
        frames = [tables[table] for tables, _ in measured]
        for frame, head in zip(frames, heads, strict=True):
            for position, (key, value) in enumerate(head.items()):
                frame.insert(position, key, value)
        return with_settings(pd.concat(frames, ignore_index=True))

    def rows(columns: list[dict[str, Any]]) -> pd.DataFrame:
        joined = [head | row for head, row in zip(heads, columns, strict=True)]
        return with_settings(pd.DataFrame(joined))

    summary = rows([row for _, row in measured])
    groups = summary.groupby("setting", observed=True)
    text = [diagnose(str(setting), group) for setting, group in groups]
    text += [f"left out: {reason}" for reason in left_out]
    tables = {name: together(name) for name in measured[0][0]}
    return Survey(tables, rows(flat), summary, "\n\n".join(text))
