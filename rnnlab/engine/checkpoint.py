"""The state of a run between two calls, as bytes that restore it bit for bit."""

import json
from typing import Any, NamedTuple

import jax
import numpy as np
from safetensors.numpy import load, save

from rnnlab.support.checksums import Damaged, has_its_checksum, with_checksum, without_checksum
from rnnlab.support.pairs import as_pairs, from_pairs, pairs_shape

HEAD = ("run", "position", "seconds", "environments")


class Checkpoint(NamedTuple):
    """The state of a run.

    Attributes:
        run: the run's id.
        position: calls made.
        seconds: time spent on them.
        environments: of the processes that made them, see ``environment``.
        state: the argument of the next call.
        chunks: all reported values, concatenated along the leading axis.
    """

    run: str
    position: int
    seconds: float
    environments: list[dict[str, Any]]
    state: Any
    chunks: Any


def to_bytes(checkpoint: Checkpoint) -> bytes:
    """The checkpoint as a checksum and a safetensors file, which is read without running code."""
    leaves = _by_path(checkpoint.state, checkpoint.chunks)
    arrays = {path: as_pairs(leaf) for path, leaf in leaves.items()}
    facts = checkpoint._asdict()
    head = json.dumps({name: facts[name] for name in HEAD})
    content = save(arrays, metadata={"rnnlab": head})
    return with_checksum(content)


def from_bytes(content: bytes, run: str, state: Any, chunks: Any) -> Checkpoint:
    """Read a checkpoint whose trees have these structures.

    Args:
        content: see ``to_bytes``.
        run: the id of the run that it should belong to.
        state: shapes of the state.
        chunks: shapes of the values that a call reports.

    Raises:
        Damaged: it is not what was written, or not of such a run.
    """
    if not has_its_checksum(content):
        raise Damaged("checkpoint: is not as it was written (its checksum differs)")
    content = without_checksum(content)
    try:
        head, arrays = _head(content), load(content)
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(f"checkpoint: cannot be read: {error}") from None
    wanted = _by_path(state, chunks)
    of_such_a_run = (
        set(head) == set(HEAD)
        and head["run"] == run
        and arrays.keys() == wanted.keys()
        and all(_fits(arrays[path], path, wanted[path], head["position"]) for path in wanted)
    )
    if not of_such_a_run:
        raise Damaged("checkpoint: is not of this run, or of another version of rnnlab")
    leaves = [from_pairs(arrays[path], like.dtype) for path, like in wanted.items()]
    structure = jax.tree.structure((state, chunks))
    state, chunks = jax.tree.unflatten(structure, leaves)
    return Checkpoint(**head, state=state, chunks=chunks)


def _by_path(state: Any, chunks: Any) -> dict[str, Any]:
    """The leaves of both trees, in their order, by paths such as ``state/params/cell/W_f``."""
    return {
        "/".join((name, jax.tree_util.keystr(path, simple=True, separator="/"))): leaf
        for name, tree in (("state", state), ("chunks", chunks))
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    }


def _fits(array: np.ndarray, path: str, like: Any, position: int) -> bool:
    """Whether an array has the shape and the type of a leaf after so many calls."""
    shape = pairs_shape(like)
    if path.startswith("chunks/"):
        shape = (position * shape[0], *shape[1:])
    return array.shape == shape and array.dtype == _real_dtype(like)


def _real_dtype(like: Any) -> np.dtype:
    return np.zeros(0, like.dtype).real.dtype


def _head(content: bytes) -> dict[str, Any]:
    size = int.from_bytes(content[:8], "little")
    head: dict[str, Any] = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["rnnlab"])
    return head
