"""The optional libraries that an export needs, and their environment."""

import contextlib
import importlib
import os
from collections.abc import Iterator

from rnnlab.support.errors import UserError


def require(extra: str, *modules: str) -> None:
    """Check that the modules of an extra of rnnlab are installed.

    Raises:
        UserError: a module is not installed; the message says what to install.
    """
    try:
        for module in modules:
            importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise UserError(
            f"export to {extra} needs {error.name}, which is not installed: "
            f"pip install 'rnnlab[{extra}]'"
        ) from None


@contextlib.contextmanager
def environment_variable(name: str, value: str) -> Iterator[None]:
    """Set an environment variable in a ``with`` block, and restore its old value after."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
        if before is not None:
            os.environ[name] = before
