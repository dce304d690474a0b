"""Runs a plug-in and its local modules, kept apart from those of every other plug-in."""

import builtins
import hashlib
import importlib
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from rnnlab.support.errors import UserError
from rnnlab.support.local_imports import Module, Modules, locate, search_folders
from rnnlab.support.paths import current_folder

PREFIX = "rnnlab_plugin_"
# What a plug-in is called among its modules.
ITSELF = ""


def execute(path: Path, content: bytes, modules: Modules) -> ModuleType:
    """The module with this content, which is executed once in a process.

    Its local modules are private to it, under its own name in ``sys.modules``: two plug-ins that
    import ``helper`` from two folders get two modules, and one that has changed is a new one.

    Args:
        path: the plug-in's, for messages.
        content: the plug-in's.
        modules: see ``local_modules``.

    Raises:
        UserError: it imports a local module in a way that is only seen while it runs.
        Exception: raised by its code.
    """
    stem = re.sub(r"\W", "_", path.stem)
    name = f"{PREFIX}{stem}_{_digest(content, modules)[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    itself = Module("__init__.py", True, str(path), content)
    finder = _Finder(name, {ITSELF: itself, **modules})
    sys.meta_path.append(finder)
    before = set(sys.modules)
    try:
        module = importlib.import_module(name)
        _refuse_unseen(path, set(sys.modules) - before)
    except BaseException:
        sys.meta_path.remove(finder)
        for new in [n for n in sys.modules if n == name or n.startswith(f"{name}.")]:
            del sys.modules[new]
        raise
    return module


def is_of_plugin(frame: FrameType) -> bool:
    """Whether this is code of a plug-in, or of its local modules."""
    return str(frame.f_globals.get("__name__")).startswith(PREFIX)


def _digest(content: bytes, modules: Modules) -> str:
    digest = hashlib.sha256(content)
    for name, module in sorted(modules.items()):
        digest.update(f"\0{name}\0{len(module.content)}\0".encode() + module.content)
    return digest.hexdigest()


class _Finder(MetaPathFinder, Loader):
    """Finds and runs the modules of one plug-in, named ``<plug-in>.<module>``."""

    def __init__(self, plugin: str, modules: Modules) -> None:
        self.plugin, self.modules = plugin, modules
        self.tops = {name.partition(".")[0] for name in modules} - {ITSELF}
        self.builtins = vars(builtins) | {"__import__": self._import}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.plugin and not fullname.startswith(f"{self.plugin}."):
            return None
        name = self._name(fullname)
        module = self.modules.get(name)
        holds_others = any(other.startswith(f"{name}.") for other in self.modules)
        if module is None and not holds_others:
            return None
        origin = None if module is None else module.path
        is_package = module is None or module.is_package
        spec = ModuleSpec(fullname, self, origin=origin, is_package=is_package)
        spec.has_location = origin is not None
        return spec

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = self.builtins
        if (found := self.modules.get(self._name(module.__name__))) is not None:
            exec(compile(found.content, found.path, "exec"), vars(module))

    def _name(self, fullname: str) -> str:
        return fullname.removeprefix(self.plugin).removeprefix(".")

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """``import`` as the plug-in's code sees it: its local modules come first."""
        top = name.partition(".")[0]
        if level or top not in self.tops:
            return __import__(name, globals, locals, fromlist or (), level)
        found = importlib.import_module(f"{self.plugin}.{name}")
        if fromlist:
            return __import__(found.__name__, globals, locals, fromlist)
        return sys.modules[f"{self.plugin}.{top}"]


def _refuse_unseen(plugin: Path, new: set[str]) -> None:
    """Refuse local modules that were imported past ``_Finder``, whose changes would not be seen."""
    folders = search_folders(plugin.parent, [current_folder()])
    unseen = [name for name in sorted(new) if _is_local(name, folders)]
    if unseen:
        files = [sys.modules.pop(name).__file__ for name in unseen]
        raise UserError(
            f"it imports {unseen[0]} ({files[0]}) in a way that is seen only while it runs, so "
            f"that a change of it would not be: put the file beside {plugin.name}, and write "
            f"'import {unseen[0]}'"
        )


def _is_local(name: str, folders: Sequence[Path]) -> bool:
    """Whether a module that Python has loaded is one of the user's own."""
    file = getattr(sys.modules.get(name), "__file__", None)
    found = None if name.startswith(PREFIX) or file is None else locate(name, folders)
    return found is not None and Path(found.path).resolve() == Path(str(file)).resolve()
