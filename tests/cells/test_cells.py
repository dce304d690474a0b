import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from rnnlab import GRU, LSTM, HiddenState, LSTMState, VanillaRNN, affine
from rnnlab.cells import CELLS, Cell

FEATURES, BATCH, HIDDEN = 3, 2, 5
KEY = jax.random.key(0)

φ = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0)}


def σ(a):
    return 1 / (1 + np.exp(-a))


def rnn_step(p, state, x, see, activation):
    h = see("h", φ[activation](x @ p["W_h"] + state.h @ p["U_h"] + p["bias_h"]))
    return HiddenState(h)


def lstm_step(p, state, x, see, activation):
    i = see("i", σ(x @ p["W_i"] + state.h @ p["U_i"] + p["bias_i"]))
    f = see("f", σ(x @ p["W_f"] + state.h @ p["U_f"] + p["bias_f"]))
    g = see("g", φ[activation](x @ p["W_g"] + state.h @ p["U_g"] + p["bias_g"]))
    o = see("o", σ(x @ p["W_o"] + state.h @ p["U_o"] + p["bias_o"]))
    c = see("c", f * state.c + i * g)
    h = see("h", o * φ[activation](c))
    return LSTMState(h, c)


def gru_step(p, state, x, see, reset):
    r = see("r", σ(x @ p["W_r"] + state.h @ p["U_r"] + p["bias_r"]))
    z = see("z", σ(x @ p["W_z"] + state.h @ p["U_z"] + p["bias_z"]))
    if reset == "before":
        n = see("n", np.tanh(x @ p["W_n"] + (r * state.h) @ p["U_n"] + p["bias_n"]))
    else:
        a_hn = state.h @ p["U_hn"] + p["bias_hn"]
        n = see("n", np.tanh(x @ p["W_n"] + p["bias_n"] + r * a_hn))
    return HiddenState(see("h", z * state.h + (1 - z) * n))


STEPS = [
    (VanillaRNN(hidden=HIDDEN), rnn_step, "tanh"),
    (VanillaRNN(hidden=HIDDEN, activation="relu"), rnn_step, "relu"),
    (LSTM(hidden=HIDDEN), lstm_step, "tanh"),
    (LSTM(hidden=HIDDEN, activation="relu"), lstm_step, "relu"),
    (GRU(hidden=HIDDEN), gru_step, "after"),
    (GRU(hidden=HIDDEN, reset="before"), gru_step, "before"),
]


class Observed(dict):
    """Records what a step observes; puts other values in the place of some of it."""

    def __init__(self, **replacements):
        self.replacements = replacements

    def __call__(self, name, value):
        self[name] = self.replacements.get(name, value)
        return self[name]


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def step_arguments(cell):
    """Random parameters (biases too), state and input."""
    shapes = jax.eval_shape(lambda: cell.init(KEY, FEATURES))
    params = {name: normal(n, *leaf.shape) for n, (name, leaf) in enumerate(shapes.items())}
    state = cell.State(*(normal(100 + n, BATCH, HIDDEN) for n in range(len(cell.State._fields))))
    return params, state, normal(200, BATCH, FEATURES)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("cell", "twin", "option"), STEPS)
def test_step_follows_the_equations(cell, twin, option):
    arguments = step_arguments(cell)
    as_written = Observed()
    twin(*arguments, as_written, option)
    # Whatever observe returns in the place of a value, the step goes on with.
    for replacements in [{}, *({name: normal(7, BATCH, HIDDEN)} for name in as_written)]:
        seen, expected = Observed(**replacements), Observed(**replacements)
        new = cell.step(*jax.tree.map(jnp.asarray, arguments), seen)
        new_expected = twin(*arguments, expected, option)
        assert seen.keys() == expected.keys()
        for name in expected:
            np.testing.assert_allclose(seen[name], expected[name], rtol=1e-12, atol=1e-14)
        for value, value_expected in zip(new, new_expected, strict=True):
            np.testing.assert_allclose(value, value_expected, rtol=1e-12, atol=1e-14)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("cell", [cell for cell, _, _ in STEPS])
def test_gates_are_observed_and_lie_between_zero_and_one(cell):
    seen = Observed()
    cell.step(*jax.tree.map(jnp.asarray, step_arguments(cell)), seen)
    for gate in cell.gates:
        assert jnp.all((seen[gate] > 0) & (seen[gate] < 1))


@pytest.mark.usefixtures("float64")
def test_affine_leaves_out_what_is_not_given():
    params, state, x = step_arguments(LSTM(hidden=HIDDEN))
    bias, W, U = (params[f"{kind}_g"] for kind in ("bias", "W", "U"))
    params, state, x = jax.tree.map(jnp.asarray, (params, state, x))
    (of_x,) = affine(params, "g", x)
    (of_h,) = affine(params, "g", h=state.h)
    _, both = affine(params, ("i", "g"), x, state.h)
    np.testing.assert_allclose(of_x, x @ W + bias, rtol=1e-12)
    np.testing.assert_allclose(of_h, state.h @ U + bias, rtol=1e-12)
    np.testing.assert_allclose(both, x @ W + state.h @ U + bias, rtol=1e-12)


# Initial parameters


def shapes(params):
    return {name: leaf.shape for name, leaf in params.items()}


def expected_shapes(gates, recurrent_names, bias_names):
    return (
        {f"W_{k}": (FEATURES, HIDDEN) for k in gates}
        | {f"U_{k}": (HIDDEN, HIDDEN) for k in recurrent_names}
        | {f"bias_{k}": (HIDDEN,) for k in bias_names}
    )


d, n = FEATURES, HIDDEN


@pytest.mark.parametrize(
    ("cell", "expected", "count"),
    [
        (VanillaRNN(hidden=n), expected_shapes("h", "h", "h"), n * (d + n + 1)),
        (LSTM(hidden=n), expected_shapes("ifgo", "ifgo", "ifgo"), 4 * n * (d + n + 1)),
        (
            GRU(hidden=n, reset="before"),
            expected_shapes("rzn", "rzn", "rzn"),
            3 * n * (d + n + 1),
        ),
        (
            GRU(hidden=n),
            expected_shapes("rzn", ("r", "z", "hn"), ("r", "z", "n", "hn")),
            3 * n * (d + n + 1) + n,
        ),
    ],
)
def test_parameters(cell, expected, count):
    params = cell.init(KEY, d)
    assert shapes(params) == expected
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == count
    assert all(leaf.dtype == jnp.float32 for leaf in params.values())


@pytest.mark.parametrize("kind", CELLS)
def test_stack_holds_one_single_layer_initialisation_a_layer(kind):
    cell = CELLS[kind](hidden=HIDDEN, layers=3)
    params = cell.init(KEY, FEATURES)
    single = CELLS[kind](hidden=HIDDEN)
    assert type(params) is tuple
    assert shapes(params[0]) == shapes(single.init(KEY, FEATURES))
    assert shapes(params[1]) == shapes(params[2]) == shapes(single.init(KEY, HIDDEN))
    kernels = [layer[name] for layer in params for name in layer if name[0] in "WU"]
    sums = [float(jnp.abs(leaf).sum()) for leaf in kernels]
    assert len(set(sums)) == len(sums)


def test_kernels_of_gates_and_of_keys_differ():
    params = LSTM(hidden=HIDDEN).init(KEY, FEATURES)
    other = LSTM(hidden=HIDDEN).init(jax.random.key(1), FEATURES)
    for kind in "WU":
        leaves = [p[f"{kind}_{k}"] for p in (params, other) for k in "ifgo"]
        assert len({float(leaf.sum()) for leaf in leaves}) == 8


def kernels(cell, inputs=200):
    """Every W and every U, at a size that fixes their distribution."""
    params = cell.model_copy(update={"hidden": 100}).init(KEY, inputs)
    return [[np.asarray(v) for k, v in params.items() if k[0] == kind] for kind in "WU"]


UNIFORM_BOUND = {"glorot": lambda rows: (6 / (rows + 100)) ** 0.5, "uniform": lambda rows: 0.1}


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("name", ["glorot", "uniform", "lecun"])
def test_random_kernels_have_their_distribution(kind, name):
    inputs, recurrent = kernels(CELLS[kind](input_kernel=name, recurrent_kernel=name))
    for W in inputs + recurrent:
        if name == "lecun":
            expected = stats.norm(scale=len(W) ** -0.5)
        else:
            bound = UNIFORM_BOUND[name](len(W))
            expected = stats.uniform(-bound, 2 * bound)
            assert 0.999 * bound < np.abs(W).max() <= bound * (1 + 1e-6)
        assert stats.kstest(W.ravel(), expected.cdf).pvalue > 1e-3


@pytest.mark.parametrize("kind", CELLS)
def test_orthogonal_kernels_are_orthogonal_per_gate(kind):
    inputs, recurrent = kernels(CELLS[kind](input_kernel="orthogonal"))
    for W in inputs + recurrent:
        np.testing.assert_allclose(W.T @ W, np.eye(100), atol=1e-5)
    wide, _ = kernels(CELLS[kind](input_kernel="orthogonal"), inputs=30)
    for W in wide:
        np.testing.assert_allclose(W @ W.T, np.eye(30), atol=1e-5)


@pytest.mark.parametrize("kind", CELLS)
def test_default_kernels_are_glorot_and_orthogonal(kind):
    default = CELLS[kind](hidden=HIDDEN)
    named = CELLS[kind](hidden=HIDDEN, input_kernel="glorot", recurrent_kernel="orthogonal")
    assert default == named


@pytest.mark.parametrize("kind", CELLS)
def test_identity_recurrent_kernel_and_gain(kind):
    cell = CELLS[kind](recurrent_kernel="identity", recurrent_gain=0.5)
    inputs, recurrent = kernels(cell)
    for U in recurrent:
        np.testing.assert_array_equal(U, 0.5 * np.eye(100))
    for W, ungained in zip(inputs, kernels(CELLS[kind]())[0], strict=True):
        np.testing.assert_array_equal(W, ungained)


def test_every_gate_bias_takes_its_option():
    params = LSTM(hidden=HIDDEN, forget_bias=3, input_bias=-0.5, output_bias=0.25).init(KEY, 2)
    for k, value in {"f": 3, "i": -0.5, "o": 0.25, "g": 0}.items():
        np.testing.assert_array_equal(params[f"bias_{k}"], np.full(HIDDEN, value))
    params = GRU(hidden=HIDDEN, update_bias=-2.0).init(KEY, 2)
    for k, value in {"r": 0, "z": -2, "n": 0, "hn": 0}.items():
        np.testing.assert_array_equal(params[f"bias_{k}"], np.full(HIDDEN, value))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (VanillaRNN(hidden=HIDDEN), {"h": 0}),
        (LSTM(hidden=HIDDEN), {"i": 0, "f": 1, "g": 0, "o": 0}),
        (GRU(hidden=HIDDEN), {"r": 0, "z": 0, "n": 0, "hn": 0}),
        (GRU(hidden=HIDDEN, reset="before"), {"r": 0, "z": 0, "n": 0}),
    ],
)
def test_default_biases(cell, expected):
    params = cell.init(KEY, FEATURES)
    for k, value in expected.items():
        np.testing.assert_array_equal(params[f"bias_{k}"], np.full(HIDDEN, value))


def test_tied_input_bias_is_minus_the_forget_bias_per_unit():
    params = LSTM(hidden=HIDDEN, forget_bias=3.0, input_bias="tied").init(KEY, FEATURES)
    np.testing.assert_array_equal(params["bias_i"], np.full(HIDDEN, -3))
    chrono = LSTM(hidden=HIDDEN, forget_bias="chrono", t_max=50)
    assert chrono.input_bias == "tied"
    params = chrono.init(KEY, FEATURES)
    assert len(set(params["bias_f"].tolist())) == HIDDEN
    np.testing.assert_array_equal(params["bias_i"], -params["bias_f"])


def test_chrono_can_be_untied():
    cell = LSTM(hidden=HIDDEN, forget_bias="chrono", input_bias=0.5, t_max=50)
    np.testing.assert_array_equal(cell.init(KEY, 2)["bias_i"], np.full(HIDDEN, 0.5))


@pytest.mark.parametrize("t_max", [3, 50])
@pytest.mark.parametrize(
    ("kind", "option", "k"), [(LSTM, "forget_bias", "f"), (GRU, "update_bias", "z")]
)
def test_chrono_time_scales_are_uniform_on_2_to_t_max(kind, option, k, t_max):
    cell = kind(hidden=1000, t_max=t_max, recurrent_kernel="identity", **{option: "chrono"})
    b = np.asarray(cell.init(KEY, FEATURES)[f"bias_{k}"], dtype=float)
    time_scale = 1 / (1 - σ(b))
    assert stats.kstest(time_scale, stats.uniform(2, t_max - 2).cdf).pvalue > 1e-3
    assert time_scale.min() == pytest.approx(2, abs=0.01 * (t_max - 2))
    assert time_scale.max() == pytest.approx(t_max, abs=0.01 * (t_max - 2))


@pytest.mark.parametrize(
    "cells",
    [
        [
            LSTM(hidden=HIDDEN),
            LSTM(hidden=HIDDEN, forget_bias=5.0, input_bias=1.0, output_bias=2.0),
            LSTM(hidden=HIDDEN, forget_bias="chrono", t_max=50),
            LSTM(hidden=HIDDEN, activation="relu"),
        ],
        [
            GRU(hidden=HIDDEN),
            GRU(hidden=HIDDEN, update_bias=3.0),
            GRU(hidden=HIDDEN, update_bias="chrono", t_max=50),
        ],
    ],
)
def test_kernels_of_a_key_do_not_depend_on_the_biases(cells):
    first, *others = [cell.init(KEY, FEATURES) for cell in cells]
    for other in others:
        for name in first:
            if name[0] in "WU":
                np.testing.assert_array_equal(other[name], first[name])


def test_init_is_determined_by_its_key():
    cell = LSTM(hidden=HIDDEN, layers=2, forget_bias="chrono", t_max=9)
    assert jax.tree.all(
        jax.tree.map(jnp.array_equal, cell.init(KEY, FEATURES), cell.init(KEY, FEATURES))
    )


def test_initial_state_is_zero():
    assert LSTM(hidden=HIDDEN).initial_state(BATCH)._fields == LSTMState._fields
    for cell in (VanillaRNN(hidden=HIDDEN), LSTM(hidden=HIDDEN), GRU(hidden=HIDDEN)):
        for value in cell.initial_state(BATCH):
            np.testing.assert_array_equal(value, np.zeros((BATCH, HIDDEN)))


# Settings


@pytest.mark.parametrize(
    ("cell", "same_program"),
    [
        (
            LSTM(hidden=HIDDEN, forget_bias="chrono", t_max=9, output_bias=1.0, recurrent_gain=2.0),
            LSTM(hidden=HIDDEN),
        ),
        (
            LSTM(hidden=HIDDEN, activation="relu", forget_bias=2.0, input_kernel="lecun"),
            LSTM(hidden=HIDDEN, activation="relu"),
        ),
        (
            GRU(layers=2, update_bias="chrono", t_max=9, reset="before"),
            GRU(layers=2, reset="before"),
        ),
        (VanillaRNN(recurrent_kernel="identity", activation="relu"), VanillaRNN(activation="relu")),
    ],
)
def test_dynamics_forget_the_options_of_init_only(cell, same_program):
    assert cell.dynamics() == same_program
    assert hash(cell.dynamics()) == hash(same_program)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (LSTM, {"hidden": 0}),
        (LSTM, {"hidden": -1}),
        (LSTM, {"hidden": 2.5}),
        (LSTM, {"hidden": "8"}),
        (LSTM, {"hidden": True}),
        (LSTM, {"layers": 0}),
        (LSTM, {"forget_gate_bias": 1.0}),
        (LSTM, {"forget_bias": float("nan")}),
        (LSTM, {"forget_bias": float("inf")}),
        (LSTM, {"forget_bias": "tied"}),
        (LSTM, {"forget_bias": "chrono"}),
        (LSTM, {"forget_bias": "chrono", "t_max": 2.9}),
        (LSTM, {"forget_bias": "chrono", "t_max": float("inf")}),
        (LSTM, {"input_bias": "chrono"}),
        (LSTM, {"output_bias": "tied"}),
        (LSTM, {"activation": "sigmoid"}),
        (GRU, {"activation": "relu"}),
        (GRU, {"reset": "never"}),
        (GRU, {"update_bias": "chrono"}),
        (GRU, {"update_bias": float("nan")}),
        (VanillaRNN, {"forget_bias": 1.0}),
        (VanillaRNN, {"input_kernel": "identity"}),
        (VanillaRNN, {"recurrent_kernel": "sparse"}),
        (VanillaRNN, {"recurrent_gain": 0.0}),
        (VanillaRNN, {"recurrent_gain": float("inf")}),
    ],
)
def test_impossible_settings_are_refused(kind, options):
    with pytest.raises(ValueError, match=list(options)[-1]):
        kind(**options)


@pytest.mark.parametrize("options", [{"forget_bias": "chrono"}, {"update_bias": "chrono"}])
def test_chrono_without_t_max_says_what_is_missing(options):
    kind = LSTM if "forget_bias" in options else GRU
    with pytest.raises(ValueError, match=f"{next(iter(options))} 'chrono' needs t_max"):
        kind(**options)


def test_cells_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        LSTM().hidden = 3


def test_cell_needs_both_init_and_step():
    class NoStep(Cell):
        def init(self, key, input_size):
            return {}

    with pytest.raises(TypeError, match="abstract"):
        NoStep()


class Leaky(Cell):
    leak: float = 0.5

    def init(self, key, input_size):
        return {"W_h": jax.random.normal(key, (input_size, self.hidden))}

    def step(self, params, state, x, observe=lambda name, value: value):
        return HiddenState(observe("h", self.leak * state.h + x @ params["W_h"]))


class Leakier(Leaky):
    def init(self, key, input_size):
        return {**super().init(key, input_size), "bias_h": jnp.zeros(self.hidden)}


def test_user_defined_cell_is_stacked_also_when_inherited():
    for kind, names in ((Leaky, {"W_h"}), (Leakier, {"W_h", "bias_h"})):
        params = kind(hidden=HIDDEN, layers=2).init(KEY, FEATURES)
        assert [layer["W_h"].shape for layer in params] == [(FEATURES, HIDDEN), (HIDDEN, HIDDEN)]
        assert all(layer.keys() == names for layer in params)
