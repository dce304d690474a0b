"""Reads YAML 1.2 from unknown sources: size and depth are limited before it is expanded.

Plain words are read by the core schema (YAML 1.2.2, section 10.3.2), and merge keys as in YAML 1.1.
PyYAML by itself follows YAML 1.1, in which 010 is eight, 1:30 is ninety and ``yes`` is true.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import yaml

from rnnlab.config.yaml_errors import explain_yaml
from rnnlab.support.errors import UserError

MOST_CHARACTERS = 500_000
LONGEST_VALUE = 10_000
DEEPEST = 30
PREFIX = "tag:yaml.org,2002:"
TAGS = {PREFIX + name for name in ("null", "bool", "int", "float", "str", "seq", "map", "merge")}
# The form of each kind, and how words of it may begin.
FORMS = {
    "null": (re.compile(r"null|Null|NULL|~|"), ["~", "n", "N", ""]),
    "bool": (re.compile(r"true|True|TRUE|false|False|FALSE"), list("tTfF")),
    "int": (re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"), list("-+0123456789")),
    "float": (
        re.compile(
            r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
            r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
        ),
        list("-+.0123456789"),
    ),
    "merge": (re.compile("<<"), ["<"]),
}
LARGEST = 2**63
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class _Loader(yaml.SafeLoader):
    """A loader of YAML 1.2 in which keys stay text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0
        self.measured: dict[yaml.Node, tuple[int, int]] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose a node, and check its size and depth, aliases expanded."""
        event = self.peek_event()
        self.depth += 1
        if self.depth > DEEPEST:
            raise _refused("nested too deeply", event)
        node = super().compose_node(parent, index)
        self.depth -= 1
        if node is not None and node not in self.measured:
            if isinstance(event, yaml.AliasEvent):
                raise _refused("an alias holds itself", event)
            _check(node)
            self.measured[node] = self._measure(node)
        return node

    def _measure(self, node: yaml.Node) -> tuple[int, int]:
        """The number of characters and levels of a node, aliases expanded."""
        if isinstance(node, yaml.ScalarNode):
            return 1 + len(node.value), 1
        pairs = isinstance(node, yaml.MappingNode)
        children = [child for pair in node.value for child in pair] if pairs else node.value
        sizes, depths = zip((1, 0), *(self.measured[child] for child in children), strict=True)
        if sum(sizes) > MOST_CHARACTERS:
            raise _refused(f"aliases make more than {MOST_CHARACTERS} characters of it", node)
        if 1 + max(depths) > DEEPEST:
            raise _refused("nested too deeply", node)
        return sum(sizes), 1 + max(depths)


def _check(node: yaml.Node) -> None:
    if node.tag not in TAGS:
        raise _refused(f"the tag {node.tag!r} is not allowed", node)
    if isinstance(node, yaml.ScalarNode):
        if len(node.value) > LONGEST_VALUE:
            raise _refused(f"a value of more than {LONGEST_VALUE} characters", node)
        if CONTROL.search(node.value):
            raise _refused(f"a control character in {node.value[:80]!r}", node)
    if isinstance(node, yaml.MappingNode):
        _check_keys([key for key, _ in node.value])


def _check_keys(keys: list[yaml.Node]) -> None:
    """Make every key a text, and refuse duplicates."""
    seen: set[str] = set()
    for key in keys:
        if not isinstance(key, yaml.ScalarNode):
            raise _refused("a key must be a word", key)
        if key.value in seen:
            raise _refused(f"duplicate key {key.value[:80]!r}", key)
        seen.add(key.value)
        if key.tag != PREFIX + "merge":
            key.tag = PREFIX + "str"


def _refused(problem: str, node: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _constructor(kind: str, value_of: Callable[[str], Any]) -> Callable[[_Loader, Any], Any]:
    """Makes values of scalars of this kind, also of those with a tag such as ``!!int``."""

    def construct(loader: _Loader, node: Any) -> Any:
        text = loader.construct_scalar(node)
        if not FORMS[kind][0].fullmatch(text):
            raise _refused(f"{text[:80]!r} is no {kind} of YAML 1.2", node)
        try:
            return value_of(text)
        except OverflowError as error:
            raise _refused(str(error), node) from None

    return construct


def _integer(text: str) -> int:
    if len(text.lstrip("+-0")) > 64:
        raise OverflowError("an integer of more than 64 bits")
    value = int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if abs(value) >= LARGEST:
        raise OverflowError("an integer of more than 64 bits")
    return value


def _float(text: str) -> float:
    named = text.lower().lstrip("+-") in (".inf", ".nan")
    value = float(text.replace(".", "", 1) if named else text)
    is_nonzero = re.search("[1-9]", re.split("[eE]", text)[0])
    if not named and (math.isinf(value) or (value == 0 and is_nonzero)):
        raise OverflowError(f"{text[:80]} is outside the range of 64-bit numbers")
    return value


_Loader.yaml_implicit_resolvers = {}
for _kind, (_form, _starts) in FORMS.items():
    _Loader.add_implicit_resolver(PREFIX + _kind, re.compile(f"(?:{_form.pattern})$"), _starts)
for _kind, _value_of in {
    "null": lambda text: None,
    "bool": lambda text: text.lower() == "true",
    "int": _integer,
    "float": _float,
}.items():
    _Loader.add_constructor(PREFIX + _kind, _constructor(_kind, _value_of))


class _Dumper(yaml.SafeDumper):
    """A dumper that quotes each text which YAML 1.1 or YAML 1.2 would read as something else."""


_Dumper.yaml_implicit_resolvers = {
    first: [
        *yaml.SafeDumper.yaml_implicit_resolvers.get(first, []),
        *_Loader.yaml_implicit_resolvers.get(first, []),
    ]
    for first in yaml.SafeDumper.yaml_implicit_resolvers | _Loader.yaml_implicit_resolvers
}


def write_yaml(content: Any) -> str:
    """Plain data as YAML, which ``read_yaml`` reads back."""
    text: str = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text


def read_yaml(text: str, source: str) -> Any:
    """Read YAML 1.2 as plain data.

    Args:
        text: the YAML.
        source: where it stands, for messages.

    Raises:
        UserError: it is no YAML, or has tags, more than 500,000 characters or 30 levels.
    """
    if len(text) > MOST_CHARACTERS:
        raise UserError(f"{source}: has more than {MOST_CHARACTERS} characters")
    try:
        return yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError, LookupError) as error:
        raise UserError(explain_yaml(error, text, source)) from None
