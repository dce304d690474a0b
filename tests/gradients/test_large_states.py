"""Summaries of large states come from products with vectors, and are those of the matrices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from general_states import CELLS, Delta

from rnnlab import LSTM, jacobians, sensitivity
from rnnlab.cells import dynamics_of
from rnnlab.gradients import large_states
from rnnlab.gradients.jacobian import path_sizes
from rnnlab.gradients.lyapunov import log_growth
from rnnlab.gradients.matrix_free import (
    frobenius_norms_of,
    spectral_norm_of,
    spectral_radius_of,
)
from rnnlab.gradients.sensitivity import log_sensitivity
from rnnlab.recurrence.stack import record_tapes

TIME, BATCH, FEATURES = 6, 2, 3
SIZE = 200


def matrices():
    rng = np.random.default_rng(0)
    random = rng.normal(size=(SIZE, SIZE)) / SIZE**0.5
    return {
        "random": random,
        "rank 1": np.outer(random[0], random[1]),
        "zero": np.zeros((SIZE, SIZE)),
        "symmetric": random + random.T,
        "diagonal": np.diag(np.linspace(0.9, 1, SIZE)),
        "triangular": np.triu(random) + np.diag(np.linspace(-1, 1, SIZE)),
        "small": 1e-25 * random,
    }


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", matrices())
def test_norms_and_radius_of_a_matrix(name):
    matrix = matrices()[name]
    like = jnp.zeros((1, SIZE))

    def push(v):
        return v @ matrix.T

    scale = np.linalg.norm(matrix, 2) or 1
    assert abs(spectral_norm_of(push, like)[0] - np.linalg.norm(matrix, 2)) < 1e-6 * scale
    (found,) = frobenius_norms_of(lambda v: {"it": push(v)}, like)["it"]
    assert found == pytest.approx(np.linalg.norm(matrix), rel=1e-12)
    radius = np.abs(np.linalg.eigvals(matrix)).max()
    assert abs(spectral_radius_of(push, like)[0] - radius) < 0.01 * scale


def test_what_is_not_a_number_does_not_read_zero():
    def push(v):
        return v * jnp.nan

    like = jnp.zeros((1, SIZE))
    assert np.isnan(frobenius_norms_of(lambda v: {"it": push(v)}, like)["it"][0])
    assert np.isnan(spectral_norm_of(push, like)[0])


def test_squares_of_small_numbers_do_not_read_zero():
    matrix = jnp.asarray(1e-30 * matrices()["random"], jnp.float32)
    found = spectral_norm_of(lambda v: v @ matrix.T, jnp.zeros((1, SIZE), jnp.float32))
    assert found[0] == pytest.approx(np.linalg.norm(np.asarray(matrix, float), 2), rel=1e-4)


def arguments(cell, time=TIME, batch=BATCH):
    params = cell.init(jax.random.key(0), FEATURES)
    return params, jax.random.normal(jax.random.key(1), (time, batch, FEATURES))


@pytest.fixture
def everything_is_large(monkeypatch):
    """Only after the numbers of small states have been compiled."""

    def switch():
        monkeypatch.setattr(large_states, "LARGE", 0)
        jax.clear_caches()

    yield switch
    monkeypatch.undo()
    jax.clear_caches()


def numbers(cell):
    params, inputs = arguments(cell)
    sizes = jacobians(cell, params, inputs).summary(spectral_radius=True)
    return sizes, sensitivity(cell, params, inputs)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "cell", [*CELLS.values(), LSTM(hidden=4, layers=2)], ids=lambda cell: type(cell).__name__
)
def test_numbers_are_those_of_the_matrices(cell, everything_is_large):
    sizes, norms = numbers(cell)
    everything_is_large()
    large_sizes, large_norms = numbers(cell)
    for column in sizes:
        close(large_sizes[column], sizes[column])
    for large, small in zip(large_norms, norms, strict=True):
        assert (large is None) == (small is None)
        if small is not None:
            close(large, small)


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-9)


LARGE_CELL = Delta(keys=32, hidden=34)


def shapes_in(jaxpr):
    """The shape of every array in a program, inner programs included."""
    for equation in jaxpr.eqns:
        yield from (variable.aval.shape for variable in equation.outvars)
        for inner in jax.tree.leaves(list(equation.params.values())):
            if hasattr(inner, "jaxpr") or hasattr(inner, "eqns"):
                yield from shapes_in(getattr(inner, "jaxpr", inner))


@pytest.mark.parametrize("measure", ["sizes", "sensitivity", "exponents"])
def test_no_matrix_of_a_large_state_is_made(measure):
    cell = dynamics_of(LARGE_CELL)
    params, inputs = arguments(cell, time=3, batch=1)
    tapes, _ = record_tapes(cell, params, inputs)
    programs = {
        "sizes": lambda: path_sizes(cell, tapes[0], spectral_radius=True),
        "sensitivity": lambda: log_sensitivity(cell, params, inputs, "S", "S", None),
        "exponents": lambda: log_growth(cell, params, inputs, 8, None),
    }
    entries = 32 * 34
    shapes = set(shapes_in(jax.make_jaxpr(programs[measure])().jaxpr))
    assert any(entries in shape for shape in shapes)
    assert max(int(np.prod(shape)) for shape in shapes) < entries**2 / 2


def test_a_large_state():
    """Its direct path is α (I − β k kᵀ): norm α for two keys or more, radius α."""
    params, inputs = arguments(LARGE_CELL, time=3, batch=1)
    found = jacobians(LARGE_CELL, params, inputs).summary()
    state, x = LARGE_CELL.initial_state(1), inputs[0]
    seen = {}
    LARGE_CELL.step(params, state, x, lambda name, value: seen.setdefault(name, value))
    assert found["direct_spectral"][0] == pytest.approx(float(seen["α"][0, 0]), rel=1e-5)
    assert found["total_frobenius"][0] == pytest.approx(found["direct_frobenius"][0], rel=1e-5)
