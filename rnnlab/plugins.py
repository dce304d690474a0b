"""Objects that a config names by path: ``file.py:Name``."""

import hashlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnlab.bundled import folder
from rnnlab.errors import UserError, did_you_mean, is_file


@dataclass(frozen=True)
class Plugin:
    """An object from a user's file, and the hash of that file's content."""

    value: Any
    sha256: str


def is_plugin(kind: object) -> bool:
    """Whether a ``kind`` names a file."""
    return isinstance(kind, str) and ".py:" in kind


def load(reference: str, key: str, folders: list[Path]) -> Plugin:
    """Load ``file.py:Name`` from the first of the folders that has the file.

    Args:
        reference: the path, relative to a folder, and the name.
        key: the config key that holds it, for messages.
        folders: where to look; the file must lie below one of them.

    Raises:
        UserError: no such file or name, a path that leaves the folders, a file that fails.
    """
    file, _, name = reference.rpartition(":")
    path = _find(file, key, folders)
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    module = _import(path, f"rnnlab_plugin_{path.stem}_{sha256[:12]}", key)
    if not hasattr(module, name):
        public = [n for n in vars(module) if not n.startswith("_")]
        raise UserError(f"{key}: {path} has no {name!r}; {did_you_mean(name, public)}")
    return Plugin(getattr(module, name), sha256)


def load_analysis(reference: str, key: str, config_folder: Path) -> Any:
    """Load ``file.py:function`` from the config's folder, this one, or the bundled experiments.

    Args:
        reference: as the config has it.
        key: where it stands, for messages.
        config_folder: of the config.

    Raises:
        UserError: there is none, or it is no function.
    """
    if not is_plugin(reference):
        raise UserError(f"{key}: {reference!r} must be file.py:function")
    folders = [config_folder.resolve(), Path.cwd(), folder("experiments")]
    analyse = load(reference, key, folders).value
    if not callable(analyse):
        raise UserError(f"{key}: {reference} is no function")
    return analyse


def _find(file: str, key: str, folders: list[Path]) -> Path:
    for parent in folders:
        path = (parent / file).resolve()
        if is_file(path):
            if not any(path.is_relative_to(f.resolve()) for f in folders):
                raise UserError(f"{key}: {file} must lie below the config's folder or this one")
            return path
    looked = ", ".join(map(str, folders))
    raise UserError(f"{key}: no file {file!r} in {looked}")


def _import(path: Path, module_name: str, key: str) -> Any:
    if module_name in sys.modules:
        return sys.modules[module_name]
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[module_name]
        raise UserError(f"{key}: {path} fails: {type(error).__name__}: {error}") from error
    return module
