"""The number of threads that XLA computes on can be set until JAX starts, and not afterwards."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import pytest

from rnnlab.support.threads import limit_threads, xla_threads

PROGRAM = """
import sys
import jax, psutil
from rnnlab.support.threads import limit_threads, xla_threads

devices = jax.config.jax_num_cpu_devices
limit_threads(int(sys.argv[1]))
jax.numpy.zeros(3).block_until_ready()
threads = psutil.Process().num_threads()
limit_threads(64)
jax.numpy.ones(5).block_until_ready()
assert psutil.Process().num_threads() - threads < 32
assert jax.config.jax_num_cpu_devices == devices
print(xla_threads(), threads, jax.device_count())
"""


def in_a_new_process(threads):
    """Threads that are reported, threads that there are, and devices."""
    command = [sys.executable, "-c", PROGRAM, str(threads)]
    environment = os.environ | {"JAX_PLATFORMS": "cpu"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return tuple(map(int, ended.stdout.split()))


@pytest.mark.processes
def test_before_jax_starts_it_sets_the_number_of_threads():
    (few, few_there, devices), (many, many_there, _) = map(in_a_new_process, (1, 21))
    assert (few, many) == (1, 21)
    assert many_there - few_there >= 20
    assert devices == 1


@pytest.mark.parametrize("variable", ["1", None])
def test_after_jax_has_started_it_changes_nothing(monkeypatch, variable):
    jnp.zeros(1).block_until_ready()
    if variable is None:
        monkeypatch.delenv("NPROC", raising=False)
    else:
        monkeypatch.setenv("NPROC", variable)
    before = xla_threads(), os.environ.get("NPROC"), jax.config.jax_num_cpu_devices
    limit_threads(xla_threads() + 3)
    after = xla_threads(), os.environ.get("NPROC"), jax.config.jax_num_cpu_devices
    assert after == before
