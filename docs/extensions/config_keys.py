"""Every key of a config file, from the JSON schema that editors use."""

import json
from typing import Any

from extensions.tables import code, table
from rnnlab.config.json_schema import config_schema

SCHEMA = config_schema()
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
SECTIONS = ("training", "record")


def markdown() -> str:
    """The top level, each section, and the kinds of which one may stand in a section."""
    keys = SCHEMA["properties"]
    definitions = SCHEMA["$defs"]
    parts = [section("Top level", SCHEMA)]
    for name in ("task", "cell"):
        kinds = [own for own in keys[name]["anyOf"] if is_built_in(own)]
        parts += [section(of_kind(name, own), own) for own in kinds]
    parts += [section(f"`{name}`", keys[name]) for name in SECTIONS]
    for name in ("optimizer", "schedule"):
        kinds = [definitions[reference(own)] for own in one_of(keys["training"], name)]
        parts += [section(of_kind(f"training.{name}", own), own) for own in kinds]
    parts.append(section("`record.jacobians`", definitions["RecordJacobians"]))
    parts.append(section("`before_training`", definitions["BeforeTraining"]))
    return "\n\n".join(parts)


def is_built_in(own: dict[str, Any]) -> bool:
    """Whether it describes one kind, and not plug-ins or options alone."""
    return "const" in own.get("properties", {}).get("kind", {})


def of_kind(name: str, own: dict[str, Any]) -> str:
    """The heading of a kind."""
    return f"`{name}: {{kind: {own['properties']['kind']['const']}}}`"


def one_of(section: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The kinds of a choice that may also be written as a bare name."""
    kinds: list[dict[str, Any]] = section["properties"][name]["anyOf"][1]["oneOf"]
    return kinds


def reference(own: dict[str, Any]) -> str:
    """The name of the definition that a schema refers to."""
    return str(own["$ref"]).rpartition("/")[2]


def section(heading: str, own: dict[str, Any]) -> str:
    """What it is, and a table of its keys."""
    what = " ".join(own["description"].partition("\n\n")[0].split())
    rows = [row(key, value, own) for key, value in own["properties"].items() if key != "kind"]
    keys = table(("key", "type and default", "meaning"), rows) if rows else "It has no options."
    return f"## {heading}\n\n{what}\n\n{keys}"


def row(key: str, value: dict[str, Any], own: dict[str, Any]) -> tuple[str, str, str]:
    """A key's row."""
    meaning = value.get("description", "`kind` and its options, see below")
    kind = "; ".join(filter(None, [type_of(value), default_of(key, value, own)]))
    return code(key), kind, meaning


def default_of(key: str, value: dict[str, Any], own: dict[str, Any]) -> str:
    """A key's default, or that it must be given."""
    if key in own.get("required", ()):
        return "needed"
    default = value.get("default")
    if default is None:
        return ""
    written = default if isinstance(default, str) and default else json.dumps(default)
    return f"default {code(written)}"


def type_of(value: dict[str, Any]) -> str:
    """A key's type and bounds, in words."""
    if "$ref" in value:
        return "section"
    if "const" in value:
        return code(value["const"])
    if "enum" in value:
        return ", ".join(map(code, value["enum"]))
    if several := value.get("anyOf", value.get("oneOf")):
        kinds = dict.fromkeys(type_of(own) for own in several if own.get("type") != "null")
        return " or ".join(kinds)
    kind = {"object": "section", "array": "list", "boolean": "`true`, `false`"}.get(
        value["type"], value["type"]
    )
    bounds = [f"{sign} {value[name]:,}" for name, sign in BOUNDS.items() if name in value]
    return " ".join([kind, ", ".join(bounds)]).strip()
