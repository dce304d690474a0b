"""The fused recurrence and sparse storage against the plain loop: the same values and gradients."""

import copy
import functools
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.extend.core import jaxprs_in_params
from jax.nn import sigmoid

from rnnlab import GRU, LSTM, Cell, HiddenState, LSTMState, VanillaRNN, affine
from rnnlab.config.sweep import load_experiment
from rnnlab.engine.execution import execute
from rnnlab.engine.programs import program_of
from rnnlab.gradients.norms import scaled_squares
from rnnlab.recurrence.products import plan_products
from rnnlab.recurrence.stack import FUSED, PLAIN, Method, unroll_observed
from rnnlab.recurrence.taps import Slot

FEATURES, HIDDEN = 3, 5
FUSED_LOW = Method("fused", "low")
METHODS = [FUSED, Method("plain", "low"), FUSED_LOW]


def normal(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape)


class Own(Cell):
    """A cell of a user's: a gate, kernels of its own."""

    def init(self, key, input_size):
        params = LSTM(hidden=self.hidden).init(key, input_size)
        own = {"V": normal(5, self.hidden, self.hidden), "peep": normal(6, self.hidden)}
        return params | own


class Peephole(Own):
    """Reads a parameter beside ``affine``."""

    State: ClassVar = LSTMState

    def step(self, params, state, x, observe=lambda name, value: value):
        a_i, a_f, a_g, a_o = affine(params, "ifgo", x, state.h)
        f = observe("f", sigmoid(a_f + params["peep"] * state.c))
        c = observe("c", f * state.c + sigmoid(a_i) * jnp.tanh(a_g))
        return LSTMState(observe("h", sigmoid(a_o) * jnp.tanh(c)), c)


class TwiceRead(Own):
    """Reads one kernel through ``affine`` and by itself, and forms a product of its own."""

    def step(self, params, state, x, observe=lambda name, value: value):
        (a_f,) = affine(params, "f", x, state.h)
        (a_g,) = affine(params, "g", jnp.sin(x), jnp.tanh(state.h @ params["V"]))
        f = sigmoid(a_f + params["bias_f"])
        return HiddenState(observe("h", f * state.h + (1 - f) * jnp.tanh(a_g)))


class Copying(Own):
    """Copies its parameters, so that ``affine`` gets an ordinary dict."""

    def step(self, params, state, x, observe=lambda name, value: value):
        (a_g,) = affine(jax.tree.map(lambda p: 2 * p, params), "g", x, state.h)
        (a_f,) = affine({**params}, "f", x)
        return HiddenState(observe("h", jnp.tanh(a_g) * sigmoid(a_f)))


class Nested(Own):
    """Its parameters are not all single arrays."""

    def init(self, key, input_size):
        own = super().init(key, input_size)
        unit = normal(7, self.hidden)
        return own | {"A": {"scale": unit, "unread": unit}, "Z": [unit, normal(8, self.hidden)]}

    def step(self, params, state, x, observe=lambda name, value: value):
        (a_g,) = affine(params, "g", x, state.h)
        a = params["A"]["scale"] * a_g + params["Z"][1]
        return HiddenState(observe("h", jnp.tanh(a)))


class Branching(Own):
    """Asks for a product inside a branch."""

    def step(self, params, state, x, observe=lambda name, value: value):
        def gated():
            return sigmoid(affine(params, "f", x, state.h)[0]) * params["peep"]

        f = jax.lax.cond(x.sum() > 0, gated, lambda: 0.5 * jnp.ones_like(state.h))
        (a_g,) = affine(params, "g", x, state.h)
        return HiddenState(observe("h", f * state.h + (1 - f) * jnp.tanh(a_g)))


class Again(Own):
    """Asks for one product twice, for one of h alone, and computes with weights alone."""

    def step(self, params, state, x, observe=lambda name, value: value):
        first, second = (affine(params, "g", x, state.h)[0] for _ in range(2))
        (a_f,) = affine(params, "f", h=state.h)
        a = first * jnp.cos(second) + x @ jnp.exp(params["W_i"])
        return HiddenState(observe("h", sigmoid(a_f) * jnp.tanh(a)))


class Bare(Own):
    """Forms no product by ``affine`` at all."""

    def step(self, params, state, x, observe=lambda name, value: value):
        a = x @ params["W_g"] + state.h @ params["U_g"] + params["bias_g"]
        return HiddenState(observe("h", jnp.exp(-(a**2)) + params["peep"] / (1 + a**2)))


OWN = (Peephole, TwiceRead, Copying, Nested, Branching, Again, Bare)
CELLS = [
    VanillaRNN(hidden=HIDDEN),
    VanillaRNN(hidden=HIDDEN, activation="relu", layers=2),
    LSTM(hidden=HIDDEN, forget_bias=2.0),
    LSTM(hidden=HIDDEN, activation="relu", layers=2),
    GRU(hidden=HIDDEN),
    GRU(hidden=HIDDEN, layers=2, update_bias=1.0),
    GRU(hidden=HIDDEN, reset="before"),
    *(kind(hidden=HIDDEN) for kind in OWN),
    Peephole(hidden=HIDDEN, layers=2),
]
IDS = [f"{type(c).__name__} {c.layers} {getattr(c, 'reset', '')}".strip() for c in CELLS]


def arguments(cell, time, batch, start=False, features=FEATURES):
    params = cell.init(jax.random.key(0), features)
    params = jax.tree.map(lambda p: p + 0.1 * normal(p.size, *p.shape), params)
    leading = (cell.layers,) if cell.layers > 1 else ()
    shapes = [(*leading, batch, cell.hidden)] * len(cell.State._fields)
    state = cell.State(*(normal(n, *shape) for n, shape in enumerate(shapes)))
    empty = jnp.zeros((cell.layers, time, batch))
    slots = dict.fromkeys(cell.State._fields, Slot(scaled_squares, (empty, empty)))
    return params, normal(1, time, batch, features), state if start else None, slots


def all_of_it(cell, method, reads):
    """Everything that can be looked at, and every gradient of it."""

    def loss(params, inputs, state, slots):
        collect = dict.fromkeys(cell.gates, jnp.mean)
        seen = unroll_observed(cell, params, inputs, state, collect, slots, method)
        parts = {
            "states": jnp.sin(seen.states.h).sum() + (seen.states.h[-1, ::2] ** 2).sum(),
            "final": sum(jnp.sum(part**2) for part in seen.final),
            "collected": sum(jnp.sum(jnp.cos(part)) for part in seen.collected.values()),
            "carry": jnp.sum(getattr(seen.states, cell.carry)[0] ** 3),
        }
        return sum((parts[name] for name in reads), jnp.zeros(())), seen

    return jax.jit(jax.value_and_grad(loss, (0, 1, 2, 3), has_aux=True))


def largest_difference(actual, expected):
    """As a share of each array's largest entry."""

    def of(a, b):
        return np.max(np.abs(a - b), initial=0) / max(np.max(np.abs(b), initial=0), 1e-30)

    return max(jax.tree.leaves(jax.tree.map(of, actual, expected)))


READS = ("states", "final", "collected", "carry")


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("cell", CELLS, ids=IDS)
def test_values_and_gradients_in_float64(cell):
    given_ = arguments(cell, time=11, batch=4, start=True)
    expected = all_of_it(cell, PLAIN, READS)(*given_)
    # The plain loop forms no products, so a cell of one's own is like any other to it.
    for method in (FUSED, FUSED_LOW) if isinstance(cell, Own) else METHODS:
        assert largest_difference(all_of_it(cell, method, READS)(*given_), expected) < 1e-10, method


@pytest.mark.parametrize("cell", CELLS[1:7:2], ids=IDS[1:7:2])
def test_values_and_gradients_in_float32(cell):
    given_ = arguments(cell, time=11, batch=4)
    expected = all_of_it(cell, PLAIN, READS)(*given_)
    for method in METHODS:
        assert largest_difference(all_of_it(cell, method, READS)(*given_), expected) < 1e-5


@pytest.mark.usefixtures("float64")
@settings(deadline=None, max_examples=10, derandomize=True)
@given(
    cell=st.sampled_from(CELLS),
    method=st.sampled_from(METHODS),
    time=st.integers(1, 17),
    batch=st.integers(1, 5),
    hidden=st.integers(2, 6),
    features=st.integers(1, 4),
    start=st.booleans(),
    reads=st.sets(st.sampled_from(READS), min_size=1),
)
def test_any_shape(cell, method, time, batch, hidden, features, start, reads):
    """Cotangents that are there or not; segments that come out even or not."""
    cell = cell.model_copy(update={"hidden": hidden})
    given_ = arguments(cell, time, batch, start, features)
    expected = all_of_it(cell, PLAIN, sorted(reads))(*given_)
    assert largest_difference(all_of_it(cell, method, sorted(reads))(*given_), expected) < 1e-10


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_over_seeds_at_once(method):
    """``vmap`` over parameters and inputs, as a lane of runs on an accelerator."""
    cell = GRU(hidden=HIDDEN)
    lanes = [arguments(cell, time=6, batch=2) for _ in range(3)]
    lanes = [jax.tree.map(lambda a, n=n: a * (1 + n / 4), lane) for n, lane in enumerate(lanes)]
    function = all_of_it(cell, method, READS)
    together = jax.vmap(function)(*jax.tree.map(lambda *a: jnp.stack(a), *lanes))
    apart = jax.tree.map(lambda *a: jnp.stack(a), *(function(*lane) for lane in lanes))
    assert largest_difference(together, apart) < 1e-5


class Untouched(Own):
    """Hands a parameter on as it is."""

    def step(self, params, state, x, observe=lambda name, value: value):
        (a_g,) = affine(params, "g", x, state.h)
        return LSTMState(observe("h", jnp.tanh(a_g)), observe("c", params["C"]))

    State: ClassVar = LSTMState

    def init(self, key, input_size):
        return super().init(key, input_size) | {"C": normal(9, 2, self.hidden)}


@pytest.mark.usefixtures("float64")
def test_a_parameter_that_is_handed_on_as_it_is_has_a_gradient():
    cell = Untouched(hidden=HIDDEN)
    given_ = arguments(cell, time=3, batch=2)
    expected = all_of_it(cell, PLAIN, READS)(*given_)
    assert np.abs(expected[1][0]["C"]).max() > 0
    assert largest_difference(all_of_it(cell, FUSED, READS)(*given_), expected) < 1e-10


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("cell", [LSTM(hidden=HIDDEN), GRU(hidden=HIDDEN), Peephole(hidden=HIDDEN)])
def test_second_derivatives(cell):
    """A Hessian times a vector, by reverse mode twice."""
    params, inputs, _, _ = arguments(cell, time=5, batch=2)
    vector = jax.tree.map(lambda p: normal(p.size, *p.shape), params)

    def product_of(method):
        def loss(params):
            h = unroll_observed(cell, params, inputs, method=method).states.h
            return jnp.sum(jnp.sin(h))

        def along(params):
            gradient = jax.grad(loss)(params)
            return sum(jnp.vdot(gradient[name], vector[name]) for name in params)

        return jax.jit(jax.grad(along))(params)

    assert largest_difference(product_of(FUSED), product_of(PLAIN)) < 1e-10


class Changing(Own):
    """Changes the parameters that it is given."""

    def step(self, params, state, x, observe=lambda name, value: value):
        params["U_g"] = 0.5 * params["U_g"]
        (a_g,) = affine(params, "g", x, state.h)
        return HiddenState(observe("h", jnp.tanh(a_g)))


class ChangingACopy(Own):
    """Changes a copy."""

    def step(self, params, state, x, observe=lambda name, value: value):
        params = copy.copy(params)
        params["U_g"] = 0.5 * params["U_g"]
        (a_g,) = affine(params, "g", x, state.h)
        return HiddenState(observe("h", jnp.tanh(a_g)))


def test_parameters_may_be_changed_in_a_copy_only():
    given_ = arguments(Changing(hidden=HIDDEN), time=3, batch=2)
    with pytest.raises(TypeError, match=r"must not change its params: .*\{\*\*params\}"):
        all_of_it(Changing(hidden=HIDDEN), FUSED, READS)(*given_)
    cell = ChangingACopy(hidden=HIDDEN)
    expected = all_of_it(cell, PLAIN, READS)(*given_)
    assert largest_difference(all_of_it(cell, FUSED, READS)(*given_), expected) < 1e-5


# What makes it fast


def plan(cell, **options):
    params, inputs, _, _ = arguments(cell, time=3, batch=2)
    step = functools.partial(lambda params, state, x, slots: cell.step(params, state, x))
    return plan_products(step, params, cell.initial_state(2), inputs[0], {})


@pytest.mark.parametrize(
    ("cell", "groups", "direct"),
    [
        (VanillaRNN(hidden=HIDDEN), ["h"], ()),
        (LSTM(hidden=HIDDEN), ["ifgo"], ()),
        (GRU(hidden=HIDDEN), ["rzhn", "n"], ()),
        (GRU(hidden=HIDDEN, reset="before"), ["rz", "n"], ()),
        (Peephole(hidden=HIDDEN), ["ifgo"], ("peep",)),
        (TwiceRead(hidden=HIDDEN), ["f", "g"], ("V", "bias_f")),
        (Nested(hidden=HIDDEN), ["g"], ("A", "Z")),
        (Bare(hidden=HIDDEN), [], ("U_g", "W_g", "bias_g", "peep")),
    ],
    ids=lambda x: type(x).__name__ if isinstance(x, Cell) else "",
)
def test_products_are_joined(cell, groups, direct):
    found = plan(cell)
    assert ["".join("".join(call.gates) for call in group) for group in found.groups] == groups
    assert found.direct == direct


def equations(jaxpr, primitive):
    """All of this primitive, also of inner programs."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == primitive:
            yield equation
        for inner in jaxprs_in_params(equation.params):
            yield from equations(inner, primitive)


def loss_of(cell, time, batch, method):
    params, inputs, _, _ = arguments(cell, time, batch)
    return lambda p: unroll_observed(cell, p, inputs, method=method).final.h.sum(), params


def gradient_of(cell, batch):
    """The program."""
    loss, params = loss_of(cell, 7, batch, FUSED)
    return jax.make_jaxpr(jax.grad(loss))(params).jaxpr


def kept(cell, batch):
    """Shapes, without time, of all that the backward loop reads at each step."""
    (loop,) = [s for s in equations(gradient_of(cell, batch), "scan") if s.params["reverse"]]
    constants = loop.params["num_consts"] + loop.params["num_carry"]
    return [v.aval.shape[1:] for v in loop.invars[constants:]]


@pytest.mark.parametrize(
    ("cell", "arrays"),
    [
        (VanillaRNN(hidden=HIDDEN), 1),  # h
        (LSTM(hidden=HIDDEN), 6),  # i, f, g, o, c before, tanh c
        (GRU(hidden=HIDDEN), 5),  # r, z, n, h before, a_hn
    ],
    ids=["rnn", "lstm", "gru"],
)
def test_the_backward_loop_reads_values_only_and_no_kernel_for_each_step(cell, arrays):
    assert kept(cell, batch=2) == [(2, HIDDEN)] * arrays


def test_what_is_made_of_weights_alone_is_not_kept_for_each_step():
    shapes = kept(Again(hidden=HIDDEN), batch=2)
    assert shapes
    assert all(shape[0] == 2 for shape in shapes)


def test_every_product_is_in_full_precision():
    """A CPU has no other; an accelerator would round weights and adjoints to fewer bits."""
    found = list(equations(gradient_of(LSTM(hidden=HIDDEN), batch=2), "dot_general"))
    assert len(found) >= 3  # forwards, backwards, of the weights
    highest = (jax.lax.Precision.HIGHEST,) * 2
    assert all(equation.params["precision"] == highest for equation in found)


@pytest.mark.default_flags
def test_low_memory():
    needed = {}
    for memory in ("full", "low"):
        loss, params = loss_of(LSTM(hidden=HIDDEN), 2500, 4, Method("fused", memory))
        compiled = jax.jit(jax.grad(loss)).lower(params).compile()
        needed[memory] = compiled.memory_analysis().temp_size_in_bytes
    assert needed["low"] < needed["full"] / 10


# What a config chooses


@pytest.mark.parametrize("method", [PLAIN, *METHODS], ids=str)
def test_training_goes_by_the_method_that_the_config_names(method, tmp_path):
    text = """
    task: {kind: adding, length: 9}
    cell: {kind: lstm, hidden: 4}
    training: {steps: 5, batch: 3, recurrence: RECURRENCE, memory: MEMORY}
    record: {every: 5}
    """
    losses = {}
    for one in (PLAIN, method):
        config = text.replace("RECURRENCE", one.recurrence).replace("MEMORY", one.memory)
        (tmp_path / "c.yaml").write_text(config)
        (run,) = load_experiment(tmp_path / "c.yaml").runs
        assert program_of(run.settings).objective.method == one
        output = execute(run, lambda execution: None)
        losses[one] = output.tables["training"]["loss"].to_numpy()
    np.testing.assert_allclose(losses[method], losses[PLAIN], rtol=1e-5)
