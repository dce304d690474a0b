"""From a config to its runs: settings × seeds."""

import copy
import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnlab.config import Config, load_config
from rnnlab.errors import UserError, did_you_mean
from rnnlab.plugins import load_analysis
from rnnlab.settings import SECTIONS, Settings, resolve
from rnnlab.version import RESULTS_VERSION

Keys = tuple[str, ...]
Patch = dict[Keys, Any]


@dataclass(frozen=True)
class Run:
    """One training run."""

    settings: Settings
    seed: int

    @cached_property
    def id(self) -> str:
        """Hash of what determines the numbers."""
        content = {
            "settings": self.settings.resolved,
            "seed": self.seed,
            "results_version": RESULTS_VERSION,
        }
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Experiment:
    """A config with its runs, in order: settings as swept, each with every seed."""

    config: Config
    source: Path
    runs: list[Run]

    @property
    def settings(self) -> list[Settings]:
        """The different settings."""
        return [run.settings for run in self.runs[:: len(self.config.seed_list())]]


def load_experiment(source: str | Path, overrides: Any = ()) -> Experiment:
    """Read a config and expand its sweep.

    Args:
        source: a path, or the name of a bundled config.
        overrides: see ``load_config``.

    Raises:
        UserError: whatever is wrong, naming the file and the key.
    """
    config, path, overridden = load_config(source, overrides)
    if config.analysis is not None:
        load_analysis(config.analysis, f"{path}: analysis", path.parent)
    axes = list(_axes(config, path))
    _refuse_idle_overrides(overridden, axes)
    settings: list[Settings] = []
    for patches in itertools.product(*axes):
        patch = {keys: value for part in patches for keys, value in part.items()}
        setting = _settings(config, path, patch)
        if setting.resolved not in [s.resolved for s in settings]:
            settings.append(setting)
    _refuse_settings_that_clash(config, path, settings)
    runs = [Run(s, seed) for s in settings for seed in config.seed_list()]
    return Experiment(config, path, runs)


def _refuse_settings_that_clash(config: Config, path: Path, settings: list[Settings]) -> None:
    if config.cell.get("t_max") is not None and not any(
        s.resolved["cell"].get("t_max") for s in settings
    ):
        raise UserError(f"{path}: cell.t_max: no setting has a chrono bias that would read it")
    if len({s.training.precision for s in settings}) > 1:
        raise UserError(f"{path}: training.precision: one in a sweep, since a process has only one")


def _axes(config: Config, path: Path) -> Iterator[list[Patch]]:
    """The sweep as lists of patches, to be crossed."""
    sweep = dict(config.sweep)
    zipped = sweep.pop("zip", None)
    lists = dict(_swept_lists(sweep, (), path))
    if zipped is not None:
        entries = isinstance(zipped, list) and zipped and all(isinstance(e, dict) for e in zipped)
        if not entries:
            raise UserError(f"{path}: sweep.zip: must be a list of mappings, got {zipped!r}")
        patches = [dict(_leaves(entry)) for entry in zipped]
        for section in {keys[0] for patch in patches for keys in patch}:
            _check_section(section, f"{path}: sweep.zip")
        for keys, other in itertools.product({k for p in patches for k in p}, lists):
            if keys[: len(other)] == other or other[: len(keys)] == keys:
                raise UserError(f"{path}: sweep: {'.'.join(keys)} is set by both zip and a list")
        yield patches
    for keys, values in lists.items():
        yield [{keys: value} for value in values]


def _swept_lists(
    tree: dict[str, Any], prefix: Keys, path: Path
) -> Iterator[tuple[Keys, list[Any]]]:
    for key, value in tree.items():
        keys = (*prefix, key)
        dotted = ".".join(keys)
        _check_section(keys[0], f"{path}: sweep")
        if isinstance(value, dict):
            yield from _swept_lists(value, keys, path)
        elif isinstance(value, list) and value:
            yield keys, value
        else:
            raise UserError(f"{path}: sweep.{dotted}: must be a list of values, got {value!r}")


def _check_section(section: str, where: str) -> None:
    if section not in SECTIONS:
        raise UserError(f"{where}.{section}: {did_you_mean(section, (*SECTIONS, 'zip'))}")


def _leaves(tree: dict[str, Any], prefix: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*prefix, key))
        else:
            yield (*prefix, key), value


def _refuse_idle_overrides(overridden: list[str], axes: list[list[Patch]]) -> None:
    """An override that every setting of the sweep replaces would do nothing."""
    for dotted, axis in itertools.product(overridden, axes):
        keys = tuple(dotted.split("."))
        covering = {keys[:length] for length in range(1, len(keys) + 1)} | {(*keys, "kind")}
        if all(covering & patch.keys() for patch in axis):
            whole = next(iter(covering & axis[0].keys()))
            example = "[{kind: …}, …]" if whole in (("cell",), ("task",)) else "[…]"
            raise UserError(
                f"override {dotted} has no effect, since the sweep sets {'.'.join(whole)}: "
                f"override the whole sweep, as in 'sweep.{'.'.join(whole)}={example}'"
            )


def _settings(config: Config, path: Path, patch: Patch) -> Settings:
    """The config with a patch over it."""
    raw = copy.deepcopy({name: getattr(config, name) for name in SECTIONS})
    for keys, value in patch.items():
        _assign(raw, keys, value)
    swept = ", ".join(f"{'.'.join(keys)}={value}" for keys, value in patch.items())
    return resolve(raw, f"{path} (sweep: {swept})" if swept else str(path), path.parent)


def _assign(raw: dict[str, Any], keys: Keys, value: Any) -> None:
    *parents, last = keys
    for key in parents:
        if isinstance(raw.get(key), str):
            raw[key] = {"kind": raw[key]}
        elif not isinstance(raw.get(key), dict):
            raw[key] = {}
        raw = raw[key]
    raw[last] = copy.deepcopy(value)
