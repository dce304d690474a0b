"""rnnlab's cells against PyTorch's, from stored values and, where torch is installed, live."""

from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnnlab import GRU, LSTM, HiddenState, VanillaRNN, from_torch, gradient_flow, unroll
from rnnlab.cells import Cell

GOLDEN = Path(__file__).parent / "golden"
HIDDEN = 3
CELLS = {
    "lstm": LSTM(hidden=HIDDEN),
    "gru": GRU(hidden=HIDDEN, reset="after"),
    "rnn-tanh": VanillaRNN(hidden=HIDDEN, activation="tanh"),
    "rnn-relu": VanillaRNN(hidden=HIDDEN, activation="relu"),
}


def stored(kind, layers, bias):
    with np.load(GOLDEN / f"{kind}-{layers}{'' if bias else '-nobias'}.npz") as arrays:
        return dict(arrays)


def live(kind, layers, bias):
    pytest.importorskip("torch")
    from make_golden import reference

    return reference(kind, layers, bias)


def under(prefix, arrays):
    return {name.removeprefix(prefix): v for name, v in arrays.items() if name.startswith(prefix)}


def gradients_of_summed_biases(kind, gradients):
    """b_ih and b_hh have the gradient of their sum: count it once, where rnnlab has the sum."""
    apart = 2 * HIDDEN if kind == "gru" else None
    for name in gradients:
        if name.startswith("bias_hh"):
            gradients[name][:apart] = 0
    return gradients


@partial(jax.jit, static_argnums=0)
def values_and_gradients(cell, params, inputs):
    flow = gradient_flow(cell, params, inputs, lambda h: (h[-1] ** 2).sum(-1))
    return unroll(cell, params, inputs), flow


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-13)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("source", [stored, live])
@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients_are_those_of_pytorch(source, kind, layers, bias):
    torch = source(kind, layers, bias)
    cell = CELLS[kind].model_copy(update={"layers": layers})
    params = from_torch(cell, under("weights/", torch))
    states, flow = values_and_gradients(cell, params, torch["inputs"])

    by_layer = states if layers > 1 else jax.tree.map(lambda a: a[None], states)
    close(by_layer.h[-1], torch["h"])
    for part, final in under("final/", torch).items():
        close(getattr(by_layer, part)[:, -1], final)

    close(flow.loss, (torch["h"][-1] ** 2).sum(-1))
    expected = from_torch(cell, gradients_of_summed_biases(kind, under("gradients/", torch)))
    assert jax.tree.structure(flow.params) == jax.tree.structure(expected)
    for (path, gradient), value in zip(
        jax.tree.leaves_with_path(flow.params), jax.tree.leaves(expected), strict=True
    ):
        if bias or "bias" not in jax.tree_util.keystr(path):
            close(gradient, value)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", CELLS)
def test_parameters_look_like_those_of_init(kind, layers):
    cell = CELLS[kind].model_copy(update={"layers": layers})
    params = from_torch(cell, under("weights/", stored(kind, layers, bias=True)))
    like = jax.eval_shape(lambda: cell.init(jax.random.key(0), 4))
    assert jax.tree.structure(params) == jax.tree.structure(like)
    assert jax.tree.map(lambda a: (a.shape, a.dtype), params) == jax.tree.map(
        lambda a: (a.shape, a.dtype), like
    )


def test_values_that_numpy_can_read_are_enough():
    weights = under("weights/", stored("lstm", 1, bias=True))
    as_lists = {name: value.tolist() for name, value in weights.items()}
    params = from_torch(CELLS["lstm"], as_lists)
    expected = from_torch(CELLS["lstm"], weights)
    assert jax.tree.all(jax.tree.map(jnp.array_equal, params, expected))


# What is refused


@pytest.fixture
def weights():
    return under("weights/", stored("lstm", 2, bias=True))


two_layers = LSTM(hidden=HIDDEN, layers=2)


@pytest.mark.parametrize("name", ["weight_hh_l1", "weight_ih_l0", "bias_ih_l0", "bias_hh_l1"])
def test_missing_entry(weights, name):
    del weights[name]
    with pytest.raises(ValueError, match=f"no '{name}'"):
        from_torch(two_layers, weights)


@pytest.mark.parametrize(
    ("cell", "unexpected"),
    [
        (two_layers, {"weight_ih_l0_reverse": np.zeros((12, 4))}),
        (two_layers, {"weight_hr_l0": np.zeros((2, 3))}),
        (LSTM(hidden=HIDDEN), {"weight_ih_l1": np.zeros((12, 3))}),
    ],
)
def test_unexpected_entry(weights, cell, unexpected):
    with pytest.raises(ValueError, match=f"unexpected entries .*{next(iter(unexpected))}"):
        from_torch(cell, weights | unexpected)


def test_more_layers_than_the_state_dict_has(weights):
    with pytest.raises(ValueError, match="no 'weight_ih_l2'"):
        from_torch(LSTM(hidden=HIDDEN, layers=3), weights)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("weight_ih_l0", (9, 4)),
        ("weight_ih_l0", (12,)),
        ("weight_ih_l1", (12, 2)),
        ("weight_hh_l0", (12, 4)),
        ("bias_hh_l1", (9,)),
        ("bias_ih_l0", (12, 1)),
    ],
)
def test_entry_of_another_shape(weights, name, shape):
    with pytest.raises(ValueError, match=f"'{name}' must have shape"):
        from_torch(two_layers, weights | {name: np.zeros(shape)})


@pytest.mark.parametrize("dtype", [complex, np.int8, bool])
def test_entry_of_another_type(weights, dtype):
    """Quantised weights, whose scale is elsewhere, are no weights."""
    changed = {"weight_hh_l0": weights["weight_hh_l0"].astype(dtype)}
    with pytest.raises(ValueError, match="'weight_hh_l0' must hold floats, got "):
        from_torch(two_layers, weights | changed)


def test_weights_of_another_cell_or_width(weights):
    with pytest.raises(ValueError, match="'weight_ih_l0' must have shape"):
        from_torch(GRU(hidden=HIDDEN, layers=2), weights)
    with pytest.raises(ValueError, match="'weight_ih_l0' must have shape"):
        from_torch(LSTM(hidden=4, layers=2), weights)


def test_reset_before_has_no_counterpart():
    gru = under("weights/", stored("gru", 1, bias=True))
    with pytest.raises(ValueError, match="set reset to 'after'"):
        from_torch(GRU(hidden=HIDDEN, reset="before"), gru)


def test_user_defined_cell_has_no_counterpart(weights):
    class Leaky(Cell):
        def init(self, key, input_size):
            return {}

        def step(self, params, state, x, observe=lambda name, value: value):
            return HiddenState(observe("h", state.h))

    with pytest.raises(ValueError, match="no counterpart of Leaky"):
        from_torch(Leaky(), weights)


# Types that numpy lacks


class Tensor:
    """As PyTorch's on a GPU, of a type that numpy lacks: it must be brought here, as float64."""

    def __init__(self, values, place="cuda"):
        self.values, self.place = values, place

    def detach(self):
        return self

    def cpu(self):
        return Tensor(self.values, "cpu")

    def is_floating_point(self):
        return True

    def double(self):
        return Tensor(self.values.astype(np.float64), self.place)

    def __array__(self, dtype=None, copy=None):
        if self.place != "cpu" or self.values.dtype != np.float64:
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.values


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float8_e4m3fn"])
@pytest.mark.parametrize("make", [Tensor, np.asarray], ids=["tensor", "array"])
def test_small_types_hold_what_they_hold_and_biases_add_exactly(make, dtype):
    """4 and 2⁻⁹ are in each of the types, their sum in none of them."""
    rng = np.random.default_rng(0)
    weights = under("weights/", stored("lstm", 1, bias=True))
    small = {k: rng.normal(size=w.shape).astype(jnp.dtype(dtype)) for k, w in weights.items()}
    small["bias_ih_l0"][:] = 4
    small["bias_hh_l0"][:] = 2**-9
    params = from_torch(CELLS["lstm"], {name: make(value) for name, value in small.items()})
    total = float(small["bias_ih_l0"][0]) + float(small["bias_hh_l0"][0])
    assert float(jnp.dtype(dtype).type(total)) != total
    for gate in "ifgo":
        np.testing.assert_array_equal(params[f"bias_{gate}"], np.full(HIDDEN, total, np.float32))
    exact = [[float(value) for value in row] for row in small["weight_hh_l0"][:HIDDEN].T]
    np.testing.assert_array_equal(params["U_i"], np.asarray(exact, np.float32))


@pytest.mark.parametrize("value", [1j, "a"])
def test_refuses_what_is_no_number(value):
    weights = under("weights/", stored("lstm", 1, bias=True))
    with pytest.raises(ValueError, match="'bias_ih_l0' must hold floats, got "):
        from_torch(CELLS["lstm"], weights | {"bias_ih_l0": np.full(4 * HIDDEN, value)})


def test_live_tensors_of_every_type():
    torch = pytest.importorskip("torch")
    layer = torch.nn.LSTM(2, HIDDEN)
    exact = from_torch(CELLS["lstm"], layer.state_dict())
    named = from_torch(CELLS["lstm"], dict(layer.named_parameters()))
    jax.tree.map(np.testing.assert_array_equal, exact, named)
    for dtype in (torch.bfloat16, torch.float16, torch.float64):
        converted = layer.to(dtype)
        params = from_torch(CELLS["lstm"], converted.state_dict())
        bias = (converted.bias_ih_l0.double() + converted.bias_hh_l0.double()).detach().numpy()
        np.testing.assert_array_equal(params["bias_i"], bias[:HIDDEN].astype(np.float32))
