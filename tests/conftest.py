"""Every test runs with the shapes in rnnlab's signatures checked at run time."""

import os
import tempfile
from pathlib import Path

import jax
import jaxtyping
import pytest

os.environ.setdefault("MPLBACKEND", "agg")
os.environ["XDG_CACHE_HOME"] = str(Path(tempfile.gettempdir()) / f"rnnlab-tests-{os.getuid()}")
jaxtyping.install_import_hook("rnnlab", "beartype.beartype")
# Test files share small programs, which each would compile again.
COMPILED = tempfile.TemporaryDirectory(prefix="rnnlab-tests-")
jax.config.update("jax_compilation_cache_dir", COMPILED.name)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def pytest_unconfigure():
    COMPILED.cleanup()


@pytest.fixture
def float64():
    """Run the test in double precision."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(autouse=True, scope="module")
def drop_compiled_programs():
    """Each holds memory maps, of which a process may only have so many (Linux: 65,530)."""
    yield
    jax.clear_caches()
