"""The environment that produced the numbers: versions, device, revision."""

import contextlib
import functools
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import jax

from rnnlab.support.bundled import PACKAGE
from rnnlab.support.jax_settings import FIXED
from rnnlab.support.threads import xla_threads
from rnnlab.support.version import __version__

LIBRARIES = ("jax", "jaxlib", "optax", "numpy", "pandas", "pyarrow", "scipy", "matplotlib")


def device() -> jax.Device:
    """The device on which JAX computes: the first one, or ``jax_default_device``."""
    chosen = jax.config.jax_default_device  # type: ignore[attr-defined]
    if isinstance(chosen, jax.Device):
        return chosen
    return jax.devices(chosen)[0]


def environment() -> dict[str, Any]:
    """The libraries, the device, JAX's settings in a run, and rnnlab's git revision, if any."""
    where = device()
    name = f"{where.platform} ({where.device_kind}) × {jax.device_count(where.platform)}"
    return _software() | {"device": name}


@functools.cache
def _software() -> dict[str, Any]:
    return {
        "rnnlab": __version__,
        "git_revision": _git_revision(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "threads": xla_threads(),
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        "jax_settings": dict(FIXED),
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def _cpu() -> str:
    """The processor with its stepping: processors of the same name may round differently."""
    facts = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            facts[key.strip()] = value.strip()
    if "model name" not in facts:
        return platform.processor()
    exact = [f"{key} {facts[key]}" for key in ("cpu family", "model", "stepping") if key in facts]
    return ", ".join([facts["model name"], *exact])


def _git_revision() -> str | None:
    """The commit of the checkout that rnnlab runs from, "+" appended if it has changes."""
    if not (PACKAGE.parent / ".git").exists():
        return None
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"],
            cwd=PACKAGE.parent,
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return described.stdout.strip() or None
