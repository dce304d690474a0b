"""How many CPU threads XLA computes on, which is settled when it starts."""

import os

from jax._src import xla_bridge

_limit: int | None = None


def cores() -> list[int]:
    """The CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def limit_threads(threads: int) -> None:
    """Have XLA compute on so many CPU threads; without effect once it has started."""
    global _limit
    if not xla_bridge.backends_are_initialized():
        os.environ["NPROC"] = str(threads)
        _limit = threads


def xla_threads() -> int:
    """CPU threads that XLA computes on."""
    return _limit or int(os.environ.get("NPROC", len(cores())))
