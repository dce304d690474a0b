"""The split by automatic differentiation, for cells of a user's own."""

from functools import partial
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.nn import sigmoid

from rnnlab import GRU, LSTM, Cell, HiddenState, LSTMState, VanillaRNN, affine, jacobians, unroll
from rnnlab.cells.jacobian import StepJacobian
from rnnlab.gradients.paths import has_closed_form

TIME, BATCH, FEATURES, HIDDEN = 4, 3, 2, 4


def arguments(cell, batch=BATCH):
    """Parameters all random, inputs, and an initial state."""
    rng = np.random.default_rng(0)

    def random(*shape):
        return jnp.asarray(rng.normal(size=shape))

    shapes = jax.eval_shape(lambda: cell.init(jax.random.key(0), FEATURES))
    params = jax.tree.map(lambda leaf: random(*leaf.shape), shapes)
    leading = () if cell.layers == 1 else (cell.layers,)
    state = (random(*leading, batch, cell.hidden) for _ in cell.State._fields)
    return params, random(TIME, batch, FEATURES), cell.State(*state)


def states_before(cell, params, inputs, state):
    after = unroll(cell, params, inputs, state)
    return jax.tree.map(lambda a, b: jnp.concatenate([a[None], b[:-1]]), state, after)


def jacobian_at_each_step(function, *arguments):
    """∂function/∂(first argument), each (time, batch, …), one example at a time."""
    return jax.jit(jax.vmap(jax.vmap(jax.jacrev(function))))(*arguments)


def diagonal(d):
    return np.asarray(d)[..., None] * np.eye(HIDDEN)


def close(actual, expected, atol=1e-10):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


@partial(jax.jit, static_argnums=0)
def parts(cell, *arguments):
    """The properties of ``Jacobians``, compiled together."""
    j = jacobians(cell, *arguments)
    direct = {"direct": j.direct} if cell.direct else {}
    return {"indirect": j.indirect, "total": j.total, "state": j.state} | direct


def adds_up(j):
    direct = diagonal(j["direct"]) if "direct" in j else 0
    close(j["total"], direct + sum(j["indirect"].values()))


def split_automatically(cell):
    """The same cell, whose class no longer says what its Jacobian is."""
    kind = type(cell)
    return type("Own" + kind.__name__, (kind,), {"step": kind.step})(**dict(cell))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("cell", "renamed"),
    [
        (VanillaRNN(hidden=HIDDEN), {"h": "other"}),
        (VanillaRNN(hidden=HIDDEN, activation="relu"), {"h": "other"}),
        (LSTM(hidden=HIDDEN), {}),
        (LSTM(hidden=HIDDEN, activation="relu", layers=2), {}),
        (GRU(hidden=HIDDEN, reset="before"), {}),
        (GRU(hidden=HIDDEN, reset="after"), {}),
    ],
)
def test_automatic_split_of_a_built_in_cell_is_its_closed_form(cell, renamed):
    own = split_automatically(cell)
    assert has_closed_form(cell)
    assert not has_closed_form(own)
    at = arguments(cell)
    expected, j = parts(cell, *at), parts(own, *at)
    indirect = j.pop("indirect")
    for name, matrix in expected.pop("indirect").items():
        close(indirect.pop(renamed.get(name, name)), matrix)
    for nothing in indirect.values():
        close(nothing, np.zeros_like(nothing))
    jax.tree.map(close, j, expected)


class Peephole(LSTM):
    """As in docs/extending.md; g is not observed."""

    def init(self, key, input_size):
        return super().init(key, input_size) | {f"p_{k}": jnp.zeros(self.hidden) for k in "ifo"}

    def step(self, params, state, x, observe=lambda name, value: value):
        a_i, a_f, a_g, a_o = affine(params, "ifgo", x, state.h)
        i = observe("i", sigmoid(a_i + params["p_i"] * state.c))
        f = observe("f", sigmoid(a_f + params["p_f"] * state.c))
        c = observe("c", f * state.c + i * jnp.tanh(a_g))
        o = observe("o", sigmoid(a_o + params["p_o"] * c))
        return LSTMState(observe("h", o * jnp.tanh(c)), c)


@pytest.mark.usefixtures("float64")
def test_peephole_gates_see_c_and_so_does_the_h_that_the_next_step_reads():
    params, inputs, state = arguments(cell := Peephole(hidden=HIDDEN))
    before = states_before(cell, params, inputs, state)
    p = {**params}

    def a(k, x, h):
        return x @ p[f"W_{k}"] + h @ p[f"U_{k}"] + p[f"bias_{k}"]

    def h_of(c, a_o):
        return sigmoid(a_o + p["p_o"] * c) * jnp.tanh(c)

    def c_of(by_part, x):
        """c_t where each gate, the direct path and g see a (c, h) of their own."""
        (c_f, h_f), (c_i, h_i), (_, h_g), (c, _) = (by_part[k] for k in "fig+")
        f = sigmoid(a("f", x, h_f) + p["p_f"] * c_f)
        i = sigmoid(a("i", x, h_i) + p["p_i"] * c_i)
        return f * c + i * jnp.tanh(a("g", x, h_g)), f

    def c_by_parts(cs, a_o, x):
        return c_of({k: (c, h_of(c, a_o)) for k, c in cs.items()}, x)[0]

    a_o_before = a("o", inputs[:-1], before.h[:-1])
    expected = jacobian_at_each_step(
        c_by_parts, dict.fromkeys("fig+", before.c[1:]), a_o_before, inputs[1:]
    )

    j = parts(cell, params, inputs, state)

    at_each = dict.fromkeys("fig+", (before.c, before.h))
    close(j["direct"], c_of(at_each, inputs)[1])
    close(j["total"][1:], sum(expected.values()))
    assert j["indirect"].keys() == {"f", "i", "o", "other"}
    for part, k in {"f": "f", "i": "i", "other": "g"}.items():
        close(j["indirect"][part][1:], expected[k])
    close(expected["+"], diagonal(j["direct"][1:]))
    close(j["indirect"]["o"], np.zeros_like(j["total"]))
    adds_up(j)
    first = jacobian_at_each_step(
        lambda c, h, x: c_of(dict.fromkeys("fig+", (c, h)), x)[0],
        before.c[:1],
        before.h[:1],
        inputs[:1],
    )
    close(j["total"][:1], first)


class Leaky(Cell):
    """h = k h + (1 − k) tanh(x W_n + h U_n), of which only k is observed."""

    def init(self, key, input_size):
        return {
            f"{kind}_{k}": jnp.zeros(shape)
            for k in "kn"
            for kind, shape in {
                "W": (input_size, self.hidden),
                "U": (self.hidden, self.hidden),
                "bias": (self.hidden,),
            }.items()
        }

    def step(self, params, state, x, observe=lambda name, value: value):
        a_k, a_n = affine(params, "kn", x, state.h)
        k = observe("k", sigmoid(a_k))
        return HiddenState(observe("h", k * state.h + (1 - k) * jnp.tanh(a_n)))


class DirectLeaky(Leaky):
    direct: ClassVar[str | None] = "k"


class Mixing(Leaky):
    """Carries c as ``Leaky`` does h; each unit of h = tanh(c V) reads every unit of c."""

    State: ClassVar = LSTMState
    mix: ClassVar = np.random.default_rng(0).normal(size=(HIDDEN, HIDDEN))

    def step(self, params, state, x, observe=lambda name, value: value):
        a_k, a_n = affine(params, "kn", x, state.h)
        k = observe("k", sigmoid(a_k))
        c = observe("c", k * state.c + (1 - k) * jnp.tanh(a_n))
        return LSTMState(observe("h", jnp.tanh(c @ self.mix)), c)


class DirectMixing(Mixing):
    direct: ClassVar[str | None] = "k"


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("kind", [Leaky, DirectLeaky, Mixing, DirectMixing])
def test_cell_from_scratch(kind):
    params, inputs, state = arguments(cell := kind(hidden=HIDDEN))
    before = states_before(cell, params, inputs, state)

    def a(k, x, h):
        return x @ params[f"W_{k}"] + h @ params[f"U_{k}"] + params[f"bias_{k}"]

    def carry_of(by_path, h_before, is_first, x):
        def h(carry):
            if cell.carry == "h":
                return carry
            return jnp.where(is_first, h_before, jnp.tanh(carry @ cell.mix))

        k = sigmoid(a("k", x, h(by_path["k"])))
        return k * by_path["direct"] + (1 - k) * jnp.tanh(a("n", x, h(by_path["n"])))

    carried = dict.fromkeys(("k", "n", "direct"), getattr(before, cell.carry))
    is_first = jnp.broadcast_to(jnp.arange(TIME)[:, None] == 0, (TIME, BATCH))
    expected = jacobian_at_each_step(carry_of, carried, before.h, is_first, inputs)

    j = parts(cell, params, inputs, state)

    assert j["indirect"].keys() == {"k", "other"}
    close(j["total"], sum(expected.values()))
    close(j["indirect"]["k"], expected["k"])
    if cell.direct:
        close(j["direct"], sigmoid(a("k", inputs, before.h)))
        close(j["indirect"]["other"], expected["n"])
    else:
        close(j["indirect"]["other"], expected["n"] + expected["direct"])
        with pytest.raises(
            ValueError, match=rf"{kind.__name__} has no direct path: {cell.carry}_t"
        ):
            _ = jacobians(cell, params, inputs, state).direct
    adds_up(j)

    def flat_step(flat, x):
        parts = jnp.split(flat[None], len(cell.State._fields), axis=-1)
        return jnp.concatenate(cell.step(params, cell.State(*parts), x[None]), axis=-1)[0]

    close(j["state"], jacobian_at_each_step(flat_step, jnp.concatenate(before, -1), inputs))


class Misnamed(Leaky):
    direct: ClassVar[str | None] = "forget"


@pytest.mark.parametrize("part", ["direct", "indirect", "total"])
def test_direct_path_that_is_not_observed(part):
    j = jacobians(cell := Misnamed(hidden=HIDDEN), *arguments(cell))
    with pytest.raises(
        ValueError, match=r"Misnamed\.direct names 'forget', which its step does no"
    ):
        getattr(j, part)


class Reserving(Leaky):
    def step(self, params, state, x, observe=lambda name, value: value):
        return super().step(params, state, observe("total", x), observe)


def test_a_value_that_is_observed_under_the_name_of_a_part():
    j = jacobians(cell := Reserving(hidden=HIDDEN), *arguments(cell))
    with pytest.raises(ValueError, match=r"Reserving\.step observes 'total', a reserved name"):
        _ = j.total


class Declared(Leaky):
    """Says, wrongly and so that it shows, that its Jacobian is 7."""

    def step(self, params, state, x, observe=lambda name, value: value):
        return super().step(params, state, x, observe)

    def step_jacobian(self, params, before, seen, others_by_carry):
        sevens = jnp.full((BATCH, HIDDEN, HIDDEN), 7.0)
        return StepJacobian(seen["k"], {"k": sevens}, {}, 7 * sevens)


class DeclaredAgain(Declared):
    hidden: int = HIDDEN


class Restated(Declared):
    def step(self, params, state, x, observe=lambda name, value: value):
        return super().step(params, state, x, observe)


class StepOnly:
    def step(self, params, state, x, observe=lambda name, value: value):
        return Leaky.step(self, params, state, x, observe)


class MixedIn(StepOnly, Declared):
    pass


@pytest.mark.parametrize("kind", [Declared, DeclaredAgain])
def test_a_closed_form_of_the_users_own_is_used(kind):
    j = jacobians(cell := kind(hidden=HIDDEN), *arguments(cell))
    assert (j.indirect["k"] == 7).all()
    assert (j.state == 49).all()


@pytest.mark.parametrize("kind", [Restated, MixedIn])
def test_a_closed_form_is_not_that_of_another_step(kind):
    j = jacobians(cell := kind(hidden=HIDDEN), *arguments(cell))
    close(j.total, jacobians(Leaky(hidden=HIDDEN), *arguments(cell)).total, atol=1e-6)


@pytest.mark.default_flags
@pytest.mark.usefixtures("float64")
def test_compiled_code_computes_what_uncompiled_code_does():
    params, inputs, state = arguments(cell := LSTM(hidden=5), batch=4)

    def everything():
        j = jacobians(cell, params, inputs[:2], state)
        return j.indirect, j.total, j.state

    compiled = everything()
    with jax.disable_jit():
        jax.tree.map(close, compiled, everything())
