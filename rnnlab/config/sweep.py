"""From a config to its runs: settings × seeds."""

import copy
import hashlib
import itertools
import json
import math
from dataclasses import astuple, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnlab.config.model import BEFORE_TRAINING, Config, load_config
from rnnlab.config.settings import SECTIONS, Settings, resolve
from rnnlab.config.swept import WITHOUT, Keys, Patch, refuse_idle_overrides, swept_values
from rnnlab.support.errors import UserError
from rnnlab.support.local_imports import Module
from rnnlab.support.paths import current_folder
from rnnlab.support.plugins import Find, Source, in_folders, load_analysis
from rnnlab.support.version import RESULTS_VERSION

MOST_RUNS = 100_000


@dataclass(frozen=True)
class Run:
    """One training run."""

    settings: Settings
    seed: int

    @cached_property
    def id(self) -> str:
        """A hash of everything that determines the numbers."""
        content = {
            "settings": self.settings.resolved,
            "seed": self.seed,
            "results_version": RESULTS_VERSION,
        }
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def packed(self) -> dict[str, Any]:
        """The run as plain data with the content of its files, for another process or machine."""
        sources = {
            file: (str(s.path), s.content, {name: astuple(m) for name, m in s.modules.items()})
            for file, s in self.settings.sources.items()
        }
        return {"settings": self.settings.resolved, "seed": self.seed, "sources": sources}


def unpack(packed: dict[str, Any]) -> Run:
    """The run that was packed.

    Raises:
        UserError: a file fails here: a package may be missing.
    """
    sources = {
        file: Source(Path(path), content, {name: Module(*m) for name, m in modules.items()})
        for file, (path, content, modules) in packed["sources"].items()
    }
    settings = resolve(packed["settings"], "a run", lambda file, _, **kind: sources[file])
    return Run(settings, packed["seed"])


@dataclass(frozen=True)
class Experiment:
    """A config with its runs, in order: settings as swept, each with every seed.

    Attributes:
        config: the file's, overrides applied.
        home: the folder in which its files are looked up.
        runs: to be done.
        before_training: the runs of 0 steps that are measured before training, if there are any.
    """

    config: Config
    home: Path
    runs: list[Run]
    before_training: "Experiment | None" = None

    def parts(self, folder: Path) -> list[tuple["Experiment", Path]]:
        """The experiment and the one measured before training, each with its results folder."""
        if self.before_training is None:
            return [(self, folder)]
        return [(self, folder), (self.before_training, folder / BEFORE_TRAINING)]

    @property
    def settings(self) -> list[Settings]:
        """The different settings."""
        return [run.settings for run in self.runs[:: len(self.config.seed_list())]]


def load_experiment(
    source: str | Path, overrides: Any = (), home: Path | None = None
) -> Experiment:
    """Read a config and expand its sweep.

    Args:
        source: a path, or the name of a bundled config.
        overrides: see ``load_config``.
        home: the folder of its plug-ins and data; default the config's.

    Raises:
        UserError: whatever is wrong, naming the file and the key.
    """
    config, path, overridden = load_config(source, overrides)
    return expand(config, path, overridden, path.parent if home is None else home)


def expand(config: Config, path: Path, overridden: list[str], home: Path) -> Experiment:
    """Load the plug-ins and data that a config names, and write out its sweep.

    Args:
        config: the file's.
        path: the file, for messages.
        overridden: the dotted keys that were overridden.
        home: the folder of plug-ins and data.

    Raises:
        UserError: whatever is wrong, naming the file and the key.
    """
    swept = list(swept_values(config, path))
    refuse_idle_overrides(overridden, swept)
    _refuse_too_many_runs(config, path, swept)
    if config.analysis is not None:
        load_analysis(config.analysis, f"{path}: analysis", home)
    find = in_folders(home, current_folder())
    settings: dict[str, Settings] = {}
    for patches in itertools.product(*swept):
        patch = {keys: value for part in patches for keys, value in part.items()}
        setting = _settings(config, path, find, patch, is_overridden=bool(overridden))
        settings.setdefault(json.dumps(setting.resolved, sort_keys=True), setting)
    distinct = list(settings.values())
    _refuse_settings_that_clash(config, path, distinct)
    runs = [Run(s, seed) for s in distinct for seed in config.seed_list()]
    return Experiment(config, home, runs, _before_training(config, path, home))


def _before_training(config: Config, path: Path, home: Path) -> Experiment | None:
    measured = config.before_training_config()
    if measured is None:
        return None
    return expand(measured, Path(f"{path} (before_training)"), [], home)


def _refuse_too_many_runs(config: Config, path: Path, swept: list[list[Patch]]) -> None:
    if math.prod(map(len, swept)) * len(config.seed_list()) > MOST_RUNS:
        raise UserError(f"{path}: sweep and seeds ask for more than {MOST_RUNS} runs")


def _refuse_settings_that_clash(config: Config, path: Path, settings: list[Settings]) -> None:
    if config.cell.get("t_max") is not None and not any(
        s.resolved["cell"].get("t_max") for s in settings
    ):
        raise UserError(f"{path}: cell.t_max: no setting has a chrono bias that would read it")
    if len({s.training.precision for s in settings}) > 1:
        raise UserError(f"{path}: training.precision: one in a sweep, since a process has only one")


def _settings(
    config: Config, path: Path, find: Find, patch: Patch, is_overridden: bool
) -> Settings:
    """The config with a patch over it."""
    raw = copy.deepcopy({name: getattr(config, name) for name in SECTIONS})
    for keys, value in patch.items():
        _assign(raw, keys, value)
    swept = ", ".join(f"{'.'.join(keys)}={str(value)[:80]}" for keys, value in patch.items())
    source = f"{path} (sweep: {swept[:200]})" if swept else str(path)
    try:
        return resolve(raw, source, find)
    except UserError as error:
        mine = [key for key in map(".".join, patch) if f"{source}: {key}" in str(error)]
        if not (is_overridden and mine):
            raise
        raise UserError(
            f"{error}\n{path}: the sweep sets {', '.join(mine)}: add {WITHOUT} to do without it, "
            f"or override all of it, as in 'sweep.{mine[0]}=[…]'"
        ) from None


def _assign(raw: dict[str, Any], keys: Keys, value: Any) -> None:
    *parents, last = keys
    for key in parents:
        if isinstance(raw.get(key), str):
            raw[key] = {"kind": raw[key]}
        elif not isinstance(raw.get(key), dict):
            raw[key] = {}
        raw = raw[key]
    raw[last] = copy.deepcopy(value)
