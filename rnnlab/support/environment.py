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
from rnnlab.support.threads import xla_threads
from rnnlab.support.version import __version__

LIBRARIES = ("jax", "jaxlib", "optax", "numpy", "pandas", "pyarrow", "scipy", "matplotlib")


@functools.cache
def environment() -> dict[str, Any]:
    """Versions of Python and the libraries, the device, and rnnlab's git revision if it has one."""
    device = jax.devices()[0]
    return {
        "rnnlab": __version__,
        "git_revision": _git_revision(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "device": f"{device.platform} ({device.device_kind}) × {jax.device_count()}",
        "threads": xla_threads(),
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def _cpu() -> str:
    """The processor with its stepping: processors of the same name may round differently."""
    facts = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
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
