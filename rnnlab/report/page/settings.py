"""The settings that a page shows, of one results folder or of several."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from rnnlab.config.labels import flatten, label_each
from rnnlab.report.figures.palette import styles_of
from rnnlab.report.page.thinning import evenly
from rnnlab.results.read import Results
from rnnlab.results.stored_run import ENDED, StoredRun
from rnnlab.support.text import printable

Flat = dict[str, Any]
# Of so many trained settings a page draws lines at first; the reader switches others on.
SHOWN = 12


@dataclass(frozen=True)
class Setting:
    """A setting of the page.

    Attributes:
        label: distinct on this page.
        own: its label in its results.
        folder: the results folder, as it is named on the page.
        results: which it is of.
        runs: its rows of ``Results.runs``.
        before: the same setting before training, with other seeds, if it was measured so.
        is_before: whether it was only measured before training.
    """

    label: str
    own: str
    folder: str
    results: Results
    runs: pd.DataFrame
    before: "Setting | None" = None
    is_before: bool = False

    @cached_property
    def values(self) -> Flat:
        """The options of the setting, by dotted key."""
        return flatten(self.results.stored_run(self.runs["run"].iloc[0]).record["settings"])

    @cached_property
    def ended(self) -> list[StoredRun]:
        """Its runs that have results, by seed."""
        own = self.runs[self.runs["status"].isin(ENDED)].sort_values("seed", kind="stable")
        return [self.results.stored_run(run) for run in own["run"]]


def settings_of(results: Sequence[Results]) -> list[Setting]:
    """The settings of all results, in order; those only measured before training come last."""
    folders = folder_names(results)
    trained, before = [], []
    for one, folder in zip(results, folders, strict=True):
        own = _of_results(one, folder)
        if one.has_before_training:
            earlier = [replace(s, is_before=True) for s in _of_results(one.before_training, folder)]
            own, earlier = _joined(own, earlier)
            before += earlier
        trained += own
    return _labelled([*trained, *before])


def folder_names(results: Sequence[Results]) -> list[str]:
    """The name of each results folder, with as many folders above it as tell them apart."""
    folders = [one.stores[0].folder.absolute() for one in results]
    depth = 1
    while depth < 50 and len({folder.parts[-depth:] for folder in folders}) < len(folders):
        depth += 1
    return [printable("/".join(folder.parts[-depth:])) for folder in folders]


def _of_results(results: Results, folder: str) -> list[Setting]:
    groups = results.runs.groupby("setting", observed=True, sort=False)
    by_name = {str(name): own for name, own in groups}
    return [Setting(n, n, folder, results, by_name[n]) for n in results.settings]


def _joined(trained: list[Setting], before: list[Setting]) -> tuple[list[Setting], list[Setting]]:
    """Give each trained setting what was measured of it before training; and the others of these.

    Seeds, training and records may differ: cell and task are those of the same setting.
    """
    own = {_cell_and_task(setting): setting for setting in before}
    same = [_cell_and_task(setting) for setting in trained]
    joined = [replace(s, before=own.get(key)) for s, key in zip(trained, same, strict=True)]
    return joined, [setting for key, setting in own.items() if key not in set(same)]


def _cell_and_task(setting: Setting) -> str:
    values = setting.values
    return repr(sorted((k, v) for k, v in values.items() if k.startswith(("cell.", "task."))))


def _labelled(settings: list[Setting]) -> list[Setting]:
    """Labels that tell all settings apart, by their folder where nothing else does."""
    if len({setting.folder for setting in settings}) == 1:
        labels = [s.own for s in settings]
    else:
        labels = label_each([s.values for s in settings])
    for detail in ("folder", "before"):
        counts = Counter(labels)
        twice = {label for label, many in counts.items() if many > 1}
        texts = [s.folder if detail == "folder" else "before training" for s in settings]
        wanted = [
            label in twice and (detail == "folder" or s.is_before)
            for label, s in zip(labels, settings, strict=True)
        ]
        labels = [
            f"{label} ({text})" if want else label
            for label, text, want in zip(labels, texts, wanted, strict=True)
        ]
    return [replace(s, label=label) for s, label in zip(settings, labels, strict=True)]


def settings_data(settings: Sequence[Setting], drawn: Sequence[int]) -> list[dict[str, Any]]:
    """The part ``settings`` of the page's data.

    Args:
        settings: of the page.
        drawn: the indices of those that have plots.
    """
    trained = [index for index in drawn if not settings[index].is_before] or list(drawn)
    shown = {trained[place] for place in evenly(len(trained), SHOWN)}
    looks = styles_of([setting.label for setting in settings])
    return [
        {
            "label": setting.label,
            "color": {"light": look.light, "dark": look.dark},
            "dash": look.dash,
            "symbol": look.symbol,
            "beforeTraining": setting.is_before,
            "shown": index in shown,
        }
        for index, setting in enumerate(settings)
        for look in [looks[setting.label]]
    ]
