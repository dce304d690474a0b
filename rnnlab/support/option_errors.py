"""Turns pydantic's errors into sentences with the file, the key, the value and valid choices."""

import contextlib
import re
from collections.abc import Iterable
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from rnnlab.support.errors import did_you_mean

MOST_LINES = 20
LONGEST_MEANT = 100


def explain(
    error: ValidationError,
    model: type[BaseModel],
    source: str,
    section: str = "",
    *,
    is_yaml: bool = True,
) -> str:
    """The error message: one line for each wrong key.

    Args:
        error: pydantic's.
        model: the model that it checked.
        source: the file, and the setting of a sweep; or the model's name.
        section: dotted key of what the model describes, such as ``cell``.
        is_yaml: whether the keys and values are those of a config, or options in Python.
    """
    by_key: dict[str, list[Any]] = {}
    for detail in error.errors(include_url=False):
        by_key.setdefault(_dotted(section, detail, model), []).append(detail)
    lines = [
        f"{source}: {key[:200] + ': ' if key else ''}{_sentence(details, model, is_yaml)}"
        for key, details in list(by_key.items())[:MOST_LINES]
    ]
    more = len(by_key) - len(lines)
    return "\n".join([*lines, *([f"{source}: and {more} more like these"] if more else [])])


def shown(value: object) -> str:
    """A value for a message, shortened if it is long."""
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _dotted(section: str, detail: Any, model: type[BaseModel]) -> str:
    """The key as in the file; pydantic's location also names branches of unions."""
    location = [str(part) for part in detail["loc"]]
    is_key = detail["type"] in ("extra_forbidden", "missing") or len(location) > 2
    parts = location[:1]
    if len(location) > 1 and location[1] in _fields_at(model, location[:1]):
        parts = location[:2]
    elif len(location) > 1 and is_key:
        parts = [location[0], location[-1]]
    return ".".join([section, *parts] if section else parts)


def _sentence(details: list[Any], model: type[BaseModel], is_yaml: bool) -> str:
    first = details[0]
    value = first["input"]
    kind = first["type"]
    if kind == "extra_forbidden":
        *path, name = first["loc"]
        noun = "key" if is_yaml else "option"
        hint = did_you_mean(name, _fields_at(model, path))
        return f"unknown {noun} (value {shown(value)}); {hint}"
    if kind == "missing":
        return "missing"
    if kind == "value_error":
        return str(first["ctx"]["error"])
    if kind == "string_pattern_mismatch":
        return f"{shown(value)} must be letters, digits, '_', '-' and '.', 100 at most"
    wanted = " or ".join(_wanted(detail) for detail in details)
    given = value.get("kind") if kind == "union_tag_invalid" else value
    choices = [c for d in details for c in re.findall(r"'([^']*)'", _wanted(d)) if c != "kind"]
    hint = f"; {did_you_mean(given, choices)}" if choices and isinstance(given, str) else ""
    return f"{shown(given)} is not valid: must be {wanted}{hint}{_meant(given, details) * is_yaml}"


def _meant(value: object, details: list[Any]) -> str:
    """A hint where YAML 1.1 reads a number or a truth value that is wanted, and YAML 1.2 does not.

    Such are ``yes``, ``1_000``, a number in quotes, and 1e3 where an integer is wanted.
    """
    wanted = {detail["type"].removesuffix("_type") for detail in details}
    meant: object = None
    if isinstance(value, float) and value.is_integer():
        meant = int(value)
    elif isinstance(value, str) and len(value) < LONGEST_MEANT:
        with contextlib.suppress(yaml.YAMLError, ValueError):
            meant = yaml.safe_load(value)
    if type(meant).__name__ not in wanted | ({"int"} if "float" in wanted else set()):
        return ""
    why = "; YAML 1.2 reads it as a text" if isinstance(value, str) else ""
    return f"{why}; did you mean {str(meant).lower()}?"


def _fields_at(model: type[BaseModel], path: list[Any]) -> Iterable[str]:
    """Field names of the model, of the model of one of its fields, or of the kind chosen there."""
    if not path:
        return [field.alias or name for name, field in model.model_fields.items()]
    field, *kind = path
    kinds = [
        k for k in get_args(model.model_fields[field].annotation) if hasattr(k, "model_fields")
    ]
    if kind:
        kinds = [k for k in kinds if k.model_fields["kind"].default == kind[0]]
    return kinds[0].model_fields if len(kinds) == 1 else ()


def _wanted(detail: Any) -> str:
    if detail["type"] == "union_tag_invalid":
        return f"one of {detail['ctx']['expected_tags']}"
    if detail["type"] in ("union_tag_not_found", "model_attributes_type"):
        return "a name, or a mapping with 'kind' and options"
    if detail["type"] in ("model_type", "dict_type"):
        return "keys and values"
    if detail["type"] == "bool_type":
        return "true or false"
    message = detail["msg"].removeprefix("Input should be ")
    return message[0].lower() + message[1:]
