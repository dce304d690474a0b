"""Files that are whole or not there, and that tell whether they have been damaged since."""

import contextlib
import errno
import hashlib
import io
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from rnnlab.support.errors import UserError
from rnnlab.support.version import RESULTS_VERSION

SEAL = "sha256"
LAST_UNSEALED = 1


class Damaged(UserError):
    """A file is not what was written."""


class OtherVersion(Damaged):
    """A file is of another version of the results format; it may well be whole."""


@contextlib.contextmanager
def storage_errors(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses into a message."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(
                f"{folder}: no space left on the device; what was stored before is intact, and "
                "running the same command again goes on from there"
            ) from None
        raise UserError(f"{error.filename or folder}: {error.strerror or error}") from None


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A scratch file of the same ending that takes the path's place when it is written."""
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all, also if the machine stops."""
    with replacing(path) as partial, partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """As ``write_bytes``, of text."""
    write_bytes(path, text.encode())


def sync_folder(folder: Path) -> None:
    """Have the file system keep which files the folder holds."""
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


def sha256(content: bytes) -> str:
    """The hash of a file's content."""
    return hashlib.sha256(content).hexdigest()


DIGEST_BYTES = 32


def with_checksum(content: bytes) -> bytes:
    """The SHA-256 of bytes, then the bytes."""
    return hashlib.sha256(content).digest() + content


def has_its_checksum(content: bytes) -> bool:
    """Whether bytes are what ``with_checksum`` returned."""
    return hashlib.sha256(without_checksum(content)).digest() == content[:DIGEST_BYTES]


def without_checksum(content: bytes) -> bytes:
    """The bytes that ``with_checksum`` was given."""
    return content[DIGEST_BYTES:]


def write_sealed(path: Path, content: dict[str, Any]) -> None:
    """Write JSON together with a hash of itself."""
    write_bytes(path, sealed(content))


def sealed(content: dict[str, Any]) -> bytes:
    """JSON with a hash of the rest of it under ``sha256``."""
    finite = _finite(content)
    return _json(finite | {SEAL: _seal(finite)})


def read_sealed(path: Path) -> dict[str, Any]:
    """Read JSON that was written with ``write_sealed``.

    Raises:
        OtherVersion: it is of another version of the results format.
        Damaged: it is missing, or not what was written.
        UserError: the file system cannot read it.
    """
    text = read_bytes(path)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Damaged(f"{path}: cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise Damaged(f"{path}: is not as it was written")
    version = content.get("results_version", RESULTS_VERSION)
    is_sealed = text.endswith(b"\n") and content.pop(SEAL, None) == _seal(content)
    if version != RESULTS_VERSION and (is_sealed or version == LAST_UNSEALED):
        raise OtherVersion(
            f"{path}: in version {version} of the results format, and this rnnlab reads version "
            f"{RESULTS_VERSION}: install the rnnlab that fits, or choose another folder"
        )
    if not is_sealed:
        raise Damaged(f"{path}: is not as it was written (its checksum differs)")
    return content


def read_bytes(path: Path) -> bytes:
    """A file's content.

    Raises:
        Damaged: there is no such file.
        UserError: the file system cannot read it, which need not be for good.
    """
    with storage_errors(path):
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise Damaged(f"{path}: cannot be read: {error.strerror}") from None


def _seal(content: dict[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode())


def _json(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode()


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity; null stands for a number that there is not."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
