"""The state of a run between two calls, as bytes; what is read back is bit for bit the same."""

import hashlib
import json
from typing import Any, NamedTuple

import jax
import numpy as np
from safetensors.numpy import load, save

from rnnlab.files import Damaged

DIGEST_BYTES = 32


class Checkpoint(NamedTuple):
    """Where a run stands.

    Attributes:
        position: calls made.
        seconds: time spent on them.
        environments: where they were made, see ``environment``.
        state: handed to the next call.
        chunks: all that was reported, concatenated along the leading axis.
    """

    position: int
    seconds: float
    environments: list[dict[str, Any]]
    state: Any
    chunks: Any


def to_bytes(checkpoint: Checkpoint) -> bytes:
    """A checksum, then safetensors (no code runs when it is read)."""
    leaves = jax.tree.leaves((checkpoint.state, checkpoint.chunks))
    arrays = {f"{i:04d}": np.asarray(leaf, order="C") for i, leaf in enumerate(leaves)}
    facts = checkpoint._asdict()
    head = json.dumps({name: facts[name] for name in ("position", "seconds", "environments")})
    content = save(arrays, metadata={"rnnlab": head})
    return hashlib.sha256(content).digest() + content


def from_bytes(content: bytes, state: Any, chunks: Any) -> Checkpoint:
    """The checkpoint, in trees of these structures.

    Raises:
        Damaged: it is not what was written, or of a run of another shape.
    """
    if not is_whole(content):
        raise Damaged("checkpoint: is not as it was written (its checksum differs)")
    content = content[DIGEST_BYTES:]
    arrays = load(content)
    leaves, structure = jax.tree.flatten((state, chunks))
    if len(arrays) != len(leaves):
        raise Damaged("checkpoint: is of a run of another shape")
    state, chunks = jax.tree.unflatten(structure, [arrays[name] for name in sorted(arrays)])
    return Checkpoint(**_head(content), state=state, chunks=chunks)


def is_whole(content: bytes) -> bool:
    """Whether a checkpoint is what was written."""
    return hashlib.sha256(content[DIGEST_BYTES:]).digest() == content[:DIGEST_BYTES]


def _head(content: bytes) -> dict[str, Any]:
    size = int.from_bytes(content[:8], "little")
    head: dict[str, Any] = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["rnnlab"])
    return head
