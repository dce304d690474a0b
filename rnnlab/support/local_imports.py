"""The modules of a user's own that a file imports, found in its text without running it."""

import ast
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from rnnlab.support.bundled import PACKAGE
from rnnlab.support.environment import LIBRARIES
from rnnlab.support.errors import is_file

# Never local, even where they are in a folder of the user's: stored runs tell their versions.
NEVER = {*sys.stdlib_module_names, *LIBRARIES, PACKAGE.name}
INSTALLED = ("site-packages", "dist-packages")


@dataclass(frozen=True)
class Module:
    """A module of a user's own.

    Attributes:
        file: its path relative to the folder in which it was found, with slashes.
        is_beside: whether that folder is the one of the plug-in.
        path: the file.
        content: the file's, when it was read.
    """

    file: str
    is_beside: bool
    path: str
    content: bytes

    @property
    def is_package(self) -> bool:
        """Whether it may hold other modules."""
        return Path(self.file).name == "__init__.py"


# By dotted name.
Modules = dict[str, Module]


def local_modules(path: Path, content: bytes, roots: Sequence[Path]) -> Modules:
    """The local modules that a plug-in imports, and those that these import.

    They are looked up beside it, in ``roots``, and in those folders of Python's path that hold no
    installed packages. Every import statement counts, also one in a function.

    Args:
        path: the plug-in.
        content: the plug-in's.
        roots: folders.

    Raises:
        OSError: a module cannot be read.
    """
    folders = search_folders(path.parent, roots)
    found: Modules = {}
    waiting = list(_imported(content, ""))
    while waiting:
        name = waiting.pop()
        if name in found or (module := locate(name, folders)) is None:
            continue
        found[name] = module
        waiting += _imported(module.content, name if module.is_package else _package_of(name))
    return found


def search_folders(beside: Path, roots: Sequence[Path]) -> list[Path]:
    """The folders in which local modules are looked up, in this order."""
    python = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
    own = [Path(entry).resolve() for entry in sys.path if not entry.startswith((*python, "<"))]
    return list(dict.fromkeys([beside, *roots, *(f for f in own if not _holds_packages(str(f)))]))


def locate(name: str, folders: Sequence[Path]) -> Module | None:
    """The local module of this name; None where there is none.

    Args:
        name: dotted.
        folders: see ``search_folders``; installed packages come after the first of them.

    Raises:
        OSError: the module cannot be read.
    """
    top = name.partition(".")[0]
    if top in NEVER:
        return None
    for folder in folders:
        for file in (f"{name.replace('.', '/')}{end}" for end in ("/__init__.py", ".py")):
            if is_file(path := folder / file):
                is_beside = folder == folders[0]
                if not is_beside and _is_installed(top):
                    return None
                return Module(file, is_beside, str(path), path.read_bytes())
    return None


def _holds_packages(folder: str) -> bool:
    return any(name in folder for name in INSTALLED)


def _is_installed(name: str) -> bool:
    return PathFinder.find_spec(name, list(filter(_holds_packages, sys.path))) is not None


def _package_of(name: str) -> str:
    return name.rpartition(".")[0]


def _imported(content: bytes, package: str) -> Iterator[str]:
    """The names of all modules that a file may import; ``package`` is the one that it lies in."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return  # whoever runs it is told
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_packages(alias.name)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = parts[: len(parts) - node.level + 1] if node.level else []
            source = [*above, node.module]
            for alias in node.names:
                yield from _with_packages(".".join(filter(None, [*source, alias.name])))


def _with_packages(name: str) -> Iterator[str]:
    """A dotted name, and the packages in which it lies."""
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        yield ".".join(parts[:length])
