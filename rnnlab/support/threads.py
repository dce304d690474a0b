"""The number of CPU threads that XLA computes on, which is fixed when JAX starts."""

import os

import jax

_limit: int | None = None


def cores() -> list[int]:
    """The CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def limit_threads(threads: int) -> None:
    """Set the number of CPU threads for XLA; without effect once JAX has started."""
    global _limit
    if not _jax_has_started():
        os.environ["NPROC"] = str(threads)
        _limit = threads


def xla_threads() -> int:
    """The number of CPU threads that XLA computes on."""
    return _limit or int(os.environ.get("NPROC", len(cores())))


def _jax_has_started() -> bool:
    """Whether JAX has started: it then refuses to change its number of CPU devices."""
    devices = jax.config.jax_num_cpu_devices  # type: ignore[attr-defined]
    try:
        jax.config.update("jax_num_cpu_devices", devices + 1)
    except RuntimeError:
        return True
    jax.config.update("jax_num_cpu_devices", devices)
    return False
