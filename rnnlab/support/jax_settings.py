"""JAX's settings while rnnlab computes: fixed, whatever the environment or ``jax.config`` says."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import jax

FIXED: dict[str, Any] = {
    # What is drawn from a seed.
    "jax_threefry_partitionable": True,
    "jax_default_prng_impl": "threefry2x32",
    "jax_random_seed_offset": 0,
    "jax_high_dynamic_range_gumbel": False,
    # Precision, and how a program is formed and compiled, hence how it rounds.
    "jax_default_matmul_precision": "highest",
    "jax_explicit_x64_dtypes": "warn",
    "jax_softmax_custom_jvp": False,
    "jax_use_direct_linearize": True,
    "jax_disable_jit": False,
    "jax_disable_most_optimizations": False,
    "jax_optimization_level": "UNKNOWN",
    "jax_exec_time_optimization_effort": 0.0,
    "jax_memory_fitting_level": "O2",
    "jax_memory_fitting_effort": 0.0,
    "jax_compiler_enable_remat_pass": True,
    # What is forbidden: rnnlab's log10 of a norm that is exactly zero is −∞.
    "jax_debug_infs": False,
    "jax_numpy_dtype_promotion": "standard",
    "jax_numpy_rank_promotion": "allow",
    "jax_transfer_guard": "allow",
}


@contextlib.contextmanager
def own_settings(double: bool) -> Iterator[None]:
    """Compute with the settings of ``FIXED``; those of before hold again afterwards.

    Args:
        double: whether numbers are of 64 bits.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(jax.enable_x64(double))
        for name, value in FIXED.items():
            if name in jax.config.values and _text(jax.config.values[name]) != _text(value):
                _fix(stack, name, value)
        yield


def _fix(stack: contextlib.ExitStack, name: str, value: Any) -> None:
    """Set a setting until the stack is left: for this thread, or for all where JAX has no such."""
    if (of_thread := getattr(jax, name.removeprefix("jax_"), None)) is not None:
        stack.enter_context(of_thread(value))
    else:
        stack.callback(jax.config.update, name, jax.config.values[name])
        jax.config.update(name, value)


def _text(value: Any) -> str:
    """A value as text, by which members of JAX's enumerations equal their names."""
    return str(getattr(value, "name", value)).lower()


def not_used() -> list[str]:
    """A sentence for each of these settings in the environment that rnnlab does not follow."""
    return [
        f"{name.upper()}={os.environ[name.upper()]} is not used: rnnlab computes with {value}"
        for name, value in FIXED.items()
        if name.upper() in os.environ and _text(jax.config.values.get(name, value)) != _text(value)
    ]
