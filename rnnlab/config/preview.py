"""A preview of a config, without running any code that it names."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from rnnlab.config.labels import flatten, label_each, varying_keys
from rnnlab.config.model import Config, load_config
from rnnlab.config.settings import SECTIONS
from rnnlab.config.sweep import Experiment, expand
from rnnlab.support.bundled import folder
from rnnlab.support.errors import UserError
from rnnlab.support.paths import current_folder
from rnnlab.support.plugins import Find, in_folders, is_plugin
from rnnlab.support.terminal import plain, plain_table

MOST_ROWS = 50


def preview(
    source: str | Path, overrides: Sequence[str] | Mapping[str, Any] = ()
) -> list[Text | Table]:
    """Name, question, data, and the files whose code a config runs; if none, runs and settings.

    Args:
        source: a path, or the name of a bundled config.
        overrides: see ``load_config``.

    Raises:
        UserError: whatever is wrong with the config, as far as it shows without plug-ins.
    """
    config, path, overridden = load_config(source, overrides)
    parts: list[Text | Table] = [plain(f"{config.name}: {config.question}".removesuffix(": "))]
    if data := [[key, file] for key, file in data_files(config)]:
        parts.append(plain_table("reads the data in", ["key", "file"], data))
    folders = dict.fromkeys((path.parent.resolve(), current_folder(), folder("experiments")))
    if code := [[key, reference] for key, reference in code_files(config)]:
        code += [[key, name] for key, name in _local_modules(code, in_folders(*folders))]
        parts.append(plain_table("runs the code of", ["key", "file:name"], code))
        return [*parts, plain("looked up in " + ", ".join(map(str, folders)))]
    experiment = expand(config, path, overridden, path.parent)
    parts += _runs(experiment)
    if experiment.before_training is not None:
        parts += [plain("measured before training:"), *_runs(experiment.before_training)]
    return parts


def code_files(config: Config) -> Iterator[tuple[str, str]]:
    """Key and value of everything that has the form of a plug-in, ``file.py:Name``."""
    if config.analysis is not None:
        yield "analysis", config.analysis
    for key, value in _values(config):
        if is_plugin(value):
            yield key, value


def _local_modules(code: list[list[str]], find: Find) -> Iterator[tuple[str, str]]:
    """Key and file of each module of the user's own that these plug-ins import."""
    found: dict[tuple[str, str], None] = {}
    for key, reference in code:
        file = reference.rpartition(":")[0]
        with contextlib.suppress(UserError):  # of a file that is missing
            names = [name for name, _ in find(file, key).hashes(file)]
            found |= dict.fromkeys((f"{key} imports", name) for name in names[1:])
    yield from found


def data_files(config: Config) -> Iterator[tuple[str, str]]:
    """Key and value of the paths of data, ``task.path``, also in a sweep."""
    for key, value in _values(config):
        if key.endswith("task.path") and isinstance(value, str):
            yield key, value


def _values(config: Config) -> Iterator[tuple[str, Any]]:
    for section in (*SECTIONS, "sweep"):
        yield from _leaves(getattr(config, section), section)
    if config.before_training is not None:
        yield from _leaves(config.before_training.model_dump(), "before_training")


def _leaves(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    """The values that are neither mappings nor lists, with dotted keys; lists add no part."""
    if isinstance(value, dict):
        for inner, content in value.items():
            yield from _leaves(content, f"{key}.{inner}")
    elif isinstance(value, list):
        for content in value:
            yield from _leaves(content, key)
    else:
        yield key, value


def _runs(experiment: Experiment) -> Iterator[Text | Table]:
    flat = [flatten(settings.resolved) for settings in experiment.settings]
    varying = varying_keys(flat)
    common = [f"{key}={value}" for key, value in flat[0].items() if key not in varying]
    yield plain("all settings: " + ", ".join(common))
    rows = [[label] for label in label_each(flat)]
    yield plain_table("settings", ["setting"], rows[:MOST_ROWS])
    if len(rows) > MOST_ROWS:
        yield plain(f"and {len(rows) - MOST_ROWS} more settings")
    seeds = len(experiment.config.seed_list())
    yield plain(f"{len(experiment.runs)} runs: settings {len(rows)}, seeds {seeds}")
