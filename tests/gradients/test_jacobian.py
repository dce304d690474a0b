import itertools
from functools import partial

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from jax.nn import relu, sigmoid

from rnnlab import GRU, LSTM, VanillaRNN, jacobians, unroll
from rnnlab.gradients import jacobian
from rnnlab.recurrence.stack import record_tapes

TIME, BATCH, FEATURES, HIDDEN = 5, 3, 2, 4
GAINS = (0.1, 1.0, 2.0)
RNN, RNN_RELU, TANH_LSTM, RELU_LSTM, GRU_BEFORE, GRU_AFTER = CELLS = [
    VanillaRNN(hidden=HIDDEN),
    VanillaRNN(hidden=HIDDEN, activation="relu"),
    LSTM(hidden=HIDDEN),
    LSTM(hidden=HIDDEN, activation="relu"),
    GRU(hidden=HIDDEN, reset="before"),
    GRU(hidden=HIDDEN, reset="after"),
]
STACKS = [cell.model_copy(update={"layers": 2}) for cell in (RNN, TANH_LSTM, GRU_AFTER)]


def arguments(cell, gain=1.0, given=False, time=TIME):
    """Random parameters, U about gain times a rotation, inputs, and the initial state if given."""
    rng = np.random.default_rng(0)

    def random(path, leaf):
        values = rng.normal(size=leaf.shape)
        return jnp.asarray(gain * np.linalg.qr(values)[0] if path[-1].key[0] == "U" else values)

    shapes = jax.eval_shape(lambda: cell.init(jax.random.key(0), FEATURES))
    leading = () if cell.layers == 1 else (cell.layers,)
    state = [jnp.asarray(rng.normal(size=(*leading, BATCH, HIDDEN))) for _ in cell.State._fields]
    inputs = jnp.asarray(rng.normal(size=(time, BATCH, FEATURES)))
    return jax.tree.map_with_path(random, shapes), inputs, cell.State(*state) if given else None


@partial(jax.jit, static_argnums=0)
def read(cell, params, inputs, initial_state):
    """Parameters, inputs, and the states before each step, of one layer."""
    after = unroll(cell, params, inputs, initial_state)
    first = cell.initial_state(BATCH) if initial_state is None else initial_state
    before = jax.tree.map(lambda a, b: jnp.concatenate([a[None], b[:-1]]), first, after)
    return params, inputs, before


def close(actual, expected, atol=1e-10):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


# The papers' equations for one example: carry and o, each gate with a previous h of its own


def lstm(φ, p, x, c, h):
    a = {k: x @ p[f"W_{k}"] + h[k] @ p[f"U_{k}"] + p[f"bias_{k}"] for k in "ifgo"}
    return sigmoid(a["f"]) * c + sigmoid(a["i"]) * φ(a["g"]), sigmoid(a["o"])


def gru(reset, p, x, carried, h):
    r, z = (sigmoid(x @ p[f"W_{k}"] + h[k] @ p[f"U_{k}"] + p[f"bias_{k}"]) for k in "rz")
    a = x @ p["W_n"] + p["bias_n"]
    if reset == "before":
        n = jnp.tanh(a + (r * h["n"]) @ p["U_n"])
    else:
        n = jnp.tanh(a + r * (h["n"] @ p["U_hn"] + p["bias_hn"]))
    return z * carried + (1 - z) * n, jnp.ones(HIDDEN)


def vanilla(φ, p, x, carried, h):
    return φ(x @ p["W_h"] + h["h"] @ p["U_h"] + p["bias_h"]), jnp.ones(HIDDEN)


def equations(cell):
    """One step, the gates that see h and those that its carry depends on, h by the carry."""
    φ = relu if getattr(cell, "activation", "tanh") == "relu" else jnp.tanh
    if isinstance(cell, LSTM):
        return partial(lstm, φ), "ifgo", "ifg", φ
    if isinstance(cell, GRU):
        return partial(gru, cell.reset), "rzn", "rzn", lambda h: h
    return partial(vanilla, φ), "h", "h", lambda h: h


@partial(jax.jit, static_argnums=0)
def slow_parts(cell, params, inputs, before):
    """Each part by automatic differentiation of the equations, one example and step at a time."""
    step, everyone, gates, φ = equations(cell)

    def at(is_first, x, before, o_before):
        carried = getattr(before, cell.carry)

        def h(carried):
            is_given = is_first & (cell.carry == "c")
            return jnp.where(is_given, before.h, o_before * φ(carried))

        def moving(names, along):
            """∂carry_t/∂carry_t−1 where only these gates, and perhaps the carry, move."""

            def function(v):
                hs = {k: h(v) if k in names else before.h for k in everyone}
                return step(params, x, v if along else carried, hs)[0]

            return jax.jacfwd(function)(carried)

        def flat_step(flat):
            state = cell.State(*jnp.split(flat[None], len(before), axis=-1))
            return jnp.concatenate(cell.step(params, state, x[None]), axis=-1)[0]

        return {
            "direct": moving("", along=True),
            "indirect": {k: moving(k, along=False) for k in gates},
            "total": moving(everyone, along=True),
            "state": jax.jacrev(flat_step)(jnp.concatenate(before, axis=-1)),
        }

    def o(x, before):
        return step(params, x, getattr(before, cell.carry), dict.fromkeys(everyone, before.h))[1]

    o_before = jnp.roll(jax.vmap(jax.vmap(o))(inputs, before), 1, axis=0)
    over_examples = jax.vmap(at, in_axes=(None, 0, 0, 0))
    return jax.vmap(over_examples)(jnp.arange(len(inputs)) == 0, inputs, before, o_before)


@partial(jax.jit, static_argnums=0)
def parts(cell, *arguments):
    """The properties of ``Jacobians``, compiled together."""
    j = jacobians(cell, *arguments)
    return {
        name: getattr(j, name)
        for name in ("indirect", "total", "state", "direct")
        if cell.direct or name != "direct"
    }


def diagonal(d):
    return d[..., None] * np.eye(d.shape[-1])


def compare_parts(j, expected, atol):
    j, expected = jax.tree.map(np.asarray, (j, expected))
    direct = diagonal(j["direct"]) if "direct" in j else np.zeros_like(j["total"])
    jax.tree.map(partial(close, atol=atol), j | {"direct": direct}, expected)
    close(j["total"], direct + sum(j["indirect"].values()), atol)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("cell", CELLS)
def test_parts_are_those_of_automatic_differentiation_of_the_papers_equations(cell):
    for gain, given in itertools.product(GAINS, (False, True)):
        at = arguments(cell, gain, given)
        j = parts(cell, *at)
        compare_parts(j, slow_parts(cell, *read(cell, *at)), atol=1e-10)
        if isinstance(cell, LSTM):
            assert not any(np.any(part[0]) for part in j["indirect"].values())
            np.testing.assert_array_equal(j["total"][0], diagonal(np.asarray(j["direct"][0])))


@pytest.mark.parametrize("cell", CELLS)
def test_parts_in_float32(cell):
    """The same at the float32 states themselves, in float64.

    A pre-activation of n + d + 1 terms is off by at most as many roundings of their size, which is
    within a few times that of the largest entry of J; an entry is made of up to four of them.
    """
    roundings = 4 * (HIDDEN + FEATURES + 1) * 2.0**-24
    for gain, given in zip(GAINS, (True, False, True), strict=True):
        at = arguments(cell, gain, given)
        j = parts(cell, *at)
        assert j["total"].dtype == j["state"].dtype == jnp.float32
        with jax.enable_x64(True):
            double = jax.tree.map(lambda a: jnp.asarray(a, float), read(cell, *at))
            expected = jax.tree.map(np.asarray, slow_parts(cell, *double))
        scale = max(1.0, *(np.abs(m).max() for m in jax.tree.leaves(expected)))
        compare_parts(j, expected, atol=roundings * scale)


@pytest.mark.usefixtures("float64")
def test_lstm_gate_by_gate_from_the_formula():
    params, inputs, before = read(TANH_LSTM, *arguments(TANH_LSTM, gain=2.0, given=True))
    p, h, c_before = jax.tree.map(np.asarray, (params, before.h, before.c))
    a = {k: inputs @ p[f"W_{k}"] + h @ p[f"U_{k}"] + p[f"bias_{k}"] for k in "ifgo"}
    i, f, o = (1 / (1 + np.exp(-a[k])) for k in "ifo")
    g = np.tanh(a["g"])
    slopes = {"f": c_before * f * (1 - f), "i": g * i * (1 - i), "g": i * (1 - g**2)}
    h_by_c = o[:-1] * (1 - np.tanh(c_before[1:]) ** 2)

    j = jacobians(TANH_LSTM, *arguments(TANH_LSTM, gain=2.0, given=True))

    for k, slope in slopes.items():
        expected = np.einsum("tbi,ji,tbj->tbij", slope[1:], p[f"U_{k}"], h_by_c)
        assert np.abs(expected).max() > 0.01
        close(j.indirect[k][1:], expected)
    close(j.direct, f)


@pytest.mark.usefixtures("float64")
def test_total_and_state_are_central_differences():
    params, inputs, before = read(TANH_LSTM, *arguments(TANH_LSTM, given=True))
    t, ε = 3, 1e-5
    h, c = before.h[t], before.c[t]
    o = h / np.tanh(c)

    def step(h, c):
        return np.asarray(TANH_LSTM.step(params, TANH_LSTM.State(h, c), inputs[t]))

    def difference(nudged):
        return (nudged(ε) - nudged(-ε)) / (2 * ε)

    j = jacobians(TANH_LSTM, *arguments(TANH_LSTM, given=True))
    for unit, e in enumerate(np.eye(HIDDEN)):
        _, total = difference(lambda δ, e=e: step(o * np.tanh(c + δ * e), c + δ * e))
        close(j.total[t, :, :, unit], total, atol=1e-8)
        by_h = difference(lambda δ, e=e: step(h + δ * e, c))
        by_c = difference(lambda δ, e=e: step(h, c + δ * e))
        close(j.state[t, :, :, unit], np.concatenate(by_h, axis=-1), atol=1e-8)
        close(j.state[t, :, :, HIDDEN + unit], np.concatenate(by_c, axis=-1), atol=1e-8)


# Stacks


def layers_one_by_one(cell, params, inputs, state):
    """Cell and arguments of each layer by itself."""
    if cell.layers == 1:
        params, state = (params,), jax.tree.map(lambda s: s[None], state)
    one = cell.model_copy(update={"layers": 1})
    for index, own_params in enumerate(params):
        own_state = None if state is None else jax.tree.map(lambda s, i=index: s[i], state)
        yield one, own_params, inputs, own_state
        inputs = unroll(one, own_params, inputs, own_state).h


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("cell", "given"), list(zip(STACKS, (False, True, False), strict=True)))
def test_each_layer_of_a_stack_is_a_layer_by_itself(cell, given):
    at = arguments(cell, given=given)
    j = parts(cell, *at)
    for layer, alone in enumerate(layers_one_by_one(cell, *at)):
        jax.tree.map(close, jax.tree.map(lambda m, i=layer: m[i], j), parts(*alone))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("cell", "given"), [(STACKS[0], True), (STACKS[1], False), (TANH_LSTM, True)]
)
def test_stack_is_that_of_one_step_of_all_layers(cell, given):
    alone = list(layers_one_by_one(cell, *(at := arguments(cell, given=given))))
    before = jnp.stack([jnp.stack(read(*layer)[2], axis=-2) for layer in alone], axis=-3)

    def step(before, x):
        after, x = [], x[None]
        for (one, params, _, _), parts in zip(alone, before, strict=True):
            after.append(one.step(params, one.State(*parts[:, None]), x))
            x = after[-1].h
        return jnp.array(after)[:, :, 0]

    expected = jax.jit(jax.vmap(jax.vmap(jax.jacfwd(step))))(before, at[1])
    size = cell.layers * len(cell.State._fields) * HIDDEN
    close(jacobians(cell, *at).stack, expected.reshape(TIME, BATCH, size, size))


# Summary


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("cell", [RNN, TANH_LSTM, STACKS[2]])
def test_summary_is_made_of_the_matrices(cell):
    j = jacobians(cell, *arguments(cell, given=True))
    rows = j.summary(spectral_radius=True)
    matrices = jax.tree.map(np.asarray, {"total": j.total, **j.indirect})
    matrices["indirect"] = sum(matrices[k] for k in j.indirect)
    if cell.direct:
        matrices["direct"] = diagonal(np.asarray(j.direct))

    expected = dict(
        zip(("layer", "t", "example"), np.indices((cell.layers, TIME, BATCH)), strict=True)
    )
    for part, matrix in matrices.items():
        expected[f"{part}_spectral"] = np.linalg.svd(matrix, compute_uv=False)[..., 0]
        expected[f"{part}_frobenius"] = np.linalg.norm(matrix, axis=(-2, -1)) / HIDDEN**0.5
    expected["share"] = expected["indirect_frobenius"] / expected["total_frobenius"]
    expected["spectral_radius"] = np.abs(np.linalg.eigvals(j.state)).max(axis=-1)
    assert set(rows) == set(expected)
    for name, column in expected.items():
        close(rows[name], column.ravel())
    assert set(j.summary()) == set(expected) - {"spectral_radius"}


def test_sizes_of_small_matrices_do_not_read_zero_in_float32():
    params, inputs, _ = arguments(RNN, gain=1e-25)
    row = jacobians(RNN, params, 0 * inputs).summary().iloc[0]
    slope = 1 - np.tanh(np.float64(params["bias_h"])) ** 2
    expected = 1e-25 * np.linalg.norm(slope) / HIDDEN**0.5
    np.testing.assert_allclose(row["total_frobenius"], expected, rtol=1e-5)
    np.testing.assert_allclose(row["share"], 1.0, rtol=1e-5)


@pytest.mark.default_flags
def test_summary_stores_no_matrices():
    def temporaries(time):
        params, inputs, _ = arguments(TANH_LSTM, time=time)
        tapes, _ = record_tapes(TANH_LSTM, params, inputs)
        compiled = jacobian._sizes.lower(TANH_LSTM, tapes, True).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    assert temporaries(1000) - temporaries(100) < 900 * BATCH * HIDDEN


# What is refused


def test_a_cell_without_direct_path_says_why():
    j = jacobians(RNN, *arguments(RNN))
    with pytest.raises(ValueError, match=r"VanillaRNN has no direct path: h_t depends on h_t−1 on"):
        _ = j.direct


def test_inputs_of_another_number_of_features():
    params, _, _ = arguments(TANH_LSTM)
    with pytest.raises(ValueError, match="inputs have 3 features, and W_i is made for 2"):
        jacobians(TANH_LSTM, params, jnp.ones((TIME, BATCH, 3)))


@pytest.mark.parametrize("shape", [(TIME, FEATURES), (1, TIME, BATCH, FEATURES), (0, 3, FEATURES)])
def test_inputs_of_another_rank(monkeypatch, shape):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    params, _, _ = arguments(TANH_LSTM)
    with pytest.raises(ValueError, match=r"inputs must be \(time, batch, features\), got shape"):
        jacobians(TANH_LSTM, params, jnp.ones(shape))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_named(value):
    params, inputs, _ = arguments(TANH_LSTM)
    spoilt = params | {"U_f": params["U_f"].at[0, 1].set(value)}
    with pytest.raises(ValueError, match=r"params\['U_f'\]: 1 of 16 numbers are NaN or infinite$"):
        jacobians(TANH_LSTM, spoilt, inputs)
    with pytest.raises(ValueError, match=r"inputs: 2 of 30 numbers are NaN or infinite$"):
        jacobians(TANH_LSTM, params, inputs.at[1, :2, 0].set(value))


@pytest.mark.parametrize("cell", [RNN_RELU, RELU_LSTM])
def test_states_that_overflow(cell):
    with pytest.raises(ValueError, match=r"states\.h: \d+ of 60 numbers are .* states overflow"):
        jacobians(cell, *arguments(cell, gain=1e12))
