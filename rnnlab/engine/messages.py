"""What is told of a run while it is done, wherever that is."""

from typing import Any, NamedTuple


class Started(NamedTuple):
    """A run begins; from now on it is in progress in its process."""

    run: str
    worker: str


class Reached(NamedTuple):
    """A run has made so many updates; ``loss`` is its last finite training loss."""

    run: str
    step: int
    loss: float


class Saved(NamedTuple):
    """The state that a run has reached; see ``checkpoint``."""

    run: str
    checkpoint: bytes


class Ended(NamedTuple):
    """A run has finished, diverged or failed: what ``Store.write_run`` takes."""

    run: str
    head: dict[str, Any]
    files: dict[str, bytes]


Message = Started | Reached | Saved | Ended
