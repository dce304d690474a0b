"""Measurement without training: the results of ``rnnlab measure``."""

from collections.abc import Iterator, Sequence
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
from rnnlab.measure.scope import Scope
from rnnlab.measure.subjects import Subject
from rnnlab.support.errors import UserError
from rnnlab.support.platforms import check_jax
from rnnlab.support.user_code import described
from rnnlab.training.at_ends import Tables, measure


@dataclass(frozen=True)
class Survey:
    """The measurements of several subjects.

    Attributes:
        scope: of what was measured.
        tables: ``jacobians``, ``lyapunov``, ``eigenvalues``, with ``run, setting, seed`` in front.
        runs: one row per subject: every setting under its dotted key.
        summary: one row per subject, see ``diagnosis.summarize``.
        text: the diagnosis in words.
        stopped: the exit code where Ctrl-C or another signal ended the survey, else 0.
    """

    scope: Scope
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
    found: list[_Measured] = []
    left_out: list[str] = []
    stopped = 0
    with progress, raised_signals():
        try:
            for one in _each(subjects, inputs, wanted, progress):
                if isinstance(one, _Measured):
                    found.append(one)
                else:
                    left_out.append(one)
        except KeyboardInterrupt as interrupt:
            if not found:
                raise
            stopped = exit_code(interrupt)
    if not found:
        raise UserError("\n".join(dict.fromkeys(left_out)))
    scope = Scope.of([one.subject for one in found], inputs, wanted)
    return _gathered(scope, found, left_out, stopped)


@dataclass(frozen=True)
class _Measured:
    """A subject, the label of its setting, its tables, and its row of the summary."""

    subject: Subject
    setting: str
    tables: Tables
    row: dict[str, Any]

    @property
    def head(self) -> dict[str, Any]:
        """The columns that name the run in each row of a table."""
        return {"run": self.subject.id, "setting": self.setting, "seed": self.subject.run.seed}


def _each(
    subjects: Sequence[Subject], inputs: np.ndarray | None, wanted: int | None, progress: Progress
) -> Iterator[_Measured | str]:
    """Measure each subject; gives its measurement, or the reason why there is none."""
    progress.start(total=len(subjects), done=0)
    names = label_settings([subject.run.settings.resolved for subject in subjects])
    for subject, setting in zip(subjects, names, strict=True):
        progress.run_started(subject.id, f"{setting}, seed {subject.run.seed}", 0)
        try:
            one = _measure(subject, setting, inputs, wanted)
        except Exception as error:  # a cell of the user's own may raise anything
            yield _reason(subject, error)
            progress.run_ended(subject.id, "not measured", "see below")
        else:
            yield one
            reason = f"the gradient reaches {one.row['reach']} steps back"
            progress.run_ended(subject.id, "measured", reason)


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
    subject: Subject, setting: str, inputs: np.ndarray | None, wanted: int | None
) -> _Measured:
    with settings_of(subject.run):
        params, read = subject.params_and_inputs(inputs)
        cell = dynamics_of(subject.run.settings.cell)
        tables = measure(cell, params, read, subject.step)
        distance = wanted if wanted is not None else len(read) - 1
        row = summarize(cell, params, tables, distance) | saturation(cell, params, read)
        return _Measured(subject, setting, tables, row)


def _gathered(
    scope: Scope, found: Sequence[_Measured], left_out: Sequence[str], stopped: int
) -> Survey:
    names = list(dict.fromkeys(one.setting for one in found))

    def with_settings(frame: pd.DataFrame) -> pd.DataFrame:
        setting = pd.Categorical(frame["setting"], names, ordered=True)
        return frame.assign(setting=setting)

    def together(table: str) -> pd.DataFrame:
        for one in found:
            for position, (key, value) in enumerate(one.head.items()):
                one.tables[table].insert(position, key, value)
        return with_settings(pd.concat([one.tables[table] for one in found], ignore_index=True))

    summary = with_settings(pd.DataFrame([one.head | one.row for one in found]))
    runs = with_settings(pd.DataFrame([one.head | _settings(one.subject) for one in found]))
    groups = summary.groupby("setting", observed=True)
    text = [diagnose(str(setting), group) for setting, group in groups]
    text += [f"left out: {reason}" for reason in left_out]
    tables = {name: together(name) for name in found[0].tables}
    return Survey(scope, tables, runs, summary, "\n\n".join(text), stopped)
