"""Derivatives whose entries lie thousands of decades apart, against decimals of any exponent."""

import decimal
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnnlab import GRU, LSTM, VanillaRNN, gradient_flow, sensitivity
from rnnlab.gradients import large_states

TIME, BATCH = 300, 2
CONTEXT = decimal.Context(prec=40, Emin=-(10**9), Emax=10**9)


def logit(p):
    return float(np.log(p / (1 - p)))


def decimals(array):
    with decimal.localcontext(CONTEXT):
        return np.vectorize(decimal.Decimal, otypes=[object])(np.asarray(array, float))


def log10_norm(matrix):
    """log10 of the spectral norm of decimals, or of the length of a vector."""
    with decimal.localcontext(CONTEXT):
        largest = max(map(abs, matrix.flat))
        if not largest:
            return -np.inf
        scaled = np.vectorize(lambda x: float(x / largest), otypes=[float])(matrix)
        return float(largest.log10()) + np.log10(np.linalg.norm(scaled, 2))


def shutting(seed, steps=16):
    """An input that is 1 at a few steps and 0 else."""
    inputs = np.zeros((TIME, BATCH, 1))
    for example, rng in enumerate(np.random.default_rng(seed).spawn(BATCH)):
        inputs[rng.choice(TIME, steps, replace=False), example] = 1
    return jnp.asarray(inputs, jnp.float32)


def with_gate(cell, gate, open_at, drive, couple=0.0):
    """Parameters of cells whose gate is ``open_at`` by unit and moves by ``drive`` with the input.

    ``couple`` is the size of random recurrent weights from each unit to the ones before it.
    """
    params = jax.tree.map(jnp.zeros_like, cell.init(jax.random.key(0), 1))

    def layer(params, seed):
        rng = np.random.default_rng(seed)
        units = len(open_at)
        for name in [name for name in params if name.startswith("U")]:
            params[name] = jnp.asarray(couple * np.tril(rng.normal(size=(units, units)), -1))
        for name in [name for name in params if name.startswith("W")]:
            params[name] = jnp.asarray(0.1 * rng.normal(size=params[name].shape))
        params |= {
            f"bias_{gate}": jnp.array([logit(p) for p in open_at]),
            f"W_{gate}": params[f"W_{gate}"].at[:1].set(jnp.array([drive])),
        }
        return jax.tree.map(jnp.float32, params)

    if cell.layers == 1:
        return layer(params, 1)
    return tuple(layer(p, seed) for seed, p in enumerate(params))


SHUT = [-60.0, 0.0, -20.0]
OPEN = [0.999, 1e-9, 0.5]


def lstm(couple=0.0, layers=1):
    cell = LSTM(hidden=3, layers=layers)
    return cell, with_gate(cell, "f", OPEN, SHUT, couple), shutting(2)


def gru(reset):
    cell = GRU(hidden=3, reset=reset)
    return cell, with_gate(cell, "z", OPEN, SHUT, 1e-3), shutting(3)


def tanh():
    """At h = 0 the network is linear: gains of 30 and 0.01, decoupled."""
    cell = VanillaRNN(hidden=3)
    params = jax.tree.map(jnp.zeros_like, cell.init(jax.random.key(0), 1))
    return cell, params | {"U_h": jnp.diag(jnp.array([30.0, 0.01, 1e-10]))}, 0 * shutting(4)


def relu():
    """Unit 0 forgets least, and the input sets it to exactly 0 at a few steps."""
    cell = VanillaRNN(hidden=3, activation="relu")
    params = jax.tree.map(jnp.zeros_like, cell.init(jax.random.key(0), 1))
    params |= {
        "U_h": jnp.diag(jnp.array([0.9, 1e-8, 0.01])) + 0.001 * jnp.eye(3, k=-1),
        "bias_h": jnp.ones(3),
        "W_h": jnp.array([[-20.0, 0.0, -2.0]]),
    }
    return cell, params, shutting(5, 3)


CASES = {
    "lstm": lstm,
    "lstm coupled": partial(lstm, 1e-3),
    "lstm stack": partial(lstm, 1e-3, 2),
    "gru after": partial(gru, "after"),
    "gru before": partial(gru, "before"),
    "tanh": tanh,
    "relu": relu,
}


@pytest.fixture(scope="module", params=CASES)
def case(request):
    cell, params, inputs = CASES[request.param]()
    return cell, params, inputs, Exact(cell, params, inputs)


class Exact:
    """Each step's Jacobian in float64, as decimals, and norms of their products."""

    def __init__(self, cell, params, inputs):
        self.cell = cell
        self.shape = (cell.layers, len(cell.State._fields), cell.hidden)
        with jax.enable_x64(True):
            layers = params if cell.layers > 1 else (params,)
            layers = jax.tree.map(lambda a: jnp.asarray(np.float64(a)), layers)
            step = partial(self.step, layers)
            zeros = jnp.zeros((BATCH, *self.shape))

            def body(before, x):
                by_both = jax.vmap(jax.jacfwd(step, argnums=(0, 1)), in_axes=(0, 0, 0))
                return jax.vmap(step)(before, zeros, x), by_both(before, zeros, x)

            _, (by_before, by_nudge) = jax.lax.scan(body, zeros, jnp.asarray(np.float64(inputs)))
            size = np.prod(self.shape)
            self.by_before, self.by_nudge = (
                decimals(j).reshape(-1, BATCH, size, size) for j in (by_before, by_nudge)
            )

    def step(self, layers, state, nudge, x):
        """A step of the whole stack, (layers, parts, hidden), with nudges of its new states."""
        after, x = [], x[None]
        for params, old, push in zip(layers, state, nudge, strict=True):
            push = dict(zip(self.cell.State._fields, push, strict=True))
            new = self.cell.step(
                params,
                self.cell.State(*old[:, None]),
                x,
                lambda name, v, p=push: v + p.get(name, 0),
            )
            after.append(jnp.concatenate(new))
            x = new.h
        return jnp.stack(after)

    def rows(self, layer, part):
        """The derivative of a part of a state by all states."""
        size = np.prod(self.shape)
        index = np.arange(size).reshape(self.shape)[layer, self.cell.State._fields.index(part)]
        return np.eye(size, dtype=int)[index]

    def norms(self, rows, example, seed=lambda t: 0):
        """log10‖∂rows/∂·_t‖ of total derivatives, (layers, parts, time).

        ``seed(t)`` is added to the rows' derivative by the states at t.
        """
        norms = np.zeros((*self.shape[:2], TIME))
        with decimal.localcontext(CONTEXT):
            rows = decimals(rows)
            for t in reversed(range(TIME)):
                rows = rows + seed(t)
                total = (rows @ self.by_nudge[t, example]).reshape(len(rows), *self.shape)
                for at in np.ndindex(self.shape[:2]):
                    norms[(*at, t)] = log10_norm(total[:, *at])
                rows = rows @ self.by_before[t, example]
        return norms


@pytest.mark.parametrize("example", range(BATCH))
def test_sensitivity_loses_no_path(case, example):
    cell, params, inputs, exact = case
    for part in cell.State._fields:
        found = sensitivity(cell, params, inputs, of=part, to=cell.carry)
        found = np.reshape(found.log10_stack, (cell.layers, TIME, BATCH))[..., example]
        expected = exact.norms(exact.rows(-1, part), example)
        expected = expected[:, cell.State._fields.index(cell.carry)]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("example", range(BATCH))
def test_flow_loses_no_path(case, example):
    cell, params, inputs, exact = case
    weights = np.zeros((TIME, cell.hidden))
    weights[-1], weights[TIME // 2] = [1, 2, 3], [0, 1e-30, 0]

    def loss(h):
        return jnp.einsum("tbn,tn->b", h, jnp.asarray(weights, jnp.float32))

    flow = gradient_flow(cell, params, inputs, loss, scaled=True)
    top = decimals(exact.rows(-1, "h"))
    with decimal.localcontext(CONTEXT):
        seeds = decimals(weights) @ top
    expected = exact.norms(np.zeros((1, top.shape[1])), example, lambda t: seeds[t][None])
    for index, part in enumerate(cell.State._fields):
        found = np.reshape(flow.log10_norm[part], (cell.layers, TIME, BATCH))[..., example]
        np.testing.assert_allclose(found, expected[:, index], rtol=1e-5, atol=1e-3)


def test_cases_are_thousands_of_decades_apart(case):
    """Some entry of some product lies below the largest by more than any format reaches."""
    *_, exact = case
    with decimal.localcontext(CONTEXT):
        product = decimals(np.eye(np.prod(exact.shape), dtype=int))
        for jacobian in exact.by_before[::-1, 0]:
            product = product @ jacobian
        sizes = [abs(entry) for entry in product.flat if entry]
        assert float(max(sizes).log10() - min(sizes).log10()) > 300


class DirectMap(LSTM):
    """The LSTM with its direct path as a map, not as a gate."""

    direct = None

    def direct_path(self, params, seen, carry):
        return seen["f"] * carry


@pytest.mark.parametrize("kind", [LSTM, DirectMap])
@pytest.mark.parametrize("large", [False, True])
def test_a_unit_that_forgets_fast_carries_what_is_left_where_another_shuts(
    kind, large, monkeypatch
):
    """Without recurrent weights each unit's derivative is the product of its own gates."""
    if large:
        jax.clear_caches()
        monkeypatch.setattr(large_states, "LARGE", 0)
    cell, time = kind(hidden=2), 400
    params = jax.tree.map(jnp.zeros_like, cell.init(jax.random.key(0), 1))
    params |= {
        "bias_f": jnp.array([logit(0.99), 0.0]),
        "W_f": jnp.array([[logit(1e-12) - logit(0.99), 0.0]]),
    }
    inputs = jnp.zeros((time, 1, 1)).at[100:116].set(1.0)
    x = np.asarray(inputs)[:, 0]
    f = np.where(x == 1, [1e-12, 0.5], [0.99, 0.5])
    later = np.cumsum(np.log10(f)[::-1], axis=0)[::-1]
    expected = np.append(later[1:].max(axis=1), 0)
    found = sensitivity(cell, params, inputs)
    for curve in found:
        np.testing.assert_allclose(np.asarray(curve)[:, 0], expected, rtol=2e-6, atol=2e-3)
    assert -120.2 < expected[0] < -120
