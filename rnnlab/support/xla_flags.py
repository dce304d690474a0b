"""Compiler flags that keep numbers right; set before JAX starts."""

import os
import platform
import re
from importlib.metadata import version

from rnnlab.support.errors import UserError

FLAG = "--xla_cpu_max_isa"
# With these, compiled code may assume that there is no NaN and no infinity.
FAST = re.compile(r"--(xla_cpu_enable_fast_math|xla_\w+_enable_fast_min_max)(?:=(\S+))?(?=\s|$)")


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


def refuse_fast_math() -> None:
    """Refuse flags under which NaN and infinities may be taken for numbers.

    Raises:
        UserError: ``XLA_FLAGS`` has such a flag.
    """
    for name, value in dict(FAST.findall(os.environ.get("XLA_FLAGS", ""))).items():
        if value.lower() in ("", "true", "1"):
            raise UserError(
                f"XLA_FLAGS has --{name}, with which compiled code may take NaN and infinity for "
                "numbers, and runs that diverge for good ones: take it out"
            )
