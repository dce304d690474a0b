"""Against plain automatic differentiation of the last state, and numpy products of matrices."""

import itertools
import re
from functools import partial
from pathlib import Path
from typing import ClassVar

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from rnnlab import GRU, LSTM, Cell, HiddenState, VanillaRNN, affine, jacobians, sensitivity, unroll

TIME, BATCH, FEATURES, HIDDEN = 7, 3, 4, 5
EXTENDING = Path(__file__).parents[2] / "docs" / "extending.md"


def normal(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape)


def arguments(cell, time=TIME):
    """Parameters with random biases, inputs and an initial state."""
    params = cell.init(jax.random.key(0), FEATURES)
    leaves, tree = jax.tree.flatten(params)
    leaves = [v + normal(n, *v.shape) * (v.ndim == 1) for n, v in enumerate(leaves)]
    shape = (BATCH, HIDDEN) if cell.layers == 1 else (cell.layers, BATCH, HIDDEN)
    state = cell.State(*(normal(100 + n, *shape) for n in range(len(cell.State._fields))))
    return jax.tree.unflatten(tree, leaves), normal(99, time, BATCH, FEATURES), state


def layer_of(tree, index):
    return jax.tree.map(lambda leaf: leaf[index], tree)


def last_state(cell, layers, xs, δ):
    """The top layer's last state, with δ[part][layer, t] added where that part is computed."""
    for index, (params, state) in enumerate(layers):

        def step(state, read, params=params):
            x, nudge = read
            state = cell.step(params, state, x, lambda name, v: v + nudge.get(name, 0))
            return state, state.h

        state, xs = jax.lax.scan(step, state, (xs, layer_of(δ, index)))
    return state


@partial(jax.jit, static_argnums=0)
def matrices(cell, params, inputs, state):
    """∂of_T/∂to_t as [of][to], (batch, hidden, layers, time, hidden), through the whole stack."""
    if cell.layers == 1:
        params, state = (params,), jax.tree.map(lambda s: s[None], state)

    def of_example(x, state):
        layers = [(p, layer_of(state, index)) for index, p in enumerate(params)]
        δ = dict.fromkeys(cell.State._fields, jnp.zeros((cell.layers, len(x), cell.hidden)))
        return layer_of(jax.jacfwd(lambda δ: last_state(cell, layers, x[:, None], δ))(δ), 0)

    state = jax.tree.map(lambda s: s[..., None, :], state)
    return jax.vmap(of_example, in_axes=(1, 1))(inputs, state)


def autodiff(*args):
    """log10‖∂of_T/∂to_t‖₂ as [of][to], arrays (layers, time, batch)."""
    return {
        of: {to: log10_size(np.moveaxis(m, (0, 1), (2, 3))) for to, m in by.items()}
        for of, by in matrices(*args)._asdict().items()
    }


def log10_size(matrices):
    with np.errstate(divide="ignore"):
        return np.log10(np.linalg.norm(matrices, ord=2, axis=(-2, -1)))


def products(factors):
    """factors[T − 1] ⋯ factors[t + 1] for every t; the identity at T − 1."""
    P = [np.eye(factors.shape[-1])]
    for J in factors[:0:-1]:
        P.insert(0, P[0] @ J)
    return np.array(P)


def product_sizes(factors):
    return np.transpose([log10_size(products(J)) for J in np.moveaxis(factors, 1, 0)])


def matrix_formula(cell, params, inputs, state, keep=slice(None)):
    """log10 of P_cc + P_ch diag(o ⊙ (1 − tanh² c)), and of P_cc alone."""
    h, c = (np.array(s[keep]) for s in unroll(cell, params, inputs, state))
    J = np.array(jacobians(cell, params, inputs, state).state[keep])
    slope, n = h / np.tanh(c) * (1 - np.tanh(c) ** 2), cell.hidden
    sizes = []
    for example in range(BATCH):
        P = products(J[:, example])
        cc, ch = P[:, n:, n:], P[:, n:, :n]
        sizes.append([log10_size(cc + ch * slope[:, example, None, :]), log10_size(cc)])
    return np.moveaxis(sizes, 0, -1)


def close(actual, expected, atol=1e-9):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


def by_layer(cell, array):
    return np.asarray(array if cell.layers > 1 else array[None])


class Linear(Cell):
    """h_t = x_t W + h_{t−1} U + bias, with no direct path."""

    def init(self, key, input_size):
        shapes = {"W_h": (input_size, self.hidden), "U_h": (self.hidden, self.hidden)}
        kernels = {name: jax.random.normal(key, shape) for name, shape in shapes.items()}
        return kernels | {"bias_h": jnp.zeros(self.hidden)}

    def step(self, params, state, x, observe=lambda name, value: value):
        return HiddenState(observe("h", affine(params, "h", x, state.h)[0]))


class Gated(Linear):
    """h_t = k ⊙ h_{t−1} + tanh(a), k = σ(a), a = x_t W + h_{t−1} U + bias."""

    direct: ClassVar = "k"

    def step(self, params, state, x, observe=lambda name, value: value):
        (a,) = affine(params, "h", x, state.h)
        k = observe("k", jax.nn.sigmoid(a))
        return HiddenState(observe("h", k * state.h + jnp.tanh(a)))


of_the_docs = {"__name__": "peephole"}
exec(re.search(r"```python\n(.*?)```", EXTENDING.read_text("utf-8"), re.DOTALL)[1], of_the_docs)
Peephole = of_the_docs["Peephole"]

LSTMS = [
    LSTM(hidden=HIDDEN, recurrent_gain=0.1, forget_bias=-1.0),
    LSTM(hidden=HIDDEN, recurrent_gain=1.0),
    LSTM(hidden=HIDDEN, recurrent_gain=2.0),
]
CELLS = [
    *LSTMS,
    LSTM(hidden=HIDDEN, activation="relu", recurrent_kernel="uniform"),
    LSTM(hidden=HIDDEN, layers=3, recurrent_gain=2.0),
    Peephole(hidden=HIDDEN),
    GRU(hidden=HIDDEN, recurrent_gain=2.0),
    GRU(hidden=HIDDEN, reset="before"),
    GRU(hidden=HIDDEN, layers=2, recurrent_gain=0.1, recurrent_kernel="uniform"),
    Gated(hidden=HIDDEN),
    Linear(hidden=HIDDEN),
    VanillaRNN(hidden=HIDDEN, recurrent_gain=2.0),
    VanillaRNN(hidden=HIDDEN, activation="relu", layers=2, recurrent_kernel="uniform"),
]
each_cell = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: type(cell).__name__)


def layers_alone(cell, params, inputs, state):
    """Arguments of a one-layer cell for each layer, its inputs as in the stack."""
    if cell.layers == 1:
        return [(cell, params, inputs, state)]
    alone = cell.model_copy(update={"layers": 1})
    read = [inputs, *unroll(cell, params, inputs, state).h[:-1]]
    return [(alone, p, read[n], layer_of(state, n)) for n, p in enumerate(params)]


@pytest.mark.usefixtures("float64")
@each_cell
def test_total_is_that_of_automatic_differentiation(cell):
    args = arguments(cell)
    stack = autodiff(cell, *args)
    alone = [autodiff(*of_layer) for of_layer in layers_alone(cell, *args)]
    pairs = itertools.product(cell.State._fields, repeat=2)
    for of, to in pairs if cell.layers == 1 else [(cell.carry, cell.carry), ("h", cell.carry)]:
        s = sensitivity(cell, *args[:2], of, to, args[2])
        close(by_layer(cell, s.log10_stack), stack[of][to])
        close(by_layer(cell, s.log10_total), [layer[of][to][0] for layer in alone])
        last = by_layer(cell, s.log10_total)[:, -1]
        assert of != to or np.abs(last).max() < 1e-14
        assert (of, to) != ("c", "h") or (last == -np.inf).all()
        is_carry = of == to == cell.carry
        assert (s.log10_direct is not None) == (is_carry and cell.direct is not None)
        assert (s.log10_cell_product is not None) == is_carry


@pytest.mark.usefixtures("float64")
@each_cell
def test_approximations_are_products_of_the_one_step_jacobians(cell):
    args = arguments(cell)
    s = sensitivity(cell, *args[:2], initial_state=args[2])
    j = jacobians(cell, *args)
    expected = [product_sizes(total) for total in by_layer(cell, j.total)]
    close(by_layer(cell, s.log10_cell_product), expected)
    if cell.carry == "h":
        np.testing.assert_array_equal(s.log10_cell_product, s.log10_total)
    if cell.direct is not None:
        gates, direct = by_layer(cell, j.direct), by_layer(cell, s.log10_direct)
        for t in range(TIME):
            close(direct[:, t], np.log10(np.prod(gates[:, t + 1 :], axis=1).max(axis=-1)))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("cell", LSTMS, ids=lambda cell: f"gain {cell.recurrent_gain}")
def test_total_is_the_matrix_formula_and_the_parts_of_it_are_not(cell):
    args = arguments(cell, time=25)
    s = sensitivity(cell, *args[:2], initial_state=args[2])
    total, held_h = matrix_formula(cell, *args)
    close(s.log10_total, total)
    if cell.recurrent_gain >= 1:
        for other in (held_h, s.log10_cell_product):
            assert np.abs(10 ** (other - total) - 1).max() > 0.01


@pytest.mark.usefixtures("float64")
def test_cell_product_is_exact_where_the_output_gate_does_not_hear_h():
    params, inputs, state = arguments(cell := LSTMS[2])
    params["U_o"] = jnp.zeros_like(params["U_o"])
    s = sensitivity(cell, params, inputs, initial_state=state)
    close(s.log10_cell_product, s.log10_total, atol=1e-12)


@pytest.mark.usefixtures("float64")
def test_default_is_the_carry_from_a_state_of_zeros():
    params, inputs, _ = arguments(cell := LSTMS[2])
    explicit = sensitivity(cell, params, inputs, "c", "c", cell.initial_state(BATCH))
    jax.tree.map(np.testing.assert_array_equal, sensitivity(cell, params, inputs), explicit)


@pytest.mark.usefixtures("float64")
def test_decay_is_the_forget_gate_where_nothing_recurs():
    cell, b_f = LSTM(hidden=HIDDEN), np.array([-2.0, 0.0, 1.0, 2.0, 3.0, 5.0])
    params, inputs, _ = arguments(cell, time=400)
    params |= {name: 0 * params[name] for name in params if name[0] == "U" or name == "W_f"}

    @jax.vmap
    def for_bias(b_f):
        return sensitivity(cell, params | {"bias_f": jnp.full(HIDDEN, b_f)}, inputs)

    expected = np.outer(-np.log10(1 + np.exp(-b_f)), np.arange(399, -1, -1))
    for sizes in for_bias(b_f):
        close(sizes, np.broadcast_to(expected[..., None], sizes.shape), atol=1e-8)


def uniform_draw(cell, key, b_f):
    """W, U ~ U(±1/√n), other biases 0, inputs U[0, 1], 60 steps: three sizes at the first."""
    kernels, inputs = jax.random.split(key)
    params = cell.init(key, 2)
    keys = jax.random.split(kernels, len(params))
    for k, (name, leaf) in zip(keys, params.items(), strict=True):
        params[name] = jax.random.uniform(k, leaf.shape, minval=-1, maxval=1) / cell.hidden**0.5
    params |= cell.biases(i=0.0, f=b_f, g=0.0, o=0.0)
    s = sensitivity(cell, params, jax.random.uniform(inputs, (60, 1, 2)))
    return [sizes[0, 0] for sizes in (s.log10_total, s.log10_direct, s.log10_cell_product)]


@pytest.mark.usefixtures("float64")
def test_orders_of_magnitude_by_forget_bias():
    draw = jax.vmap(partial(uniform_draw, LSTM(hidden=32)), in_axes=(0, None))
    keys, b_f = jax.random.split(jax.random.key(0), 8), jnp.array([0.0, 1, 3, 5])
    total, direct, product = np.array(jax.jit(jax.vmap(draw, in_axes=(None, 0)))(keys, b_f))
    close(np.median(total, axis=1), np.log10([1.5e-11, 6.9e-4, 21.7, 47.6]), atol=0.7)
    close(np.median(direct, axis=1), np.log10([4.5e-17, 5.2e-8, 0.125, 0.76]), atol=0.7)
    assert ((total - direct).min(axis=1) > [3.5, 3, 1.3, 1.3]).all()
    assert 0.02 < np.abs(10 ** (product - total) - 1).max() < 0.4


# At any length


def at_both_precisions(cell, params, inputs):
    """Sizes in float32, and in float64 with arguments that are the same numbers."""
    single = sensitivity(cell, params, inputs)
    assert single.log10_total.dtype == jnp.float32
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda leaf: leaf.astype(float), (params, inputs))
        return single, sensitivity(cell, *wide), wide


def assert_same_decades(actual, expected):
    """To a thousandth of a decade, and one more for every 1,000 steps."""
    steps = np.arange(len(expected))[::-1, None]
    assert (np.abs(np.array(actual, float) - np.array(expected)) < 1e-3 + 1e-6 * steps).all()


def test_decay_over_10_000_steps_reads_in_float32_as_in_float64():
    cell = LSTM(hidden=HIDDEN, forget_bias=-2.0)
    params = cell.init(jax.random.key(0), FEATURES)
    inputs = normal(1, 10_000, BATCH, FEATURES)
    single, double, wide = at_both_precisions(cell, params, inputs)
    for sizes, expected in zip(single, double, strict=True):
        assert_same_decades(sizes, expected)
    assert single.log10_total[0].max() < -4000
    with jax.enable_x64(True):
        plain, _ = matrix_formula(cell, *wide, None, keep=slice(-300, None))
    assert plain.min() < -150
    close(double.log10_total[-300:], plain)


@pytest.mark.parametrize(
    "cell", [VanillaRNN(hidden=HIDDEN, recurrent_gain=2.0), Linear(hidden=HIDDEN)]
)
def test_growth_beyond_the_largest_number(cell):
    params, inputs = cell.init(jax.random.key(0), FEATURES), jnp.zeros((3000, BATCH, FEATURES))
    single, double, _ = at_both_precisions(cell, params, inputs)
    power, decades, expected = np.eye(HIDDEN), 0.0, []
    for _ in inputs:
        decades += log10_size(power)
        expected.insert(0, [decades] * BATCH)
        power = np.array(params["U_h"], float) @ (power / 10 ** log10_size(power))
    assert expected[0][0] > 900
    assert_same_decades(single.log10_total, expected)
    close(double.log10_total, expected, atol=1e-8)


@pytest.mark.default_flags
def test_memory_does_not_grow_by_a_matrix_a_step():
    params = (cell := LSTM(hidden=32)).init(jax.random.key(0), FEATURES)

    def size(time):
        inputs = jnp.zeros((time, BATCH, FEATURES))
        compiled = jax.jit(partial(sensitivity, cell)).lower(params, inputs).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    numbers_a_step = (size(400) - size(200)) / 200 / 4
    assert numbers_a_step < BATCH * cell.hidden**2


@pytest.mark.default_flags
@pytest.mark.usefixtures("float64")
def test_compiled_is_as_computed_one_operation_at_a_time():
    params = (cell := LSTM(hidden=5)).init(jax.random.key(0), 2)
    inputs = normal(1, 2, 4, 2)
    compiled = sensitivity(cell, params, inputs)
    with jax.disable_jit():
        expected = sensitivity(cell, params, inputs)
    jax.tree.map(partial(close, atol=1e-12), compiled, expected)


def test_within_a_compiled_function_of_the_parameters():
    params, inputs, _ = arguments(cell := VanillaRNN(hidden=HIDDEN))
    compiled = jax.jit(lambda params: sensitivity(cell, params, inputs).log10_total)
    close(compiled(params), sensitivity(cell, params, inputs).log10_total, atol=1e-5)


# What is refused


@pytest.mark.parametrize(
    ("cell", "parts", "message"),
    [
        (LSTM(hidden=HIDDEN), ("cc", None), r"LSTM has no state 'cc'; did you mean 'c'\? valid:"),
        (GRU(hidden=HIDDEN), (None, "c"), r"GRU has no state 'c'; valid: h"),
    ],
)
def test_part_that_the_state_does_not_have(cell, parts, message):
    with pytest.raises(ValueError, match=message):
        sensitivity(cell, *arguments(cell)[:2], *parts)


def test_inputs_of_another_rank_or_number_of_features(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    params, inputs, _ = arguments(cell := LSTM(hidden=HIDDEN))
    with pytest.raises(ValueError, match=r"\(time, batch, features\), got shape \(7, 4\)"):
        sensitivity(cell, params, inputs[:, 0])
    with pytest.raises(ValueError, match="inputs have 3 features, and W_i is made for 4"):
        sensitivity(cell, params, inputs[..., 1:])


def test_numbers_that_are_not_finite():
    params, inputs, _ = arguments(cell := VanillaRNN(hidden=HIDDEN, layers=2))
    bad = (params[0], params[1] | {"U_h": params[1]["U_h"].at[0, 1].set(jnp.nan)})
    with pytest.raises(ValueError, match=r"params\[1\]\['U_h'\]: 1 of 25 numbers are NaN or inf"):
        sensitivity(cell, bad, inputs)
    with pytest.raises(ValueError, match="inputs: 12 of 84 numbers are NaN or infinite"):
        sensitivity(cell, params, inputs.at[3].set(jnp.inf))
    assert jnp.isnan(jax.jit(partial(sensitivity, cell))(bad, inputs).log10_stack).any()


def test_states_that_overflow():
    params = {"W_h": jnp.eye(1), "U_h": 3 * jnp.eye(1), "bias_h": jnp.zeros(1)}
    with pytest.raises(ValueError, match=r"states\.h: .* infinite; the weights make the states ov"):
        sensitivity(Linear(hidden=1), params, jnp.ones((200, 1, 1)))


def test_a_unit_far_below_another_is_not_lost():
    """The first unit's row is the larger by 2**150 before its gate closes it."""
    cell = LSTM(hidden=2)
    params = jax.tree.map(jnp.zeros_like, cell.init(jax.random.key(0), 1))
    params |= {"W_f": jnp.array([[5.0, 0.0]]), "bias_f": jnp.array([0.0, -2.0])}
    inputs = jnp.concatenate([jnp.full((10, 1, 1), -12.0), jnp.full((60, 1, 1), 2.0)])
    s = sensitivity(cell, params, inputs)
    np.testing.assert_allclose(s.log10_total, s.log10_direct, rtol=0, atol=1e-3)
    assert -64 < s.log10_total[0, 0] < -63
