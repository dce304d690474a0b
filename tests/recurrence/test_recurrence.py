import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from rnnlab import GRU, LSTM, HiddenState, VanillaRNN, unroll
from rnnlab.cells import Cell
from rnnlab.recurrence.stack import unroll_observed

TIME, BATCH, FEATURES, HIDDEN = 7, 5, 4, 6

CELLS = [
    VanillaRNN(hidden=HIDDEN),
    VanillaRNN(hidden=HIDDEN, layers=3, activation="relu", input_kernel="uniform"),
    LSTM(hidden=HIDDEN, layers=2, forget_bias=3.0, input_bias="tied"),
    LSTM(hidden=HIDDEN, activation="relu", forget_bias="chrono", t_max=20),
    GRU(hidden=HIDDEN, layers=2, update_bias=1.0),
    GRU(hidden=HIDDEN, layers=3, reset="before", update_bias="chrono", t_max=20),
]


def normal(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape)


def random_state(cell):
    leading = () if cell.layers == 1 else (cell.layers,)
    parts = range(len(cell.State._fields))
    return cell.State(*(normal(n, *leading, BATCH, HIDDEN) for n in parts))


def loop(cell, params, inputs, initial_state=None):
    """Observed values [layer][time][name], by a Python loop over layers and time."""
    layers = params if cell.layers > 1 else (params,)
    if initial_state is not None and cell.layers == 1:
        initial_state = jax.tree.map(lambda a: a[None], initial_state)
    observed = []
    for index, layer_params in enumerate(layers):
        state = cell.initial_state(BATCH)
        if initial_state is not None:
            state = cell.State(*(part[index] for part in initial_state))
        observed.append([])
        for x in inputs:
            seen = {}
            state = cell.step(layer_params, state, x, lambda k, v, s=seen: s.setdefault(k, v))
            observed[-1].append(seen | state._asdict())
        inputs = [seen["h"] for seen in observed[-1]]
    return observed


def stacked(observed, name):
    return np.array([[seen[name] for seen in layer] for layer in observed])


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-13)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_unroll_is_a_loop_over_layers_and_time(cell, given):
    params = cell.init(jax.random.key(1), FEATURES)
    inputs = normal(2, TIME, BATCH, FEATURES)
    initial_state = random_state(cell) if given else None

    states = unroll(cell, params, inputs, initial_state)

    observed = loop(cell, params, inputs, initial_state)
    for name in cell.State._fields:
        expected = stacked(observed, name)
        close(getattr(states, name), expected if cell.layers > 1 else expected[0])


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("cell", [CELLS[3], CELLS[4]])
def test_collect_keeps_what_it_makes_of_each_observed_value(cell):
    params = cell.init(jax.random.key(1), FEATURES)
    inputs = normal(2, TIME, BATCH, FEATURES)
    collect = {gate: lambda value: value.max(-1) for gate in cell.gates}

    unrolled = unroll_observed(cell, params, inputs, collect=collect)

    observed = loop(cell, params, inputs)
    close(unrolled.states.h, stacked(observed, "h"))
    assert unrolled.collected.keys() == set(cell.gates)
    for gate in cell.gates:
        close(unrolled.collected[gate], stacked(observed, gate).max(-1))


# What is refused


@pytest.mark.parametrize("shape", [(TIME, FEATURES), (TIME,), (1, TIME, BATCH, FEATURES)])
def test_inputs_of_another_rank(monkeypatch, shape):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    cell = LSTM(hidden=HIDDEN)
    params = cell.init(jax.random.key(0), FEATURES)
    with pytest.raises(ValueError, match=r"\(time, batch, features\), got shape"):
        unroll(cell, params, jnp.ones(shape))


@pytest.mark.parametrize(("made_for", "used_with"), [(1, 2), (2, 1), (2, 3)])
def test_parameters_of_another_number_of_layers(made_for, used_with):
    params = LSTM(hidden=HIDDEN, layers=made_for).init(jax.random.key(0), FEATURES)
    with pytest.raises(ValueError, match=rf"{made_for} layer\(s\), the cell has {used_with}"):
        unroll(LSTM(hidden=HIDDEN, layers=used_with), params, jnp.ones((TIME, BATCH, FEATURES)))


@pytest.mark.parametrize("layers", [1, 3])
def test_initial_state_of_another_number_of_layers(layers):
    cell = LSTM(hidden=HIDDEN, layers=2)
    params = cell.init(jax.random.key(0), FEATURES)
    state = random_state(cell.model_copy(update={"layers": 3}))
    with pytest.raises(ValueError, match="initial_state"):
        unroll(
            cell,
            params,
            jnp.ones((TIME, BATCH, FEATURES)),
            jax.tree.map(lambda part: part[:layers], state),
        )


class Summing(Cell):
    def init(self, key, input_size):
        return {}

    def step(self, params, state, x, observe=lambda name, value: value):
        return HiddenState(observe("h", state.h + x.sum(-1, keepdims=True)))


class ObservingTwice(Summing):
    def step(self, params, state, x, observe=lambda name, value: value):
        return HiddenState(observe("h", observe("h", state.h)))


def test_user_defined_cell():
    inputs = jnp.ones((TIME, BATCH, FEATURES))
    h = unroll(Summing(hidden=HIDDEN), {}, inputs).h
    np.testing.assert_array_equal(h[:, 2, 3], FEATURES * np.arange(1, TIME + 1))


def test_cell_that_observes_a_name_twice():
    with pytest.raises(ValueError, match=r"ObservingTwice\.step observes 'h' twice"):
        unroll(ObservingTwice(hidden=HIDDEN), {}, jnp.ones((TIME, BATCH, FEATURES)))


def test_collect_of_what_the_cell_does_not_observe():
    inputs = jnp.ones((TIME, BATCH, FEATURES))
    with pytest.raises(ValueError, match=r"Summing\.step does not observe f"):
        unroll_observed(Summing(hidden=HIDDEN), {}, inputs, collect={"f": jnp.mean})
