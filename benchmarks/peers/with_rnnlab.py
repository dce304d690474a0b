"""rnnlab: its objective, its update, its own recording."""

from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import lax
from workload import LEARNING_RATE, STEPS_PER_CALL, Shape, Weights, examples

from peers.jax_training import bytes_on_gpu
from rnnlab import GRU, LSTM, Adding, VanillaRNN
from rnnlab.recurrence.stack import Method
from rnnlab.training.objective import Batch, Objective
from rnnlab.training.options import Record, Training
from rnnlab.training.program import Program
from rnnlab.training.update import update

CELLS = ("rnn", "lstm", "gru", "gru before")
RECORDINGS = ("norms", "nothing", "norms and gates")


def make_cell(cell: str, hidden: int) -> Any:
    """The cell that the others call by this name."""
    if cell == "rnn":
        return VanillaRNN(hidden=hidden)
    if cell == "lstm":
        return LSTM(hidden=hidden)
    return GRU(hidden=hidden, reset="before" if cell == "gru before" else "after")


class Contestant:
    """Training as in ``Program``, on one fixed batch."""

    bytes_on_gpu = staticmethod(bytes_on_gpu)

    def __init__(self, cell: str, shape: Shape, weights: Weights, recorded: str) -> None:
        recurrence: Literal["plain", "fused"] = "plain" if "plain" in recorded else "fused"
        method = Method(recurrence, "low" if "low memory" in recorded else "full")
        task = Adding(length=shape.time)
        self.objective = Objective(make_cell(cell, shape.hidden), task, method)
        settings = Training(batch=shape.batch)
        record = Record(examples=shape.batch, means="gates" in recorded)
        self.program = Program(self.objective, settings, record)
        data = examples(shape)
        self.batch = Batch(jnp.asarray(data.inputs), jnp.asarray(data.targets))
        readout = {name: jnp.asarray(weights[name]) for name in ("V", "bias")}
        own = {k: jnp.asarray(w) for k, w in weights.items() if k not in readout}
        if cell == "gru":
            own["bias_hn"] = jnp.zeros(shape.hidden)
        self.recorded = recorded
        self.params = {"cell": own, "readout": readout}
        self.state = self.program.start(jax.tree.map(jnp.copy, self.params), LEARNING_RATE)
        self.steps = jax.jit(self._steps, donate_argnums=0).lower(self.state).compile()

    def _gradient(self, params: Any) -> Any:
        objective, loss = self.objective, self.objective.task.loss
        if "norms" not in self.recorded or "gates" in self.recorded:
            return self.program.plain_step(params, self.batch, self.batch)
        found, seen = objective.observed_gradient(loss, params, self.batch, jnp.mean)
        return found, seen.log10_norms

    def _steps(self, state: Any) -> Any:
        def step(state: Any, _: None) -> Any:
            found, recorded = self._gradient(state.params)
            state, scalars = update(self.program.optimizer, state, found)
            return state, (scalars, recorded)

        return lax.scan(step, state, length=STEPS_PER_CALL)

    def check(self) -> tuple[float, Weights]:
        """Loss and gradient."""
        (loss, gradient), _ = jax.jit(self._gradient)(self.params)
        return loss, gradient["cell"] | gradient["readout"]

    def train(self) -> None:
        """Ten steps."""
        self.state, out = self.steps(self.state)
        jax.block_until_ready(out)
