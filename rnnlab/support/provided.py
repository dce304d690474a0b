"""What a room offers to rooms below it, which do not import it: by name, loaded when first used.

``rnnlab/__init__.py`` tells what is provided, and where it is.
"""

import importlib
from typing import Any

_PLACES: dict[str, tuple[str, str]] = {}


def provide(name: str, module: str, attribute: str) -> None:
    """Say where something is.

    Args:
        name: by which it is asked for.
        module: which has it.
        attribute: what it is called there.
    """
    _PLACES[name] = (module, attribute)


def provided(name: str) -> Any:
    """The object that a higher room has registered under this name.

    Raises:
        KeyError: nothing is.
    """
    module, attribute = _PLACES[name]
    return getattr(importlib.import_module(module), attribute)
