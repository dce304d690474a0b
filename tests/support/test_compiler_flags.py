"""The compiler's flags of the tests themselves: see conftest."""

import jax
import jax.numpy as jnp
import pytest
from jax._src import compiler


@pytest.fixture
def options(monkeypatch):
    """Of every program that is compiled."""
    seen, original = [], compiler.get_compile_options

    def spy(*args, **kwargs):
        seen.append(original(*args, **kwargs))
        return seen[-1]

    monkeypatch.setattr(compiler, "get_compile_options", spy)
    return seen


@jax.jit
def program(x):
    return jnp.sin(x).sum()


def test_quickly(options, pytestconfig):
    if pytestconfig.getoption("--default-flags"):
        pytest.skip("all tests have the flags that users have")
    program(jnp.ones(7))
    assert dict(options[-1].env_option_overrides)["xla_backend_optimization_level"] == 0


@pytest.mark.default_flags
def test_as_users_do(options):
    """Also what has been compiled quickly before."""
    program(jnp.ones(7))
    assert list(options[-1].env_option_overrides) == []
