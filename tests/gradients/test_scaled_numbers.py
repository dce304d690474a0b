"""Arithmetic of scaled numbers, against fractions."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlab.gradients.norms import log10_norm
from rnnlab.gradients.scaled import (
    EXPONENT_OF_ZERO,
    Scaled,
    as_scaled,
    largest_power,
    log10_size,
    with_own_exponents,
    zeros,
)
from rnnlab.gradients.scaled_maps import at_once, exactly, in_bands

ROWS, BATCH, SIZE = 2, 2, 3
MATRIX = np.random.default_rng(0).integers(-8, 9, (SIZE, SIZE)) / 8
TAKEN = np.arange(SIZE) != 1


def linear(x):
    """A matrix, and a selection of entries."""
    return {"moved": x @ jnp.asarray(MATRIX, x.dtype), "taken": jnp.where(TAKEN, x, 0)}


def fractions(x):
    """The exact numbers, flat."""
    exponents = np.broadcast_to(x.exponent, np.shape(x.mantissa))
    pairs = zip(np.ravel(x.mantissa).tolist(), exponents.ravel().tolist(), strict=True)
    return [Fraction(m) * Fraction(2) ** e if m else Fraction(0) for m, e in pairs]


def rows_of(numbers):
    return [numbers[at : at + SIZE] for at in range(0, len(numbers), SIZE)]


COUNT = ROWS * BATCH * SIZE
SIZES = st.floats(0.5, 1.0, width=32, exclude_max=True)
ENTRIES = st.lists(
    st.one_of(st.just(0.0), SIZES, SIZES.map(lambda x: -x)), min_size=COUNT, max_size=COUNT
)


def powers(limit):
    return st.lists(st.integers(-limit, limit), min_size=COUNT, max_size=COUNT)


def own(entries, exponents):
    shape = ROWS, BATCH, SIZE
    return with_own_exponents(
        Scaled(
            jnp.asarray(np.array(entries, np.float32).reshape(shape)),
            jnp.asarray(np.array(exponents, np.int32).reshape(shape)),
        )
    )


def together(entries, exponents):
    """Entries of a row on one exponent; those below the smallest float are 0."""
    mantissas = np.array(entries, np.float32) * 2.0 ** np.array(exponents)
    mantissas = np.where(np.abs(mantissas) < 2.0**-126, 0, mantissas)
    return as_scaled(jnp.asarray(mantissas.astype(np.float32).reshape(ROWS, BATCH, SIZE)), 7000)


compiled_in_bands = jax.jit(lambda x: in_bands(linear, x)[0])
compiled_at_once = jax.jit(lambda x: at_once(linear, x))


def is_image(found, numbers):
    """Whether these are the map's images, each sum rounded by float32 once an operation."""
    rounding = Fraction(2) ** -22
    for row, image in zip(rows_of(numbers), rows_of(fractions(found["moved"])), strict=True):
        for column, actual in enumerate(image):
            terms = [x * Fraction(w) for x, w in zip(row, MATRIX[:, column].tolist(), strict=True)]
            if abs(actual - sum(terms)) > rounding * sum(map(abs, terms)):
                return False
    taken = [x if i % SIZE != 1 else 0 for i, x in enumerate(numbers)]
    return fractions(found["taken"]) == taken


@settings(max_examples=200, deadline=None)
@given(ENTRIES, powers(10_000))
def test_a_map_in_bands_loses_no_entry(entries, exponents):
    x = own(entries, exponents)
    found = compiled_in_bands(x)
    assert is_image(found, fractions(x))
    for of in found.values():
        sizes = np.abs(of.mantissa)
        assert ((sizes == 0) | ((sizes >= 0.5) & (sizes < 1))).all()
        assert (np.asarray(of.exponent)[sizes == 0] == EXPONENT_OF_ZERO).all()


@settings(max_examples=200, deadline=None)
@given(ENTRIES, powers(40))
def test_a_map_at_once_is_exact_where_it_says_so(entries, exponents):
    x = together(entries, exponents)
    found, is_exact = compiled_at_once(x)
    numbers = fractions(x)
    spreads = [
        max(map(abs, some)) / min(map(abs, some))
        for row in rows_of(numbers)
        if (some := [x for x in row if x])
    ]
    if max(spreads, default=1) < 2**47:
        assert is_exact
    if max(spreads, default=1) > 2**49:
        assert not is_exact
    if is_exact:
        assert is_image(found, numbers)
        assert all(a.exponent.shape == (ROWS, BATCH, 1) for a in found.values())


def log10_of_row(x):
    return log10_size(x, lambda m: log10_norm(m[0]))


@pytest.mark.parametrize("reverse", [False, True])
def test_arrays_of_one_row_are_compared_with_each_other(reverse):
    """Adjoints of h and c, each of entries close together, may be far apart themselves."""

    def run(apply, *numbers):
        found, is_exact = apply(lambda *x: x, *numbers)
        return [log10_of_row(x) for x in found], is_exact

    numbers = [as_scaled(jnp.ones((1, 1, 2)), exponent) for exponent in (0, -300, -9000)]
    numbers = numbers[::-1] if reverse else numbers
    assert not run(at_once, *numbers)[1]
    expected = [log10_of_row(x) for x in numbers]
    np.testing.assert_array_equal(exactly(run, *numbers), expected)
    assert np.isneginf(run(at_once, *numbers)[0]).any()


def test_rows_far_apart_from_each_other_are_mapped_at_once():
    x = as_scaled(jnp.ones((ROWS, BATCH, SIZE)), jnp.array([[0, -9000], [9000, 5]]))
    found, is_exact = at_once(linear, x)
    assert is_exact
    assert is_image(found, fractions(x))


def test_lanes_share_a_branch_and_keep_their_numbers():
    def run(apply, x):
        found, is_exact = apply(linear, x)
        return log10_of_row(found["moved"]), is_exact

    def log10(mantissas):
        return exactly(run, as_scaled(mantissas))

    close = jnp.array([[[1.0, 0.5, 0.25]]])
    apart = jnp.array([[[1.0, 2.0**-100, 0.0]]])
    lanes = jax.vmap(log10)(jnp.stack([close, apart]))
    np.testing.assert_array_equal(lanes, [log10(close), log10(apart)])


@pytest.mark.usefixtures("float64")
def test_float64_maps_at_once_what_float64_can():
    assert at_once(linear, as_scaled(jnp.array([[[1.0, 2.0**-380, 0.0]]])))[1]
    assert not at_once(linear, as_scaled(jnp.array([[[1.0, 2.0**-390, 0.0]]])))[1]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("apply", [at_once, in_bands])
def test_what_is_not_a_number_passes_through(value, apply):
    x = as_scaled(jnp.array([[[value, 3.0, 0.0]]]), 5)
    x = with_own_exponents(x) if apply is in_bands else x
    found = apply(lambda x: x, x)[0]
    np.testing.assert_array_equal(found.mantissa[0, 0, 0], value)


def test_zero_has_no_power_and_no_size():
    x = zeros((1, 1, 3), jnp.float32)
    assert largest_power(x) == EXPONENT_OF_ZERO
    found, is_exact = at_once(linear, x)
    assert is_exact
    assert largest_power(found["moved"]) == EXPONENT_OF_ZERO
    assert np.isneginf(log10_size(x, lambda m: log10_norm(m[0])))


@pytest.mark.parametrize("exponent", [-20_000, -3, 20_000])
def test_log10_of_a_size(exponent):
    """Rows (3, 4)·2**e and (0, 12)·2**e together: 13·2**e."""
    x = as_scaled(jnp.array([[[3.0, 4.0]], [[0.0, 12.0]]]), exponent)
    size = log10_size(x, lambda m: log10_norm(m.reshape(1, -1)))
    np.testing.assert_allclose(size, np.log10(13) + exponent * np.log10(2), rtol=1e-6)
