"""Every test runs with the shapes in rnnlab's signatures checked at run time."""

import os

import jax
import jaxtyping
import pytest

os.environ.setdefault("MPLBACKEND", "agg")
jaxtyping.install_import_hook("rnnlab", "beartype.beartype")


@pytest.fixture
def float64():
    """Run the test in double precision."""
    with jax.enable_x64(True):
        yield
