"""Atomic writes: a file is complete, or it is not there."""

import contextlib
import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from rnnlab.support.errors import UserError


class StorageError(UserError):
    """The file system cannot do what was asked: a folder is read-only, or the disk is full."""


@contextlib.contextmanager
def storage_errors(folder: Path) -> Iterator[None]:
    """Turn an error of the file system into a StorageError."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError(
                f"{folder}: no space left on the device; what was stored before is intact: make "
                "room, and give the same command again"
            ) from None
        path = Path(os.fsdecode(error.filename or folder))
        if isinstance(error, FileExistsError | NotADirectoryError):
            file = next((one for one in (path, *path.parents) if one.is_file()), path)
            raise StorageError(f"{file}: is a file, not a folder") from None
        raise StorageError(f"{path}: {error.strerror or error}") from None
    except UnicodeEncodeError as error:
        if error.encoding.startswith("utf"):
            raise
        raise StorageError(
            f"{folder}: {error.object!r} cannot be the name of a file here, where names are "
            f"{error.encoding} (by LC_ALL or LANG): set PYTHONUTF8=1"
        ) from None


@contextlib.contextmanager
def standing_for(path: Path, partial: Path) -> Iterator[None]:
    """Name the path in errors of the file system on a temporary file or folder of it."""
    try:
        yield
    except OSError as error:
        named = Path(os.fsdecode(error.filename or ""))
        if named.is_relative_to(partial):
            error.filename = str(path / named.relative_to(partial))
        raise


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file with the same suffix, which replaces the path when it is complete."""
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        with standing_for(path, partial):
            yield partial
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically, also if the machine stops."""
    with replacing(path) as partial, partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically; see ``write_bytes``."""
    write_bytes(path, text.encode())


def sync_folder(folder: Path) -> None:
    """Make the list of files in a folder durable."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table; see ``parquet_bytes``."""
    write_bytes(path, parquet_bytes(table))


def parquet_bytes(table: pd.DataFrame) -> bytes:
    """A Parquet file's content; floats are split into byte streams, so that they compress."""
    floats = [name for name, dtype in table.dtypes.items() if dtype.kind == "f"]
    keys = [column for column in table.columns if column not in floats]
    content = io.BytesIO()
    table.to_parquet(
        content, index=False, compression="zstd", use_dictionary=keys, use_byte_stream_split=floats
    )
    return content.getvalue()
