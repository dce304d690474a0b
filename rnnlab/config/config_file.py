"""Reads a config file and overrides as plain data."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnlab.config.safe_yaml import DEEPEST, MOST_CHARACTERS, read_yaml
from rnnlab.config.yaml_errors import EXAMPLE
from rnnlab.support.errors import UserError, did_you_mean

REFERENCE = re.compile(r"\$\{\s*([\w.-]+)\s*\}")


def read_file(path: Path, patch: dict[str, Any]) -> dict[str, Any]:
    """Read a config file, merge a patch over it, and replace its references.

    Args:
        path: the file.
        patch: see ``override_patch``; a sweep in it replaces the file's.

    Raises:
        UserError: the file cannot be read, is no YAML, or too much.
    """
    try:
        with path.open("rb") as file:
            text = file.read(4 * MOST_CHARACTERS + 4).decode()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UserError(f"{path}, line {line}: is no text in UTF-8; {EXAMPLE}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    loaded = read_yaml(text, str(path))
    if not isinstance(loaded, dict):
        raise UserError(f"{path}: is no config; {EXAMPLE}")
    if "sweep" in patch:
        loaded.pop("sweep", None)
    merged = _merged(loaded, patch)
    content = References(merged, str(path)).written_out(merged)
    return {key: value for key, value in content.items() if value is not None}


def _merged(base: Any, patch: Any) -> Any:
    """Merge mappings key by key; replace anything else."""
    if not (isinstance(base, dict) and isinstance(patch, dict)):
        return patch
    return base | {key: _merged(base.get(key), value) for key, value in patch.items()}


def override_patch(overrides: Sequence[str] | Mapping[str, Any]) -> dict[str, Any]:
    """Overrides as one nested mapping.

    Args:
        overrides: ``"dotted.key=value"`` each, or a mapping with dotted or nested keys.

    Raises:
        UserError: they are no list or mapping; or one is no assignment, or holds what no config
            file could.
    """
    if isinstance(overrides, str) or not isinstance(overrides, Sequence | Mapping):
        example = "a list such as ['cell.hidden=32'], or a mapping"
        raise UserError(f"overrides={str(overrides)[:200]!r}: must be {example}")
    patch: dict[str, Any] = {}
    pairs = overrides.items() if isinstance(overrides, Mapping) else map(_assignment, overrides)
    for key, value in pairs:
        source = f"override {str(key)[:200]!r}"
        if str(key).count(".") >= DEEPEST:
            raise UserError(f"{source} has too many parts")
        value = _plain(value, source)
        for part in reversed(str(key).split(".")):
            value = {part: value}
        patch = _merged(patch, value)
    return patch


def _assignment(override: str) -> tuple[str, Any]:
    """The key and the value of ``key=value``."""
    key, is_given, text = override.partition("=")
    source = f"override {override[:200]!r}"
    if not is_given or not key.strip():
        raise UserError(f"{source} must be key=value, such as cell.hidden=32")
    return key.strip(), read_yaml(text, source)


def _plain(value: Any, source: str, depth: int = 0) -> Any:
    """A value from Python as plain data."""
    if depth > DEEPEST:
        raise UserError(f"{source}: nested too deeply")
    if isinstance(value, Mapping):
        return {str(key): _plain(inner, source, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, source, depth + 1) for inner in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise UserError(f"{source}: a config file cannot hold a {type(value).__name__}")


def dotted_keys(tree: dict[str, Any], prefix: str = "") -> list[str]:
    """The keys of a nested mapping's values."""
    keys = []
    for key, value in tree.items():
        inner = isinstance(value, dict) and value
        keys += dotted_keys(value, f"{prefix}{key}.") if inner else [f"{prefix}{key}"]
    return keys


class References:
    """Replaces ``${dotted.key}`` by values, up to a limit of their total size."""

    def __init__(self, root: dict[str, Any], source: str) -> None:
        self.root, self.source = root, source
        self.characters_left, self.depth = MOST_CHARACTERS, 0
        self.trail: list[str] = []

    def written_out(self, value: Any) -> Any:
        """A value in which references, alone or within a text, are replaced.

        Raises:
            UserError: a reference leads to no key or to itself, is malformed, or all are too large.
        """
        self.depth += 1
        self._spend(1)
        if self.depth > DEEPEST:
            raise UserError(f"{self.source}: nested too deeply, references written out")
        if isinstance(value, dict):
            value = {key: self.written_out(inner) for key, inner in value.items()}
        elif isinstance(value, list):
            value = [self.written_out(inner) for inner in value]
        elif isinstance(value, str):
            value = self._text(value)
        self.depth -= 1
        return value

    def _text(self, text: str) -> Any:
        if whole := REFERENCE.fullmatch(text):
            return self._target(whole[1])
        if "${" in REFERENCE.sub("", text):
            raise UserError(
                f"{self.source}: {text[:200]!r}: a reference names a key, as in ${{task.length}}"
            )
        text = REFERENCE.sub(lambda found: str(self._target(found[1])), text)
        self._spend(len(text))
        return text

    def _target(self, dotted: str) -> Any:
        shown = f"{self.source}: the reference ${{{dotted[:200]}}}"
        if dotted in self.trail:
            raise UserError(f"{shown} leads to itself")
        self.trail.append(dotted)
        value: Any = self.root
        for part in dotted.split("."):
            value = self._text(value) if isinstance(value, str) else value
            if not isinstance(value, dict) or part not in value:
                keys = value if isinstance(value, dict) else ()
                raise UserError(f"{shown} leads to no key; {did_you_mean(part, keys)}")
            value = value[part]
        value = self.written_out(value)
        self.trail.pop()
        return value

    def _spend(self, characters: int) -> None:
        self.characters_left -= characters
        if self.characters_left < 0:
            raise UserError(
                f"{self.source}: references make more than {MOST_CHARACTERS} characters of it"
            )
