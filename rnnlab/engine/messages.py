"""The messages that a worker sends about its runs."""

from typing import Any, NamedTuple


class Started(NamedTuple):
    """A run begins."""

    run: str
    worker: str


class Reached(NamedTuple):
    """A run has made ``step`` updates; ``loss`` is its last finite training loss."""

    run: str
    step: int
    loss: float


class Saved(NamedTuple):
    """A run's state is to be stored; see ``checkpoint``."""

    run: str
    checkpoint: bytes


class Ended(NamedTuple):
    """A run has finished, diverged or failed; the fields are arguments of ``Store.write_run``."""

    run: str
    head: dict[str, Any]
    files: dict[str, bytes]


Message = Started | Reached | Saved | Ended
