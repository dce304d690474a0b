"""The JSON schema of a config file, so that editors complete and check it."""

from inspect import cleandoc
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from rnnlab.cells import CELLS
from rnnlab.config.model import Config
from rnnlab.support.docstrings import attributes_of
from rnnlab.tasks import TASKS
from rnnlab.training.options import Record, Training


def config_schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a config: the built-in kinds in full, plug-ins open."""
    definitions: dict[str, Any] = {}
    schema = _model(Config, definitions)
    sections = {
        "task": _one_of(TASKS, definitions),
        "cell": _one_of(CELLS, definitions),
        "training": _model(Training, definitions),
        "record": _model(Record, definitions),
    }
    for name, section in sections.items():
        schema["properties"][name] = section
    schema["properties"]["name"].pop("default", None)
    schema.pop("required", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "rnnlab config",
        "$defs": definitions,
    }


def _one_of(kinds: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    plugin = {
        "type": "object",
        "properties": {"kind": {"type": "string", "pattern": r"\.py:"}},
        "required": ["kind"],
    }
    options = {"type": "object", "not": {"required": ["kind"]}}
    builtin = []
    for kind, model in kinds.items():
        described = _model(model, definitions)
        described["properties"] = {"kind": {"const": kind}, **described["properties"]}
        described["required"] = ["kind"]
        builtin.append(described)
    return {"anyOf": [*builtin, plugin, options]}


class _Explained(GenerateJsonSchema):
    """Says of each key what the docstring of its model says."""

    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        described, model = super().model_schema(schema), schema["cls"]
        described["description"] = cleandoc(model.__doc__ or "").partition("\n\nAttributes:")[0]
        meanings = attributes_of(model)
        for name, field in model.model_fields.items():
            if name in meanings:
                described["properties"][field.alias or name]["description"] = meanings[name]
        return described


def _model(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    described = model.model_json_schema(schema_generator=_Explained)
    definitions |= described.pop("$defs", {})
    return _names_too(described)


def _names_too(described: dict[str, Any]) -> dict[str, Any]:
    """A choice by ``kind`` may also be written as its bare name."""
    for name, field in described["properties"].items():
        if "discriminator" in field:
            names = sorted(field["discriminator"]["mapping"])
            choice = {"anyOf": [{"enum": names}, {"oneOf": field["oneOf"]}]}
            described["properties"][name] = choice | {
                key: field[key] for key in ("default", "description")
            }
    return described
