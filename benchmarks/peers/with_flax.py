"""Flax nnx: ``nnx.RNN``; where recorded, a scan that adds zeros to the carry."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax
from workload import FEATURES, GATES, RECURRENT, Shape, Weights, apart, examples, side_by_side

from peers.jax_training import IN_ONE_LOOP, JaxContestant

CELLS = ("rnn", "lstm", "gru")
RECORDINGS = ("nothing", "norms", IN_ONE_LOOP)
KINDS = {"rnn": nnx.SimpleCell, "lstm": nnx.OptimizedLSTMCell, "gru": nnx.GRUCell}


class Model(nnx.Module):
    """A cell and a readout."""

    def __init__(self, cell: str, hidden: int) -> None:
        rngs = nnx.Rngs(0)
        self.rnn = nnx.RNN(KINDS[cell](FEATURES, hidden, rngs=rngs), time_major=True, rngs=rngs)
        self.readout = nnx.Linear(hidden, 1, rngs=rngs)


class Contestant(JaxContestant):
    """Mean squared error of the readout of the last h."""

    def __init__(self, cell: str, shape: Shape, weights: Weights, recorded: str) -> None:
        self.cell, self.gates = cell, GATES[cell]
        self.recurrent = RECURRENT[cell]
        model = Model(cell, shape.hidden)
        self._load(model, weights)
        start = model.rnn.cell.initialize_carry((shape.batch, FEATURES), rngs=nnx.Rngs(0))
        graph, params, rest = nnx.split(model, nnx.Param, ...)
        inputs, targets = map(jnp.asarray, examples(shape))

        def loss(params: Any) -> Any:
            model = nnx.merge(graph, params, rest)
            h = model.rnn(inputs, initial_carry=start)[-1]
            return jnp.mean((model.readout(h)[:, 0] - targets) ** 2)

        def perturbed_loss(params: Any, zeros: Any) -> Any:
            model = nnx.merge(graph, params, rest)

            def step(carry: Any, at_t: Any) -> Any:
                x, nudge = at_t
                carry, _ = model.rnn.cell(carry, x)
                return jax.tree.map(jnp.add, carry, nudge), None

            carry, _ = lax.scan(step, start, (inputs, zeros))
            h = carry[1] if cell == "lstm" else carry
            return jnp.mean((model.readout(h)[:, 0] - targets) ** 2)

        def recorded_gradient(params: Any) -> Any:
            zeros = jnp.zeros((shape.time, shape.batch, shape.hidden))
            nudges = (zeros, zeros) if cell == "lstm" else zeros
            value, (gradient, adjoints) = jax.value_and_grad(perturbed_loss, (0, 1))(params, nudges)
            # Of each example's own loss; c's lacks the path through h of the same step.
            norms = jax.tree.map(
                lambda a: jnp.log10(jnp.linalg.norm(a * shape.batch, axis=-1)), adjoints
            )
            return (value, norms), gradient

        plain = jax.value_and_grad(loss)
        gradient = recorded_gradient if recorded == "norms" else plain
        super().__init__(gradient, params, in_one_loop="one loop" in recorded)

    def _load(self, model: Model, weights: Weights) -> None:
        cell = model.rnn.cell
        cell.dense_i.kernel[...] = jnp.asarray(side_by_side(weights, "W", self.gates))
        cell.dense_h.kernel[...] = jnp.asarray(side_by_side(weights, "U", self.recurrent))
        biased = cell.dense_h if self.cell == "lstm" else cell.dense_i
        biased.bias[...] = jnp.asarray(side_by_side(weights, "bias", self.gates))
        model.readout.kernel[...] = jnp.asarray(weights["V"])
        model.readout.bias[...] = jnp.asarray(weights["bias"])

    def check(self) -> tuple[float, Weights]:
        """Loss and gradient."""
        loss, gradient = super().check()
        cell = gradient["rnn"]["cell"]
        biased = cell["dense_h" if self.cell == "lstm" else "dense_i"]
        return loss[0] if isinstance(loss, tuple) else loss, {
            **apart(cell["dense_i"]["kernel"][...], "W", self.gates),
            **apart(cell["dense_h"]["kernel"][...], "U", self.recurrent),
            **apart(biased["bias"][...], "bias", self.gates),
            "V": gradient["readout"]["kernel"][...],
            "bias": gradient["readout"]["bias"][...],
        }
