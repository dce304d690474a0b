"""Compiler flags that keep numbers right; set before JAX starts."""

import os
import platform
from importlib.metadata import version

FLAG = "--xla_cpu_max_isa"


def avoid_miscompiled_kernels() -> None:
    """Keep XLA from AVX-512 on x86 CPUs with jaxlib before 0.11.

    Its vectoriser there miscompiles some small kernels: with jaxlib 0.10.2 an LSTM of 5 units in
    float64 got wrong gradients for one example in a batch of 4 (``tests/gradients/test_flow.py``).
    AVX2 code is right, and was no slower in ``benchmarks``. A setting of the user's own in
    ``XLA_FLAGS`` is left alone. JAX reads the flags at its first computation, so one
    made before ``import rnnlab`` runs without this.
    """
    is_affected = tuple(map(int, version("jaxlib").split(".")[:2])) < (0, 11)
    flags = os.environ.get("XLA_FLAGS", "")
    if is_affected and platform.machine() in ("x86_64", "AMD64") and FLAG not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {FLAG}=AVX2".strip()
