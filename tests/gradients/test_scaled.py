from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnnlab import GRU, LSTM, VanillaRNN, gradient_flow
from rnnlab.gradients.flow import scaled_flow

TIME, BATCH, FEATURES, HIDDEN = 7, 3, 2, 4


def random(seed, *shape):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape))


def arguments(cell, time=TIME, batch=BATCH):
    """The initial parameters with rotations for U, by numpy, and random inputs."""
    shapes = jax.eval_shape(lambda: cell.init(jax.random.key(0), FEATURES))

    def value(path, leaf):
        name = path[-1].key
        if name[0] == "b":
            return jnp.full(leaf.shape, cell.forget_bias if name == "bias_f" else 0.0)
        values = np.asarray(random(sum(map(ord, jax.tree_util.keystr(path))), *leaf.shape))
        return jnp.asarray(
            cell.recurrent_gain * np.linalg.qr(values)[0] if name[0] == "U" else values
        )

    return jax.tree.map_with_path(value, shapes), random(1, time, batch, FEATURES)


def random_state(cell):
    leading = () if cell.layers == 1 else (cell.layers,)
    parts = range(len(cell.State._fields))
    return cell.State(*(random(10 + n, *leading, BATCH, HIDDEN) for n in parts))


def of_last_step(h):
    return h[-1] @ jnp.arange(1.0, 1 + h.shape[-1])


@partial(jax.jit, static_argnums=(0, 3), static_argnames="scaled")
def norms_of(cell, params, inputs, loss, state=None, *, scaled):
    return gradient_flow(cell, params, inputs, loss, state, scaled=scaled).log10_norm


def in_float64(function, *trees):
    """``function(*trees)`` in double precision, from the very numbers given."""
    numbers = jax.tree.map(np.float64, trees)
    with jax.enable_x64(True):
        return jax.tree.map(np.asarray, function(*jax.tree.map(jnp.asarray, numbers)))


# The flow


CELLS = [
    VanillaRNN(hidden=HIDDEN, layers=2, recurrent_gain=1.5),
    VanillaRNN(hidden=HIDDEN, activation="relu"),
    LSTM(hidden=HIDDEN),
    LSTM(hidden=HIDDEN, activation="relu", layers=2),
    GRU(hidden=HIDDEN, layers=2),
    GRU(hidden=HIDDEN, reset="before"),
]


@pytest.mark.parametrize(
    ("cell", "double", "tolerance"),
    [(cell, True, 1e-10) for cell in CELLS] + [(cell, False, 1e-5) for cell in CELLS[::3]],
)
def test_scaled_flow_is_the_plain_one_where_that_has_not_underflowed(cell, double, tolerance):
    with jax.enable_x64(double):
        params, inputs = arguments(cell)

        @jax.jit
        def both(weights, state):
            def loss(h):
                return jnp.einsum("tbn,tn->b", jnp.sin(h), weights)

            return [
                gradient_flow(cell, params, inputs, loss, state, scaled=s) for s in (False, True)
            ]

        zeros = jax.tree.map(jnp.zeros_like, random_state(cell))
        weights = random(3, TIME, HIDDEN)
        for seeds, state in ((weights, zeros), (weights.at[:-1].set(0), random_state(cell))):
            plain, scaled = both(seeds, state)
            for name in cell.State._fields:
                at = plain.log10_norm[name], scaled.log10_norm[name]
                assert at[0].dtype == at[1].dtype == (jnp.float64 if double else jnp.float32)
                np.testing.assert_allclose(at[1], at[0], rtol=0, atol=tolerance)
            jax.tree.map(
                partial(np.testing.assert_allclose, rtol=tolerance, atol=tolerance),
                scaled[:2],
                plain[:2],
            )


def test_forgetting_for_10_000_steps_has_a_number_of_decades():
    params, inputs = arguments(cell := LSTM(hidden=HIDDEN, forget_bias=-2.0), time=10_000)

    def flow(params, inputs, scaled=True):
        return norms_of(cell, params, inputs, of_last_step, scaled=scaled)

    single = flow(params, inputs)
    double = in_float64(flow, params, inputs)
    plain = in_float64(partial(flow, scaled=False), params, inputs)
    thousands = np.arange(10_000, 0, -1)[:, None] / 1000
    for part in ("h", "c"):
        assert single[part].dtype == jnp.float32
        assert np.isfinite(single[part]).all()
        assert single[part][0].max() < -3000
        assert (np.abs(single[part] - double[part]) < 1e-3 * np.maximum(thousands, 0.1)).all()
        is_exact = plain[part] > -290
        assert 300 < is_exact.sum() < 10_000
        np.testing.assert_allclose(double[part][is_exact], plain[part][is_exact], rtol=1e-9)


@pytest.mark.parametrize(("double", "decades"), [(True, 1e-8), (False, 2e-3)])
def test_adjoint_decays_by_the_forget_gate_where_nothing_recurs(double, decades):
    with jax.enable_x64(double):
        params, inputs = arguments(cell := LSTM(hidden=HIDDEN), time=10_000)
        params |= {name: 0 * params[name] for name in params if name[0] == "U" or name == "W_f"}
        b_f = np.array([-2.0, 0.0, 1.0, 5.0])

        def norms(b_f):
            at = params | {"bias_f": jnp.full(HIDDEN, b_f)}
            return norms_of(cell, at, inputs, of_last_step, scaled=True)["c"]

        actual = np.asarray(jax.vmap(norms)(jnp.asarray(b_f)), float)
    steps = np.arange(10_000)[::-1, None]
    expected = actual[:, -1:] + steps * -np.log10(1 + np.exp(-b_f))[:, None, None]
    np.testing.assert_allclose(actual, expected, rtol=0, atol=decades)


def test_an_exploding_flow_goes_on_beyond_the_range_of_the_format():
    """At h = 0 the network is linear: each step multiplies by 3 times a rotation."""
    params, _ = arguments(cell := VanillaRNN(hidden=HIDDEN, recurrent_gain=3.0))
    inputs = jnp.zeros((2000, BATCH, FEATURES))
    norms = norms_of(cell, params, inputs, of_last_step, scaled=True)["h"]
    expected = np.log10(np.sqrt(30)) + np.arange(2000)[::-1, None] * np.log10(3)
    np.testing.assert_allclose(norms, np.broadcast_to(expected, norms.shape), rtol=0, atol=2e-3)
    assert norms[0].min() > 950


@pytest.mark.parametrize("layers", [1, 2])
def test_steps_after_the_one_that_the_loss_reads_have_no_adjoint(layers):
    params, inputs = arguments(cell := LSTM(hidden=HIDDEN, layers=layers), time=200)
    norms = norms_of(cell, params, inputs, lambda h: h[5].sum(-1), scaled=True)
    for part in ("h", "c"):
        assert np.isfinite(norms[part][..., :6, :]).all()
        assert np.isneginf(norms[part][..., 6:, :]).all()


def test_a_loss_that_reads_nothing_has_no_flow():
    params, inputs = arguments(cell := GRU(hidden=HIDDEN))
    norms = norms_of(cell, params, inputs, lambda h: jnp.ones(BATCH), scaled=True)
    assert np.isneginf(norms["h"]).all()


def test_layers_that_forget_at_different_rates_do_not_lend_each_other_their_zeros():
    """Inputs are small: where |c| > 9, 1 − tanh² c reads 0 in float32, and not in float64."""
    (bottom, top), inputs = arguments(cell := LSTM(hidden=HIDDEN, layers=2), time=300)
    inputs *= 0.1
    bottom["bias_f"], top["bias_f"] = jnp.full(HIDDEN, 5.0), jnp.full(HIDDEN, -3.0)
    top |= {name: 0.1 * top[name] for name in top if name[0] == "U"}

    def flow(params, inputs, scaled=True):
        return norms_of(cell, params, inputs, of_last_step, scaled=scaled)

    single = flow((bottom, top), inputs)
    double = in_float64(flow, (bottom, top), inputs)
    plain = in_float64(partial(flow, scaled=False), (bottom, top), inputs)
    for part in ("h", "c"):
        assert np.isfinite(single[part]).all()
        np.testing.assert_allclose(single[part], double[part], rtol=0, atol=1e-2)
        is_exact = plain[part] > -290
        assert is_exact[0].all()
        assert is_exact[1].mean() > 0.5
        np.testing.assert_allclose(double[part][is_exact], plain[part][is_exact], atol=1e-9)
    assert single["c"][1, 0].max() < -280 < -20 < single["c"][0, 0].min()


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("cell", [LSTM(hidden=5), GRU(hidden=7)])
def test_an_example_in_a_batch_has_the_flow_that_it_has_by_itself(cell):
    """Small batches are compiled into other code, and jaxlib 0.10 gets some of it wrong."""
    params, inputs = arguments(cell, batch=4)
    flow = jax.jit(lambda inputs: scaled_flow(cell, params, inputs, of_last_step))
    together, alone = flow(inputs), [flow(inputs[:, [example]]) for example in range(4)]
    for part, norms in together.items():
        expected = np.concatenate([a[part] for a in alone], axis=-1)
        np.testing.assert_allclose(norms, expected, rtol=0, atol=1e-11)
