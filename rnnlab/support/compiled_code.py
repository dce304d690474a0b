"""Compiled programs, kept from one process to the next."""

import contextlib
import hashlib
import os
import platform
import tempfile
from pathlib import Path

import jax

from rnnlab.support.paths import user_path

MOST_BYTES = 1_000_000_000
ENTRY, LAST_USED = "-cache", "-atime"


def keep_compiled_code(threads: int) -> None:
    """Have JAX keep what it compiles in the user's cache folder, and look there first.

    For processes of rnnlab's own, before they compute. A cache that the user has set, as with
    ``JAX_COMPILATION_CACHE_DIR``, is left alone; where the folder cannot be written to, nothing is
    kept. What was used least recently goes when there is more than a gigabyte.

    Args:
        threads: on which XLA will compute. Code is kept apart by their number, among which it
            divides its work, and by processor, since machines may share the folder, and code for
            one processor may end the process of another.
    """
    if jax.config.jax_compilation_cache_dir:  # type: ignore[attr-defined]
        return
    home = user_path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    if not home.is_absolute():  # as for a user without a home
        return
    folder = home / "rnnlab" / "compiled" / f"{_processor()}-{threads}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _drop_unfinished(folder)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_compilation_cache_max_size", MOST_BYTES)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    # Otherwise the folder's path is part of every key, and a copied or mounted cache is no use.
    jax.config.update("jax_persistent_cache_enable_xla_caches", "none")


def _processor() -> str:
    """A name for the instructions that this processor has."""
    text = platform.machine() + platform.processor()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        text += next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _drop_unfinished(folder: Path) -> None:
    """Drop entries at which a process was killed: JAX writes the time of use after the entry."""
    for entry in folder.glob(f"*{ENTRY}"):
        if not entry.with_name(entry.name.removesuffix(ENTRY) + LAST_USED).exists():
            entry.unlink(missing_ok=True)
