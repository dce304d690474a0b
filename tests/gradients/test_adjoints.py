"""Taps: identities forwards, norms of what passes backwards."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnnlab import LSTM, LSTMState, gradient_flow
from rnnlab.gradients.norms import scaled_squares
from rnnlab.recurrence.taps import Slot, tap

TIME, BATCH, HIDDEN, FEATURES = 7, 3, 5, 2


@pytest.mark.usefixtures("float64")
def test_tap_hands_out_the_adjoint_norm_and_lets_the_adjoint_pass():
    value, weight = jax.random.normal(jax.random.key(0), (2, BATCH, HIDDEN))
    out, pullback = jax.vjp(tap, value, Slot(scaled_squares, (jnp.zeros(BATCH), jnp.zeros(BATCH))))
    adjoint, seen = pullback(weight)
    np.testing.assert_array_equal(out, value)
    np.testing.assert_array_equal(adjoint, weight)
    expected = np.linalg.norm(weight, axis=-1)
    largest, squares = seen.values
    np.testing.assert_allclose(largest * np.sqrt(squares), expected, rtol=1e-12)


def flow_of(cell, loss):
    inputs = jax.random.normal(jax.random.key(1), (TIME, BATCH, FEATURES))
    return gradient_flow(cell, cell.init(jax.random.key(0), FEATURES), inputs, loss)


class DropsWhatItObserves(LSTM):
    """Goes on with c itself in place of what ``observe`` returns."""

    def step(self, params, state, x, observe):
        new = super().step(params, state, x)
        observe("c", new.c)
        return LSTMState(observe("h", new.h), new.c)


def test_a_cell_must_go_on_with_what_observe_returns():
    with pytest.raises(ValueError, match=r"must go on with what observe\('c', …\)"):
        flow_of(DropsWhatItObserves(hidden=HIDDEN), lambda h: (h[-1] ** 2).sum(-1))


class ForgetsItsCellState(LSTM):
    """Carries a c on which nothing depends."""

    def step(self, params, state, x, observe):
        new = super().step(params, LSTMState(state.h, jnp.zeros_like(state.c)), x)
        return LSTMState(observe("h", new.h), observe("c", new.c))


def test_a_value_on_which_nothing_depends_reads_zero_and_not_one():
    flow = flow_of(ForgetsItsCellState(hidden=HIDDEN), lambda h: (h[-1] ** 2).sum(-1))
    assert np.isneginf(flow.log10_norm["c"]).all()
    assert np.isfinite(flow.log10_norm["h"]).all()


def test_a_loss_that_reads_nothing_has_no_gradient():
    flow = flow_of(LSTM(hidden=HIDDEN), lambda h: jnp.ones(BATCH))
    assert all(np.isneginf(norms).all() for norms in flow.log10_norm.values())
