"""Files that a config names by path: data, and plug-ins, ``file.py:Name``."""

import hashlib
import os
import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from rnnlab.support.bundled import folder
from rnnlab.support.errors import UserError, did_you_mean, is_file
from rnnlab.support.local_imports import Modules, local_modules
from rnnlab.support.paths import current_folder, user_path
from rnnlab.support.plugin_modules import execute
from rnnlab.support.user_code import described


@dataclass(frozen=True)
class Source:
    """A file that a config names: its path, and its content when it was read.

    Attributes:
        modules: of a plug-in the local modules that it imports, which were read at the same time.
    """

    path: Path
    content: bytes
    modules: Modules = field(default_factory=dict, hash=False)

    @cached_property
    def sha256(self) -> str:
        """The hash of its content."""
        return _sha256(self.content)

    def hashes(self, file: str) -> Iterator[tuple[str, str]]:
        """The files whose content counts, and their hashes: this one and its local modules.

        Args:
            file: the path by which the config names it.
        """
        yield file, self.sha256
        for module in self.modules.values():
            folder = posixpath.dirname(file) if module.is_beside else ""
            name = posixpath.normpath(posixpath.join(folder, module.file))
            yield name, _sha256(module.content)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


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
                found[path] = found.get(path) or _read(path, key, roots)
                return found[path]
        where = "" if named.is_absolute() else f" in {', '.join(map(str, roots))}"
        raise UserError(f"{key}: no file {file[:200]!r}{where}")

    return find


def _read(path: Path, key: str, roots: Sequence[Path]) -> Source:
    """A file, and if it is Python code its local modules."""
    source = read_source(path, key)
    if path.suffix != ".py":
        return source
    try:
        return Source(path, source.content, local_modules(path, source.content, roots))
    except OSError as error:
        raise UserError(f"{key}: {error.filename}: cannot be read: {error.strerror}") from None


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
    """The module of a plug-in, which is executed once in a process."""
    try:
        return execute(source.path, source.content, source.modules)
    except UserError as error:
        raise UserError(f"{key}: {source.path}: {error}") from None
    except (Exception, SystemExit) as error:
        raise UserError(f"{key}: {source.path} fails: {described(error)}") from error
