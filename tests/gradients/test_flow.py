from functools import partial

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from rnnlab import GRU, LSTM, LSTMState, VanillaRNN, gradient_flow

TIME, BATCH, FEATURES, HIDDEN = 7, 5, 4, 6


def normal(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape)


def of_last_step(h):
    return (h[-1] ** 2).sum(-1)


def of_all_steps(h):
    return weighted(h, normal(3, TIME, HIDDEN))


def weighted(h, weights):
    return jnp.einsum("tbn,tn->b", jnp.sin(h), weights)


def arguments(cell, given=False):
    """Parameters with no bias at zero, inputs, and the initial state where it is given."""
    params = cell.init(jax.random.key(0), FEATURES)
    params = jax.tree.map(lambda leaf: leaf + 0.1 * normal(leaf.size, *leaf.shape), params)
    leading = () if cell.layers == 1 else (cell.layers,)
    parts = range(len(cell.State._fields))
    state = cell.State(*(normal(10 + n, *leading, BATCH, HIDDEN) for n in parts))
    return params, normal(1, TIME, BATCH, FEATURES), state if given else None


def split_layers(cell, params, initial_state):
    layers = params if cell.layers > 1 else (params,)
    if initial_state is None:
        return [(p, cell.initial_state(BATCH)) for p in layers]
    if cell.layers == 1:
        return [(params, initial_state)]
    return [(p, cell.State(*(s[i] for s in initial_state))) for i, p in enumerate(layers)]


def with_layer_axis(cell, array):
    return array if cell.layers > 1 else array[None]


@partial(jax.jit, static_argnums=0)
def step_back(cell, params, before, x, adjoint):
    """Adjoints of one step's parameters, previous state and input from that of its state."""
    return jax.vjp(cell.step, params, before, x)[1](adjoint)


def through_h(cell, params, h_before, x, c, adjoint_h):
    """The part of ∂L/∂c_t that passes through h_t = o_t ⊙ φ(c_t)."""
    o = jax.nn.sigmoid(x @ params["W_o"] + h_before @ params["U_o"] + params["bias_o"])
    slope = 1 - jnp.tanh(c) ** 2 if cell.activation == "tanh" else (c > 0)
    return adjoint_h * o * slope


def slow_flow(cell, params, inputs, loss, initial_state):
    """Losses, parameter gradients and adjoints [layer][name][time], one step at a time."""
    layers = split_layers(cell, params, initial_state)
    step = jax.jit(cell.step)
    xs, tapes = list(inputs), []
    for layer_params, state in layers:
        tapes.append([])
        for x in xs:
            tapes[-1].append((state, x, state := step(layer_params, state, x)))
        xs = [state.h for _, _, state in tapes[-1]]

    losses, pull_loss = jax.vjp(loss, jnp.stack(xs))
    (from_above,) = pull_loss(jnp.ones(BATCH))
    gradients, adjoints = [], []
    for (layer_params, state), tape in zip(reversed(layers), reversed(tapes), strict=True):
        from_above = list(from_above)
        from_next = jax.tree.map(jnp.zeros_like, state)
        gradient = jax.tree.map(jnp.zeros_like, layer_params)
        adjoint = {name: [None] * TIME for name in cell.State._fields}
        for t in reversed(range(TIME)):
            before, x, state = tape[t]
            here = from_next._replace(h=from_next.h + from_above[t])
            adjoint["h"][t] = here.h
            if "c" in adjoint:
                via_h = through_h(cell, layer_params, before.h, x, state.c, here.h)
                adjoint["c"][t] = here.c + via_h
            of_step, from_next, from_above[t] = step_back(cell, layer_params, before, x, here)
            gradient = jax.tree.map(jnp.add, gradient, of_step)
        gradients.insert(0, gradient)
        adjoints.insert(0, adjoint)
    return losses, tuple(gradients), adjoints


def close(actual, expected, rtol=1e-9, atol=1e-12):
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol)


CELLS = [
    VanillaRNN(hidden=HIDDEN, layers=2, recurrent_gain=1.5),
    VanillaRNN(hidden=HIDDEN, activation="relu", recurrent_kernel="identity"),
    LSTM(hidden=HIDDEN),
    LSTM(hidden=HIDDEN, layers=3, forget_bias=3.0, input_bias="tied", input_kernel="orthogonal"),
    LSTM(hidden=HIDDEN, layers=2, activation="relu", forget_bias="chrono", t_max=20),
    GRU(hidden=HIDDEN, layers=3, update_bias=1.0, recurrent_kernel="uniform"),
    GRU(hidden=HIDDEN, reset="before", update_bias="chrono", t_max=20, input_kernel="lecun"),
]


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("cell", "given"), [(cell, number % 2 == 1) for number, cell in enumerate([*CELLS, CELLS[2]])]
)
def test_flow_is_that_of_one_vjp_a_step(cell, given):
    params, inputs, initial_state = arguments(cell, given)

    @jax.jit
    def fast_flow(weights):
        return gradient_flow(
            cell, params, inputs, partial(weighted, weights=weights), initial_state
        )

    all_steps = normal(3, TIME, HIDDEN)
    last_step = all_steps.at[:-1].set(0)
    for weights in (all_steps, last_step):
        flow = fast_flow(weights)
        losses, gradients, adjoints = slow_flow(
            cell, params, inputs, partial(weighted, weights=weights), initial_state
        )
        close(flow.loss, losses)
        jax.tree.map(close, flow.params, gradients if cell.layers > 1 else gradients[0])
        assert flow.log10_norm.keys() == set(cell.State._fields)
        for name, norms in flow.log10_norm.items():
            adjoint = np.array([layer[name] for layer in adjoints])
            close(with_layer_axis(cell, norms), np.log10(np.linalg.norm(adjoint, axis=-1)))


def perturbed_losses(cell, params, inputs, loss, δ):
    """The losses with δ[name] (layers, time, 1, hidden) added to the named values."""
    xs = list(inputs)
    for layer, (layer_params, state) in enumerate(split_layers(cell, params, None)):
        hs = []
        for t, x in enumerate(xs):
            δ_t = {name: values[layer, t] for name, values in δ.items()}
            state = cell.step(layer_params, state, x, lambda k, v, δ_t=δ_t: v + δ_t.get(k, 0))
            hs.append(state.h)
        xs = hs
    return loss(jnp.stack(xs))


def central_difference(f, ε=1e-5):
    return (f(ε) - f(-ε)) / (2 * ε)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("cell", "loss"),
    [
        (VanillaRNN(hidden=HIDDEN), of_all_steps),
        (LSTM(hidden=HIDDEN, layers=2), of_all_steps),
        (LSTM(hidden=HIDDEN, forget_bias=3.0), of_last_step),
        (GRU(hidden=HIDDEN), of_last_step),
        (GRU(hidden=HIDDEN, reset="before"), of_all_steps),
    ],
)
def test_adjoints_are_central_differences(cell, loss):
    params, inputs, _ = arguments(cell)
    norms = gradient_flow(cell, params, inputs, loss).log10_norm
    losses = jax.jit(jax.vmap(partial(perturbed_losses, cell, params, inputs, loss)))

    shape = (cell.layers, TIME, HIDDEN)
    one_at_a_time = jnp.eye(np.prod(shape)).reshape(-1, cell.layers, TIME, 1, HIDDEN)
    nowhere = {name: jnp.zeros_like(one_at_a_time) for name in cell.State._fields}
    for name in cell.State._fields:
        adjoint = central_difference(
            lambda ε, name=name: losses(nowhere | {name: ε * one_at_a_time})
        ).reshape(*shape, BATCH)
        expected = np.log10(np.linalg.norm(adjoint, axis=2))
        close(with_layer_axis(cell, norms[name]), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("cell", [CELLS[0], CELLS[3], CELLS[4], CELLS[5], CELLS[6]])
def test_parameter_gradients_are_central_differences(cell):
    params, inputs, initial_state = arguments(cell, given=True)
    flow = jax.jit(lambda p: gradient_flow(cell, p, inputs, of_all_steps, initial_state))
    leaves, tree = jax.tree.flatten(params)
    for number, gradient in enumerate(jax.tree.leaves(flow(params).params)):
        direction = normal(number, *gradient.shape)

        def moved(ε, number=number, direction=direction):
            at = [*leaves]
            at[number] = at[number] + ε * direction
            return flow(jax.tree.unflatten(tree, at)).loss.sum()

        close((gradient * direction).sum(), central_difference(moved), rtol=1e-6, atol=1e-7)


def without_recurrence(time):
    """log10‖∂L/∂c_t‖ (time, batch) as a function of b_f, where U = 0 and W_f = 0."""
    cell = LSTM(hidden=HIDDEN)
    params = cell.init(jax.random.key(0), FEATURES)
    params |= {name: jnp.zeros_like(params[name]) for name in params if name[0] == "U"}
    params["W_f"] = jnp.zeros_like(params["W_f"])
    inputs = normal(1, time, BATCH, FEATURES)

    def log10_norm(b_f):
        at = params | {"bias_f": jnp.full(HIDDEN, b_f)}
        return gradient_flow(cell, at, inputs, of_last_step).log10_norm["c"]

    return log10_norm


@pytest.mark.usefixtures("float64")
def test_adjoint_decays_by_the_forget_gate_where_nothing_recurs():
    b_f = jnp.array([-2.0, 0.0, 1.0, 2.0, 3.0, 5.0])
    norms = jax.vmap(without_recurrence(time=90))(b_f)
    per_step = np.diff(norms, axis=1)
    σ = 1 / (1 + np.exp(-b_f))
    close(per_step, np.broadcast_to(-np.log10(σ)[:, None, None], per_step.shape))


def test_adjoints_far_below_the_smallest_float32_square_are_finite():
    norms = jax.jit(without_recurrence(time=90))(0.0)
    assert norms.dtype == jnp.float32
    steps_to_the_end = np.arange(89, -1, -1)[:, None]
    np.testing.assert_allclose(norms, norms[-1] - steps_to_the_end * np.log10(2), atol=1e-4)
    assert norms[0].max() < -25


def test_a_loss_of_1e_25_has_the_flow_of_the_loss_25_decades_lower():
    params, inputs, _ = arguments(cell := LSTM(hidden=HIDDEN))

    @jax.jit
    def norms(scale):
        return gradient_flow(cell, params, inputs, lambda h: scale * of_last_step(h)).log10_norm

    for at_1, at_1e_25 in zip(norms(1.0).values(), norms(1e-25).values(), strict=True):
        assert at_1e_25.dtype == jnp.float32
        np.testing.assert_allclose(at_1e_25, at_1 - 25, atol=1e-4)


def test_steps_after_the_one_that_the_loss_reads_have_no_adjoint():
    params, inputs, _ = arguments(cell := LSTM(hidden=HIDDEN))
    norms = gradient_flow(cell, params, inputs, lambda h: h[2].sum(-1)).log10_norm
    for name in ("h", "c"):
        assert np.isfinite(norms[name][:3]).all()
        assert (norms[name][3:] == -np.inf).all()


# What is refused


@pytest.mark.parametrize(
    "loss",
    [
        lambda h: h.sum(),
        lambda h: h[-1],
        lambda h: h.sum((1, 2)),
        lambda h: h[-1].sum(-1, keepdims=True),
    ],
)
def test_loss_that_is_not_one_value_per_example(loss):
    params, inputs, _ = arguments(cell := GRU(hidden=HIDDEN))
    with pytest.raises(ValueError, match=rf"one value per example, shape \({BATCH},\), got shape"):
        gradient_flow(cell, params, inputs, loss)


class HidingItsC(LSTM):
    def step(self, params, state, x, observe=lambda name, value: value):
        return LSTM.step(self, params, state, x, lambda k, v: v if k == "c" else observe(k, v))


class ObservingTwice(LSTM):
    def step(self, params, state, x, observe=lambda name, value: value):
        h, c = LSTM.step(self, params, state, x, observe)
        return LSTMState(h, observe("c", c))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (HidingItsC(hidden=HIDDEN), r"HidingItsC\.step does not observe c: write c = observe"),
        (ObservingTwice(hidden=HIDDEN), r"ObservingTwice\.step observes 'c' twice"),
    ],
)
def test_cell_that_does_not_observe_each_part_of_its_state_once(cell, message):
    params, inputs, _ = arguments(cell)
    with pytest.raises(ValueError, match=message):
        gradient_flow(cell, params, inputs, of_last_step)


def test_inputs_of_another_rank(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    params, inputs, _ = arguments(cell := LSTM(hidden=HIDDEN))
    with pytest.raises(ValueError, match=r"\(time, batch, features\), got shape"):
        gradient_flow(cell, params, inputs[:, 0], of_last_step)


def test_parameters_of_another_number_of_layers():
    params, inputs, _ = arguments(cell := LSTM(hidden=HIDDEN, layers=2))
    with pytest.raises(ValueError, match=r"2 layer\(s\), the cell has 1"):
        gradient_flow(cell.model_copy(update={"layers": 1}), params, inputs, of_last_step)


@pytest.mark.default_flags
@pytest.mark.usefixtures("float64")
def test_a_shape_that_jaxlib_0_10_miscompiles_for_avx_512():
    cell = LSTM(hidden=5)
    params = cell.init(jax.random.key(0), input_size=2)
    inputs = jax.random.normal(jax.random.key(1), (5, 64, 2))[:, :4]

    def loss(h):
        return (h[-1] ** 2).sum(-1)

    compiled = gradient_flow(cell, params, inputs, loss)
    with jax.disable_jit():
        expected = gradient_flow(cell, params, inputs, loss)
    for one, other in zip(jax.tree.leaves(compiled), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
