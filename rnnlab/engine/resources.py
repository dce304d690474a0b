"""The memory, GPUs and network addresses of this machine."""

import os
import subprocess
from importlib.util import find_spec

import psutil
from distributed.system import MEMORY_LIMIT
from distributed.utils import get_ip_interface

from rnnlab.support.errors import UserError, did_you_mean
from rnnlab.support.threads import cores

# For Python, JAX and compiled programs; a worker needs its arrays in addition.
WORKER_BYTES = 2**30
# To start workers and to compile in each of them; and the pace of one core.
SECONDS_TO_START_WORKERS = 15.0
OPERATIONS_PER_SECOND = 4e10
# For glibc's malloc, before a worker starts: what a training step frees, the next one gets back
# without asking the system. Dask's own threshold of 64 KiB makes a step a third slower.
KEEP_MEMORY = {
    "MALLOC_TRIM_THRESHOLD_": str(2**28),
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}


def memory() -> int:
    """Free memory in bytes, within the limits set for this process."""
    return min(psutil.virtual_memory().available, MEMORY_LIMIT)


def gpus() -> list[str]:
    """The GPUs that JAX would use here, as CUDA names them."""
    platforms = os.environ.get("JAX_PLATFORMS", "cuda").split(",")
    has_plugin = any(find_spec(f"jax_cuda{version}_plugin") for version in (12, 13))
    if not has_plugin or not {"cuda", "gpu"} & set(platforms):
        return []
    if visible := os.environ.get("CUDA_VISIBLE_DEVICES"):
        return visible.split(",")
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [str(index) for index in range(listed.stdout.count("(UUID: GPU"))]


def address_of(interface: str | None) -> str:
    """The IPv4 address of a network interface; default loopback.

    Raises:
        UserError: there is no such interface, or it has no such address.
    """
    if interface is None:
        return "127.0.0.1"
    names = psutil.net_if_addrs()
    if interface not in names:
        hint = did_you_mean(interface, names)
        raise UserError(f"--interface {interface}: no such network interface; {hint}")
    try:
        return str(get_ip_interface(interface))
    except ValueError as error:
        raise UserError(f"--interface {interface}: {error}") from None


def default_workers(runs: int, bytes_per_run: int, operations: float) -> int:
    """The number of workers: one for each GPU, or else each core; 0 if this process is as fast.

    Args:
        runs: number of runs to do.
        bytes_per_run: memory for the arrays of a run.
        operations: floating-point operations of all runs together.
    """
    devices = gpus()
    if devices:
        return min(len(devices), runs)
    fitting = memory() // (WORKER_BYTES + bytes_per_run)
    workers = min(len(cores()), fitting, runs)
    is_long = operations > SECONDS_TO_START_WORKERS * OPERATIONS_PER_SECOND
    return workers if workers > 1 and is_long else 0
