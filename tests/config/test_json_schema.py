"""The JSON schema against configs that are right and wrong."""

import pytest
import yaml
from jsonschema import Draft202012Validator

from rnnlab.config.json_schema import config_schema
from rnnlab.support.bundled import config_names, folder

VALIDATOR = Draft202012Validator(config_schema())


def test_it_is_a_schema():
    Draft202012Validator.check_schema(config_schema())


@pytest.mark.parametrize("name", config_names())
def test_bundled_configs_are_valid(name):
    config = yaml.safe_load((folder("configs") / f"{name}.yaml").read_text())
    VALIDATOR.validate(config)


@pytest.mark.parametrize(
    "config",
    [
        {"task": {"kind": "own.py:Task", "anything": 3}, "cell": {"kind": "gru", "hidden": 3}},
        {"training": {"optimizer": {"kind": "rmsprop", "decay": 0.5}, "schedule": "cosine"}},
        {"cell": {"kind": "lstm", "forget_bias": "chrono", "t_max": 20.0}, "seeds": [3, 5]},
        {"task": {"kind": "arrays", "path": "my.npz", "targets_at": "each", "threshold": 0.1}},
        {"task": {"kind": "digits", "permuted": True}},
    ],
)
def test_right(config):
    assert VALIDATOR.is_valid(config)


@pytest.mark.parametrize(
    "config",
    [
        {"cell": {"kind": "lstm", "hiden": 3}},
        {"cell": {"kind": "gru", "forget_bias": 1.0}},
        {"cell": {"kind": "lstm", "forget_bias": "crono"}},
        {"task": {"kind": "adding", "length": 1}},
        {"task": {"kind": "arrays", "path": 3}},
        {"task": {"kind": "arrays", "path": "my.npz", "solved_below": 0.1}},
        {"task": {"kind": "digits", "evaluation_share": 1.5}},
        {"training": {"optimizer": "adm"}},
        {"training": {"optimizer": {"kind": "adam", "decay": 0.9}}},
        {"trainin": {}},
        {"seeds": 0},
    ],
)
def test_wrong(config):
    assert not VALIDATOR.is_valid(config)


def keys_of(schema, path=()):
    """Every key of a schema that is no section of its own, with what describes it."""
    for name, own in schema.get("properties", {}).items():
        if name != "kind":
            yield (*path, name), own
    for several in ("anyOf", "oneOf"):
        for own in schema.get(several, ()):
            yield from keys_of(own, path)
    for name, own in {**schema.get("properties", {}), **schema.get("$defs", {})}.items():
        yield from keys_of(own, (*path, name))


def test_every_key_says_what_it_means():
    found = dict(keys_of(config_schema()))
    assert len(found) > 40
    assert {path for path, own in found.items() if "description" not in own} == {
        ("task",),
        ("cell",),
    }
    assert found["training", "clip_norm"]["description"] == "largest global norm of the gradient."
    assert found["cell", "hidden"]["description"] == "number of units of a layer."
    assert found["RMSprop", "initial_mean"]["description"] == "v before the first update"
    assert found["RecordJacobians", "every"]["description"].startswith("number of steps between")
