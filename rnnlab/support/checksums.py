"""Checksums: bytes and JSON files that show whether they have been damaged since."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

from rnnlab.support.errors import UserError
from rnnlab.support.files import storage_errors, write_bytes
from rnnlab.support.version import RESULTS_VERSION

SEAL = "sha256"
LAST_UNSEALED = 1
DIGEST_BYTES = 32


class Damaged(UserError):
    """A file is missing, or its checksum differs."""


class OtherVersion(Damaged):
    """A file is of another version of the results format; it need not be damaged."""


def sha256(content: bytes) -> str:
    """The hash of a file's content."""
    return hashlib.sha256(content).hexdigest()


def with_checksum(content: bytes) -> bytes:
    """Bytes with their SHA-256 in front."""
    return hashlib.sha256(content).digest() + content


def has_its_checksum(content: bytes) -> bool:
    """Whether bytes have in front the SHA-256 of the others."""
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
    """Replace NaN and infinity, which JSON does not have, by null."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
