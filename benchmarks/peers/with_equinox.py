"""Equinox: a cell, vmapped over examples, in a ``lax.scan``, as in its documentation."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from workload import FEATURES, GATES, RECURRENT, Shape, Weights, apart, examples, side_by_side

from peers.jax_training import JaxContestant

CELLS = ("lstm", "gru")
RECORDINGS = ("nothing",)


class Model(eqx.Module):
    """A cell and a readout, for one sequence."""

    cell: Any
    readout: eqx.nn.Linear

    def __call__(self, sequence: Any) -> Any:
        def step(state: Any, x: Any) -> Any:
            return self.cell(x, state), None

        zeros = jnp.zeros(self.cell.hidden_size)
        is_lstm = isinstance(self.cell, eqx.nn.LSTMCell)
        state, _ = lax.scan(step, (zeros, zeros) if is_lstm else zeros, sequence)
        return self.readout(state[0] if is_lstm else state)


class Contestant(JaxContestant):
    """Mean squared error of the readout of the last h."""

    def __init__(self, cell: str, shape: Shape, weights: Weights, recorded: str) -> None:
        self.gates = GATES[cell]
        self.recurrent = RECURRENT[cell]
        key = jax.random.key(0)
        kind = eqx.nn.LSTMCell if cell == "lstm" else eqx.nn.GRUCell
        model = Model(
            kind(FEATURES, shape.hidden, key=key), eqx.nn.Linear(shape.hidden, 1, key=key)
        )
        own = {
            "weight_ih": side_by_side(weights, "W", self.gates).T,
            "weight_hh": side_by_side(weights, "U", self.recurrent).T,
            "bias": side_by_side(weights, "bias", self.gates),
        } | ({"bias_n": jnp.zeros(shape.hidden)} if cell == "gru" else {})
        for name, value in own.items():
            model = eqx.tree_at(lambda m, n=name: getattr(m.cell, n), model, jnp.asarray(value))
        model = eqx.tree_at(
            lambda m: (m.readout.weight, m.readout.bias),
            model,
            (jnp.asarray(weights["V"].T), jnp.asarray(weights["bias"])),
        )
        params, static = eqx.partition(model, eqx.is_array)
        inputs, targets = map(jnp.asarray, examples(shape))
        by_example = jnp.swapaxes(inputs, 0, 1)

        def loss(params: Any) -> Any:
            outputs = jax.vmap(eqx.combine(params, static))(by_example)
            return jnp.mean((outputs[:, 0] - targets) ** 2)

        super().__init__(jax.value_and_grad(loss), params)

    def check(self) -> tuple[float, Weights]:
        """Loss and gradient."""
        loss, gradient = super().check()
        return loss, {
            **apart(gradient.cell.weight_ih.T, "W", self.gates),
            **apart(gradient.cell.weight_hh.T, "U", self.recurrent),
            **apart(gradient.cell.bias, "bias", self.gates),
            "V": gradient.readout.weight.T,
            "bias": gradient.readout.bias,
        }
