"""Reads YAML from unknown sources: its size and depth are limited before it is expanded."""

import re
from typing import Any

import yaml

from rnnlab.support.errors import UserError

MOST_CHARACTERS = 500_000
LONGEST_VALUE = 10_000
DEEPEST = 30
PREFIX = "tag:yaml.org,2002:"
TAGS = {PREFIX + name for name in ("null", "bool", "int", "float", "str", "seq", "map", "merge")}
OWN_RULES = (PREFIX + "timestamp", PREFIX + "float")
FLOAT = re.compile(
    r"[-+]?(?:(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?"
    r"|[0-9][0-9_]*[eE][-+]?[0-9]+|\.(?:inf|Inf|INF))$|\.(?:nan|NaN|NAN)$"
)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class _Loader(yaml.SafeLoader):
    """A loader in which keys and dates stay text, and 1e-3 is a number."""

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


def _integer(loader: _Loader, node: Any) -> int:
    value = loader.construct_yaml_int(node)
    if abs(value) >= 2**63:
        raise _refused("an integer of more than 64 bits", node)
    return value


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in forms if tag not in OWN_RULES]
    for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(PREFIX + "float", FLOAT, list("-+0123456789."))
_Loader.add_constructor(PREFIX + "int", _integer)


def read_yaml(text: str, source: str) -> Any:
    """Read YAML as plain data.

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
        raise UserError(f"{source}: not readable as YAML: {error}") from None
