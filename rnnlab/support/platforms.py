"""Whether JAX can start with the settings in the environment, in one sentence where it cannot."""

import contextlib
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator

from rnnlab.support.errors import UserError, did_you_mean
from rnnlab.support.xla_flags import refuse_fast_math

CHOOSERS = ("JAX_PLATFORMS", "JAX_PLATFORM_NAME")
PRINT_PLATFORMS = "import jax; print(*sorted({d.platform for d in jax.devices()}))"
MOST_SECONDS = 60


def check_jax() -> None:
    """Start JAX.

    Raises:
        UserError: the environment has a value that JAX does not take, or asks for a device that
            is not there, or for arithmetic without NaN and infinity.
    """
    refuse_fast_math()
    try:
        jax = importlib.import_module("jax")
    except ImportError:
        raise
    except Exception as error:
        raise UserError(f"JAX does not start: {error}; set is {_shown(_jax_variables())}") from None
    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:
        raise UserError(_no_device(error, jax.config.jax_platforms)) from None


def _no_device(error: Exception, configured: str | None) -> str:
    chosen = {name: os.environ[name] for name in CHOOSERS if os.environ.get(name)}
    if configured and not chosen:
        chosen = {"jax.config.jax_platforms": configured}
    if not chosen:
        return f"JAX finds no device to compute on: {error}"
    hint = did_you_mean(next(iter(chosen.values())), _platforms())
    return f"{_shown(chosen)}: JAX finds no such device on this machine; {hint}"


def _platforms() -> list[str]:
    """The platforms on which JAX computes here, found out in another process."""
    environment = {k: v for k, v in os.environ.items() if k not in CHOOSERS}
    command = [sys.executable, "-c", PRINT_PLATFORMS]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=MOST_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return ["cpu"]
    return done.stdout.split() or ["cpu"]


def _jax_variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("JAX_")}


def _shown(variables: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(variables.items())) or "nothing"


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Where JAX cannot start, raise the sentence of ``check_jax``, not its own error."""
    try:
        yield
    except (RuntimeError, AssertionError, ValueError):
        check_jax()
        raise
