"""The swept values of a config: lists of patches, to be crossed."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rnnlab.config.model import Config
from rnnlab.config.settings import SECTIONS
from rnnlab.support.errors import UserError, did_you_mean
from rnnlab.support.option_errors import shown

# The override that leaves out a config's sweep.
WITHOUT = "'sweep={}'"

Keys = tuple[str, ...]
Patch = dict[Keys, Any]


def swept_values(config: Config, path: Path) -> Iterator[list[Patch]]:
    """The sweep as lists of patches, to be crossed.

    Raises:
        UserError: it names an unknown section, or has no list of values where one is needed.
    """
    sweep = dict(config.sweep)
    zipped = sweep.pop("zip", None)
    lists = dict(_swept_lists(sweep, (), path))
    _check_whole_sections(lists, path)
    if zipped is not None:
        entries = isinstance(zipped, list) and zipped and all(isinstance(e, dict) for e in zipped)
        if not entries:
            raise UserError(f"{path}: sweep.zip: must be a list of mappings, got {shown(zipped)}")
        patches = [dict(_leaves(entry)) for entry in zipped]
        for section in {keys[0] for patch in patches for keys in patch}:
            _check_section(section, f"{path}: sweep.zip")
        zipped_keys = {keys for patch in patches for keys in patch}
        clashes = (_heads(zipped_keys) & lists.keys()) | (zipped_keys & _heads(lists.keys()))
        if clashes:
            dotted = ".".join(min(clashes))
            raise UserError(f"{path}: sweep: {dotted} is set by both zip and a list")
        yield patches
    for keys, values in lists.items():
        yield [{keys: value} for value in values]


def _heads(every_keys: Iterable[Keys]) -> set[Keys]:
    """The keys, and those of all that they lie in."""
    return {keys[:length] for keys in every_keys for length in range(1, len(keys) + 1)}


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
            raise UserError(f"{path}: sweep.{dotted}: must be a list of values, got {shown(value)}")


def _check_whole_sections(lists: dict[Keys, list[Any]], path: Path) -> None:
    """Refuse a list in place of a section whose entries are no sections: a key was left out."""
    for keys, values in lists.items():
        for value in values if len(keys) == 1 else ():
            needs_kind = keys[0] in ("task", "cell")
            if isinstance(value, dict) and ("kind" in value or not needs_kind):
                continue
            wanted = "keys and values" + ", with kind" * needs_kind
            key = next(iter(value), "…") if isinstance(value, dict) else "kind"
            key = key if needs_kind else "…"
            raise UserError(
                f"{path}: sweep.{keys[0]}: a list here replaces the whole section, so that each of "
                f"its entries must be {wanted}, got {shown(value)}; a list of values belongs to a "
                f"key: sweep: {{{keys[0]}: {{{key}: […]}}}}"
            )


def _check_section(section: str, source: str) -> None:
    if section in SECTIONS:
        return
    hint = did_you_mean(section, (*SECTIONS, "zip"))
    first, _, inner = section.partition(".")
    if first in SECTIONS and inner:
        nested = ": {".join(section.split("."))
        hint += f"; keys of a sweep are nested, as in {nested}: …{'}' * section.count('.')}"
    elif not hint.startswith("did you mean"):
        hint += f"; a key stands in its section, as in cell: {{{section}: …}}"
    raise UserError(f"{source}.{section}: {hint}")


def _leaves(tree: dict[str, Any], prefix: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*prefix, key))
        else:
            yield (*prefix, key), value


def refuse_idle_overrides(overridden: list[str], swept: list[list[Patch]]) -> None:
    """Refuse an override that every setting of the sweep replaces.

    Raises:
        UserError: an override would have no effect.
    """
    for dotted, patches in itertools.product(overridden, swept):
        keys = tuple(dotted.split("."))
        covering = {keys[:length] for length in range(1, len(keys) + 1)} | {(*keys, "kind")}
        if all(covering & patch.keys() for patch in patches):
            whole = next(iter(covering & patches[0].keys()))
            example = "[{kind: …}, …]" if whole in (("cell",), ("task",)) else "[…]"
            raise UserError(
                f"override {dotted} has no effect, since the sweep sets {'.'.join(whole)}: add "
                f"{WITHOUT} to do without the sweep, or override all of it, as in "
                f"'sweep.{'.'.join(whole)}={example}'"
            )
