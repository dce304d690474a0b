"""What a config would do, told without running any code that it names."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from rnnlab.bundled import folder
from rnnlab.config import Config, load_config
from rnnlab.labels import flatten, label_each, varying_keys
from rnnlab.plugins import is_plugin
from rnnlab.settings import SECTIONS
from rnnlab.sweep import Experiment, expand
from rnnlab.tables import plain, plain_table

MOST_ROWS = 50


def preview(
    source: str | Path, overrides: Sequence[str] | Mapping[str, Any] = ()
) -> list[Text | Table]:
    """Name, question, and the files whose code a config runs; if none, its runs and settings.

    Args:
        source: a path, or the name of a bundled config.
        overrides: see ``load_config``.

    Raises:
        UserError: whatever is wrong with the config, as far as it shows without plug-ins.
    """
    config, path, overridden = load_config(source, overrides)
    head = plain(f"{config.name}: {config.question}".removesuffix(": "))
    files = list(named_files(config))
    if files:
        folders = dict.fromkeys((path.parent.resolve(), Path.cwd(), folder("experiments")))
        looked_up = plain("looked up in " + ", ".join(map(str, folders)))
        title = "runs the code of"
        rows = [[key, reference] for key, reference in files]
        return [head, plain_table(title, ["key", "file:name"], rows), looked_up]
    experiment = expand(config, path, overridden, path.parent)
    shown = [head, *_runs(experiment)]
    if experiment.initial is not None:
        shown += [plain("measured before training:"), *_runs(experiment.initial)]
    return shown


def named_files(config: Config) -> Iterator[tuple[str, str]]:
    """Key and value of all that has the form of a plug-in, ``file.py:Name``."""
    if config.analysis is not None:
        yield "analysis", config.analysis
    for section in (*SECTIONS, "sweep"):
        yield from _plugins(getattr(config, section), section)
    if config.measure is not None:
        yield from _plugins(config.measure.model_dump(), "measure")


def _plugins(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for inner, content in value.items():
            yield from _plugins(content, f"{key}.{inner}")
    elif isinstance(value, list):
        for content in value:
            yield from _plugins(content, key)
    elif is_plugin(value):
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
