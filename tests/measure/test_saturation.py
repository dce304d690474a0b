"""What is measured and said of cells whose gates are at their ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import rnnlab
from rnnlab import GRU, LSTM, VanillaRNN
from rnnlab.measure.diagnosis import diagnose, summarize
from rnnlab.measure.saturation import saturation
from rnnlab.training.at_ends import measure

TIME, BATCH = 30, 4


def inputs(scale=1.0):
    return scale * jax.random.uniform(jax.random.key(1), (TIME, BATCH, 2))


def measured(cell, x):
    params = cell.init(jax.random.key(0), 2)
    return params, measure(cell, params, x, 0)


def said(cell, x):
    params, tables = measured(cell, x)
    row = summarize(cell, params, tables, TIME - 1) | saturation(cell, params, x)
    return row, " ".join(diagnose("it", pd.DataFrame([row])).split())


def share_by_loop(params, x):
    """Of the gates i, f, o of an LSTM, step by step."""
    h = c = np.zeros((BATCH, len(params["bias_f"])))
    ends = []
    for x_t in np.asarray(x):
        a = {k: x_t @ params[f"W_{k}"] + h @ params[f"U_{k}"] + params[f"bias_{k}"] for k in "ifgo"}
        i, f, o = (expit(a[k]) for k in "ifo")
        c = f * c + i * np.tanh(a["g"])
        h = o * np.tanh(c)
        ends += [(gate < 1e-3) | (gate > 1 - 1e-3) for gate in (i, f, o)]
    return np.mean(ends)


@pytest.mark.parametrize("scale", [1.0, 20.0, 1e3])
def test_the_share_of_saturated_gates(scale):
    cell, x = LSTM(hidden=8), inputs(scale)
    params = cell.init(jax.random.key(0), 2)
    found = saturation(cell, params, x)
    assert found["saturated"] == pytest.approx(share_by_loop(params, x), abs=2e-3)
    assert found["saturated_at_zero"] == 0
    assert found["largest_input"] == pytest.approx(float(x.max()))


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        (LSTM(hidden=8), "gates' values"),
        (LSTM(hidden=8, layers=2), "gates' values"),
        (GRU(hidden=8), "gates' values"),
        (VanillaRNN(hidden=8), "outputs' values"),
        (VanillaRNN(hidden=8, activation="relu"), ""),
    ],
)
def test_inputs_that_saturate_are_named_first(cell, what):
    _, text = said(cell, inputs(1e3))
    assert (") inputs: " in text) == bool(what)
    assert what in text
    assert ("scale the inputs first" in text) == bool(what)
    assert "scale the inputs" not in said(cell, inputs())[1]


def test_a_shut_forget_gate_is_a_direct_path_that_carries_nothing():
    """Not a cell without one, as it was called; σ(−100) is below the smallest float."""
    row, text = said(LSTM(hidden=8, forget_bias=-100.0), inputs())
    assert row["has_direct"]
    assert row["log10_direct_at"] == -np.inf
    assert "0 (or too small for a float) along the direct path alone." in text
    assert "declares no direct path" not in text
    assert "inputs:" not in text


def test_a_difference_is_over_the_examples_that_have_both():
    """The forget gate of two of four examples is shut at one step, so that their product is 0."""
    cell = LSTM(hidden=4)
    params = cell.init(jax.random.key(0), 2)
    params |= {f"W_{k}": params[f"W_{k}"] * jnp.array([[1.0], [0.0]]) for k in "igo"}
    params["W_f"] = jnp.ones((2, 4))
    x = np.array(inputs())
    x[TIME // 2, 2:, 1] = -3000
    x = jnp.asarray(x)
    tables = measure(cell, params, x, 0)
    found = rnnlab.sensitivity(cell, params, x)
    total, direct = np.asarray(found.log10_total), np.asarray(found.log10_direct)
    frame = tables["jacobians"].set_index("t")
    shut = np.isneginf(direct)
    assert set(shut.sum(axis=1)) == {0, 2}
    for t in range(TIME):
        both = [total[t, b] - direct[t, b] for b in range(BATCH) if not shut[t, b]]
        assert frame["log10_excess"][t] == pytest.approx(np.mean(both), abs=1e-4)
        assert frame["direct_zero_fraction"][t] == shut[t].mean()
    assert np.isfinite(total).all()
    of_others = frame["log10_sensitivity"][0] - frame["log10_direct_product"][0]
    assert abs(frame["log10_excess"][0] - of_others) > 0.1  # as it was subtracted
    row = summarize(cell, params, tables, TIME - 1) | saturation(cell, params, x)
    assert row["direct_zeros_at"] == 2
    assert "along the direct path alone in 2 of 4 examples and 0 in the others" in " ".join(
        diagnose("it", pd.DataFrame([row])).split()
    )
