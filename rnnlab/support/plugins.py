"""Files that a config names by path: data, and plug-ins, ``file.py:Name``."""

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from rnnlab.support.bundled import folder
from rnnlab.support.errors import UserError, did_you_mean, is_file
from rnnlab.support.paths import current_folder, user_path

MODULE_PREFIX = "rnnlab_plugin_"


@dataclass(frozen=True)
class Source:
    """A file that a config names: its path, and its content when it was read."""

    path: Path
    content: bytes

    @cached_property
    def sha256(self) -> str:
        """The hash of its content."""
        return hashlib.sha256(self.content).hexdigest()


# Finds a file by its path and the config key that names it; ``is_data=True`` where it is no code.
Find = Callable[..., Source]


@dataclass(frozen=True)
class Plugin:
    """An object from a user's file, and that file."""

    value: Any
    source: Source


def is_plugin(kind: object) -> bool:
    """Whether a ``kind`` names a file."""
    return isinstance(kind, str) and ".py:" in kind


def load(reference: str, key: str, find: Find) -> Plugin:
    """Load ``file.py:Name``.

    Args:
        reference: the path, relative to a folder, and the name.
        key: the config key that holds it, for messages.
        find: see ``in_folders``.

    Raises:
        UserError: no such file or name, a path that leaves the folders, a file that fails.
    """
    file, _, name = reference.rpartition(":")
    source = find(file, key)
    module = _import(source, key)
    if not hasattr(module, name):
        own = [n for n, value in vars(module).items() if _is_of(module, value) and n[0] != "_"]
        raise UserError(f"{key}: {source.path} has no {name!r}; {did_you_mean(name, own)}")
    return Plugin(getattr(module, name), source)


def _is_of(module: ModuleType, value: object) -> bool:
    """Whether the value is defined in the module, not imported."""
    return getattr(value, "__module__", None) == module.__name__


def load_analysis(reference: str, key: str, config_folder: Path) -> Any:
    """Load ``file.py:function`` from the config's folder, this one, or the bundled experiments.

    Args:
        reference: the text in the config.
        key: the config key that holds it, for messages.
        config_folder: the folder of the config.

    Raises:
        UserError: there is none, or it is no function.
    """
    if not is_plugin(reference):
        raise UserError(f"{key}: {reference!r} must be file.py:function")
    find = in_folders(config_folder, current_folder(), folder("experiments"))
    analyse = load(reference, key, find).value
    if not callable(analyse):
        raise UserError(f"{key}: {reference} is no function")
    return analyse


def in_folders(*folders: Path) -> Find:
    """Find files in the first of the folders that has them; they must lie below one of them.

    Data, of which no code is run, may also lie where a link in such a folder leads, or an absolute
    path. Each file is read once.
    """
    roots = list(dict.fromkeys(folder.resolve() for folder in folders))
    found: dict[Path, Source] = {}

    def find(file: str, key: str, *, is_data: bool = False) -> Source:
        named = user_path(file)
        for root in roots:
            try:
                path = (root / named).resolve()
            except (OSError, ValueError, RuntimeError) as error:
                raise UserError(f"{key}: {file[:200]!r}: {error}") from None
            if is_file(path):
                place = Path(os.path.normpath(root / named)) if is_data else path
                is_allowed = any(place.is_relative_to(r) for r in roots)
                if not (is_allowed or (is_data and named.is_absolute())):
                    hint = ", or have an absolute path" * is_data
                    below = "must lie below the config's folder or this one"
                    raise UserError(f"{key}: {file} {below}{hint}")
                found[path] = found.get(path) or read_source(path, key)
                return found[path]
        where = "" if named.is_absolute() else f" in {', '.join(map(str, roots))}"
        raise UserError(f"{key}: no file {file[:200]!r}{where}")

    return find


def read_source(path: Path, key: str) -> Source:
    """Read a file that a config names.

    Args:
        path: the file.
        key: the config key that names it, for messages.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return Source(path, path.read_bytes())
    except OSError as error:
        raise UserError(f"{key}: {path}: cannot be read: {error.strerror or error}") from None


def _import(source: Source, key: str) -> ModuleType:
    """The module with this content, which is executed once in a process."""
    name = f"{MODULE_PREFIX}{source.path.stem}_{source.sha256[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = str(source.path)
    sys.modules[name] = module
    try:
        exec(compile(source.content, str(source.path), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UserError(f"{key}: {source.path} fails: {type(error).__name__}: {error}") from error
    return module


def is_of_plugin(frame: FrameType) -> bool:
    """Whether this is code of a file that a config names."""
    return str(frame.f_globals.get("__name__")).startswith(MODULE_PREFIX)
