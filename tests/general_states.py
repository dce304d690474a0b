"""Three cells whose states are neither real nor vectors of one size, for tests of all that runs."""

from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.nn import sigmoid
from jaxtyping import Array

from rnnlab import Cell

N, KEYS, VALUES = 3, 2, 4


class ComplexState(NamedTuple):
    z: Array


class ComplexDiagonal(Cell):
    """z_t = λ ⊙ z_{t−1} + x_t B, λ = exp(−exp ν + i θ), B complex; read out are Re z and Im z."""

    State: ClassVar = ComplexState
    hidden: int = N

    def init(self, key, input_size):
        ν, θ, re, im = jax.random.split(key, 4)
        shape = (input_size, self.hidden)
        return {
            "ν": jax.random.uniform(ν, (self.hidden,), minval=-3.0, maxval=-1.0),
            "θ": jax.random.uniform(θ, (self.hidden,), maxval=3.0),
            "B": lax.complex(jax.random.normal(re, shape), jax.random.normal(im, shape)),
        }

    def initial_state(self, batch):
        return ComplexState(jnp.zeros((batch, self.hidden)) * 1j)

    def step(self, params, state, x, observe=lambda name, value: value):
        return ComplexState(observe("z", self.λ(params) * state.z + x @ params["B"]))

    def λ(self, params):
        return jnp.exp(lax.complex(-jnp.exp(params["ν"]), params["θ"]))

    def output(self, state):
        return jnp.concatenate([state.z.real, state.z.imag], axis=-1)

    def direct_path(self, params, seen, carry):
        return self.λ(params) * carry

    def parallel_scan(self, params, state, inputs):
        λ, writes = self.λ(params), inputs @ params["B"]
        writes = writes.at[0].add(λ * state.z)

        def join(one, other):
            return one[0] * other[0], one[1] * other[0] + other[1]

        keeps = jnp.broadcast_to(λ, writes.shape)
        return ComplexState(lax.associative_scan(join, (keeps, writes))[1])


class MatrixState(NamedTuple):
    S: Array
    h: Array


class Delta(Cell):
    """S_t = α (I − β k kᵀ) S_{t−1} + β k vᵀ, h_t = tanh(S_tᵀ k): k, v, α and β see x and h_{t−1}.

    S is (keys, values); h (values,).
    """

    State: ClassVar = MatrixState
    gates: ClassVar = ("α", "β")
    hidden: int = VALUES
    keys: int = KEYS

    @property
    def carry(self):
        return "S"

    def init(self, key, input_size):
        sizes = {"k": self.keys, "v": self.hidden, "α": 1, "β": 1}
        keys = jax.random.split(key, 2 * len(sizes))
        return {
            f"{kind}_{name}": jax.random.normal(key, (rows, size))
            for key, (kind, rows, name, size) in zip(
                keys,
                [
                    (kind, rows, name, size)
                    for name, size in sizes.items()
                    for kind, rows in (("W", input_size), ("U", self.hidden))
                ],
                strict=True,
            )
        }

    def initial_state(self, batch):
        zeros = jnp.zeros((batch, self.keys, self.hidden))
        return MatrixState(zeros, zeros[:, 0])

    def step(self, params, state, x, observe=lambda name, value: value):
        def a(name):
            return x @ params[f"W_{name}"] + state.h @ params[f"U_{name}"]

        k = observe("k", a("k") / jnp.linalg.norm(a("k"), axis=-1, keepdims=True))
        α, β = observe("α", sigmoid(a("α") + 2)), observe("β", sigmoid(a("β")))
        written = β[..., None] * k[:, :, None] * a("v")[:, None, :]
        S = observe("S", self.kept(α, β, k, state.S) + written)
        return MatrixState(S, observe("h", jnp.tanh(jnp.einsum("bkv,bk->bv", S, k))))

    def kept(self, α, β, k, S):
        along_k = k[:, :, None] * jnp.einsum("bk,bkv->bv", k, S)[:, None, :]
        return α[..., None] * (S - β[..., None] * along_k)

    def direct_path(self, params, seen, carry):
        return self.kept(seen["α"], seen["β"], seen["k"], carry)


class PairState(NamedTuple):
    h: Array
    m: Array


class TwoShapes(Cell):
    """m_t = f ⊙ m_{t−1} + (1 − f) ⊙ tanh(x W + h_{t−1} U), h_t = tanh(m_t[0] ⊙ m_t[1]).

    m is (2, hidden); h (hidden,).
    """

    State: ClassVar = PairState
    gates: ClassVar = ("f",)
    direct: ClassVar = "f"
    hidden: int = 2

    @property
    def carry(self):
        return "m"

    def init(self, key, input_size):
        keys = jax.random.split(key, 4)
        shapes = {"W_f": input_size, "U_f": self.hidden, "W_n": input_size, "U_n": self.hidden}
        return {
            name: jax.random.normal(k, (rows, 2 * self.hidden))
            for k, (name, rows) in zip(keys, shapes.items(), strict=True)
        }

    def initial_state(self, batch):
        zeros = jnp.zeros((batch, 2, self.hidden))
        return PairState(zeros[:, 0], zeros)

    def step(self, params, state, x, observe=lambda name, value: value):
        def a(name):
            product = x @ params[f"W_{name}"] + state.h @ params[f"U_{name}"]
            return product.reshape(state.m.shape)

        f = observe("f", sigmoid(a("f") + 1))
        m = observe("m", f * state.m + (1 - f) * jnp.tanh(a("n")))
        return PairState(observe("h", jnp.tanh(m[:, 0] * m[:, 1])), m)


CELLS = {"complex": ComplexDiagonal(), "matrix": Delta(), "two shapes": TwoShapes()}
