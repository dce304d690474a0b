"""Measurement without training: the results of ``rnnlab measure``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnnlab.cells import dynamics_of
from rnnlab.config.labels import CHRONO_LENGTH, flatten, gate_biases, label_settings
from rnnlab.engine.interrupt import exit_code, raised_signals
from rnnlab.engine.programs import settings_of
from rnnlab.engine.progress import Progress
from rnnlab.measure.diagnosis import diagnose, summarize
from rnnlab.measure.saturation import saturation
from rnnlab.measure.subjects import Subject
from rnnlab.support.errors import UserError
from rnnlab.support.platforms import check_jax
from rnnlab.support.user_code import described
from rnnlab.training.at_ends import Tables, measure


@dataclass(frozen=True)
class Survey:
    """The measurements of several subjects.

    Attributes:
        tables: ``jacobians``, ``lyapunov``, ``eigenvalues``, with ``run, setting, seed`` in front.
        runs: one row per subject: every setting under its dotted key.
        summary: one row per subject, see ``diagnosis.summarize``.
        text: the diagnosis in words.
        stopped: the exit code where Ctrl-C or another signal ended the survey, else 0.
    """

    tables: Tables
    runs: pd.DataFrame
    summary: pd.DataFrame
    text: str
    stopped: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether every subject was measured, or could not be."""
        return not self.stopped


def survey(
    subjects: Sequence[Subject],
    inputs: np.ndarray | None,
    wanted: int | None,
    progress: Progress,
) -> Survey:
    """Measure every subject; a signal ends the survey and keeps the finished subjects.

    A subject with states that are not finite is left out, and named in the text.

    Args:
        subjects: the subjects to measure.
        inputs: inputs (time, batch, features); default their task's evaluation set.
        wanted: how many steps back the gradient should reach; default from the last to the first.
        progress: notified of every subject.

    Raises:
        UserError: no subject can be measured.
    """
    check_jax()
    _check_that_one_can_be(subjects, inputs)
    names = label_settings([subject.run.settings.resolved for subject in subjects])
    heads: list[dict[str, Any]] = []
    measured: list[tuple[Tables, dict[str, Any]]] = []
    left_out: list[str] = []
    stopped = 0
    with progress, raised_signals():
        progress.start(total=len(subjects), done=0)
        try:
            for subject, setting in zip(subjects, names, strict=True):
                progress.run_started(subject.id, f"{setting}, seed {subject.run.seed}", 0)
                try:
                    measured.append(_measure(subject, inputs, wanted))
                except Exception as error:  # a cell of the user's own may raise anything
                    left_out.append(_reason(subject, error))
                    progress.run_ended(subject.id, "not measured", "see below")
                    continue
                heads.append({"run": subject.id, "setting": setting, "seed": subject.run.seed})
                reach = measured[-1][1]["reach"]
                reason = f"the gradient reaches {reach} steps back"
                progress.run_ended(subject.id, "measured", reason)
        except KeyboardInterrupt as interrupt:
            del measured[len(heads) :]
            if not measured:
                raise
            stopped = exit_code(interrupt)
    if not measured:
        raise UserError("\n".join(dict.fromkeys(left_out)))
    ids = [head["run"] for head in heads]
    flat = [_settings(subject) for subject in subjects if subject.id in ids]
    return _gathered(heads, flat, measured, left_out, stopped)


def _check_that_one_can_be(subjects: Sequence[Subject], inputs: np.ndarray | None) -> None:
    """Raise a UserError where no subject can be measured, before anything is said of any."""
    reasons = []
    for subject in subjects:
        try:
            with settings_of(subject.run):
                subject.params_and_inputs(inputs)
                return
        except Exception as error:
            reasons.append(_reason(subject, error))
    raise UserError("\n".join(dict.fromkeys(reasons)))


def _reason(subject: Subject, error: Exception) -> str:
    if isinstance(error, UserError):
        return str(error)
    return f"{subject.source}: {described(error).removeprefix('ValueError: ')}"


def _settings(subject: Subject) -> dict[str, Any]:
    """The subject's settings under dotted keys, without initial biases for a user's own weights."""
    flat = flatten(subject.run.settings.resolved)
    biases = (*gate_biases(), CHRONO_LENGTH) if subject.step < 0 else ()
    return {key: value for key, value in flat.items() if key not in biases}


def _measure(
    subject: Subject, inputs: np.ndarray | None, wanted: int | None
) -> tuple[Tables, dict[str, Any]]:
    with settings_of(subject.run):
        params, read = subject.params_and_inputs(inputs)
        cell = dynamics_of(subject.run.settings.cell)
        tables = measure(cell, params, read, subject.step)
        distance = wanted if wanted is not None else len(read) - 1
        return tables, summarize(cell, params, tables, distance) | saturation(cell, params, read)


def _gathered(
    heads: list[dict[str, Any]],
    flat: list[dict[str, Any]],
    measured: list[tuple[Tables, dict[str, Any]]],
    left_out: list[str],
    stopped: int,
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
    return Survey(tables, rows(flat), summary, "\n\n".join(text), stopped)
