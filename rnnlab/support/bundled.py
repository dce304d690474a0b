"""Configs and analyses that ship with rnnlab."""

from pathlib import Path

from rnnlab.support.errors import UserError, did_you_mean, is_file
from rnnlab.support.paths import user_path

PACKAGE = Path(__file__).parents[1]


def folder(name: str) -> Path:
    """The bundled ``configs`` or ``experiments``: inside the wheel, or beside it in a checkout."""
    packaged = PACKAGE / "bundled" / name
    return packaged if packaged.is_dir() else PACKAGE.parent / name


def config_names() -> list[str]:
    """Names that ``rnnlab run`` takes, such as ``forget_bias``."""
    root = folder("configs")
    return sorted(p.relative_to(root).with_suffix("").as_posix() for p in root.rglob("*.yaml"))


def find_config(path_or_name: str | Path) -> Path:
    """The config file at a path, or the bundled one of that name.

    Raises:
        UserError: there is neither.
    """
    path = user_path(path_or_name)
    if is_file(path):
        return path
    if str(path_or_name) in config_names():
        return folder("configs") / f"{path_or_name}.yaml"
    raise UserError(
        f"{str(path_or_name)[:200]}: no such file, and no bundled config of that name; "
        + did_you_mean(path.stem, config_names())
    )


def citation() -> str:
    """The text of ``CITATION.cff``."""
    packaged = PACKAGE / "bundled" / "CITATION.cff"
    path = packaged if packaged.is_file() else PACKAGE.parent / "CITATION.cff"
    return path.read_text(encoding="utf-8")
