"""What docstrings say of attributes."""

import inspect
import re

_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.+?)(?=^ {4}\w|^\S|\Z)", re.MULTILINE | re.DOTALL)


def attributes_of(cls: type) -> dict[str, str]:
    """The meaning of each attribute in the ``Attributes:`` of a class and those it inherits from.

    Returns:
        By name, each on one line; code in single backticks, as Markdown has it.
    """
    found: dict[str, str] = {}
    for own in reversed(cls.__mro__):
        _, _, section = inspect.cleandoc(own.__dict__.get("__doc__") or "").partition(
            "Attributes:\n"
        )
        for name, meaning in _ATTRIBUTE.findall(section):
            found[name] = " ".join(meaning.split()).replace("``", "`")
    return found
