"""The function of the results that a config names as its analysis."""

from pathlib import Path
from typing import Any

from rnnlab import plugins
from rnnlab.bundled import folder
from rnnlab.errors import UserError


def load_analysis(reference: str, key: str, config_folder: Path) -> Any:
    """Load ``file.py:function`` from the config's folder, this one, or the bundled experiments.

    Args:
        reference: as the config has it.
        key: where it stands, for messages.
        config_folder: of the config.

    Raises:
        UserError: there is none, or it is no function.
    """
    if not plugins.is_plugin(reference):
        raise UserError(f"{key}: {reference!r} must be file.py:function")
    folders = [config_folder.resolve(), Path.cwd(), folder("experiments")]
    analyse = plugins.load(reference, key, folders).value
    if not callable(analyse):
        raise UserError(f"{key}: {reference} is no function")
    return analyse
