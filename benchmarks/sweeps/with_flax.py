"""Flax nnx: an ``OptimizedLSTMCell`` in a scan that adds zeros to its carry."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import lax

from sweeps.settings import (
    BATCH,
    EVALUATE_EVERY,
    EVALUATION_EXAMPLES,
    FEATURES,
    HIDDEN,
    LEARNING_RATE,
    LENGTH,
    kernels,
    train_all,
)


class Model(nnx.Module):
    """An LSTM and a readout of its last h."""

    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        self.cell = nnx.OptimizedLSTMCell(FEATURES, HIDDEN, rngs=rngs)
        self.readout = nnx.Linear(HIDDEN, 1, rngs=rngs)

    def load(self, weights: dict[str, np.ndarray]) -> None:
        """Take these weights."""
        self.cell.dense_i.kernel[...] = jnp.asarray(weights["W"])
        self.cell.dense_h.kernel[...] = jnp.asarray(weights["U"])
        self.cell.dense_h.bias[...] = jnp.asarray(weights["bias"])
        self.readout.kernel[...] = jnp.asarray(weights["V"])
        self.readout.bias[...] = jnp.zeros(1)


@functools.partial(jax.jit, static_argnums=1)
def adding(key: Any, examples: int) -> tuple[Any, Any]:
    """Inputs (time, examples, 2) and targets."""
    of_values, of_first, of_second = jax.random.split(key, 3)
    values = jax.random.uniform(of_values, (LENGTH, examples))
    first = jax.random.randint(of_first, (examples,), 0, LENGTH // 2)
    second = jax.random.randint(of_second, (examples,), LENGTH // 2, LENGTH)
    times = jnp.arange(LENGTH)[:, None]
    marks = ((times == first) | (times == second)).astype(jnp.float32)
    return jnp.stack([values, marks], axis=-1), (values * marks).sum(axis=0)


GRAPH, _, REST = nnx.split(Model(), nnx.Param, ...)
OPTIMIZER = optax.adam(LEARNING_RATE)


def mean_loss(params: Any, nudges: Any, inputs: Any, targets: Any) -> Any:
    """Mean squared error; nudges are added to the carry (c, h) after every step."""
    model = nnx.merge(GRAPH, params, REST)

    def step(carry: Any, at_t: Any) -> Any:
        x, nudge = at_t
        carry, _ = model.cell(carry, x)
        return jax.tree.map(jnp.add, carry, nudge), None

    zeros = jnp.zeros((inputs.shape[1], HIDDEN))
    (_, h), _ = lax.scan(step, (zeros, zeros), (inputs, nudges))
    return jnp.mean((model.readout(h)[:, 0] - targets) ** 2)


def no_nudges(examples: int) -> tuple[Any, Any]:
    """Zeros for c and h."""
    zeros = jnp.zeros((LENGTH, examples, HIDDEN))
    return zeros, zeros


@functools.partial(jax.jit, donate_argnums=(0, 1))
def train_step(params: Any, moments: Any, key: Any, step: int) -> Any:
    """One update, the loss, and mean log10 norms of each example's adjoints by time step."""
    inputs, targets = adding(jax.random.fold_in(key, step), BATCH)
    loss, (gradient, adjoints) = jax.value_and_grad(mean_loss, (0, 1))(
        params, no_nudges(BATCH), inputs, targets
    )
    norms = [jnp.log10(jnp.linalg.norm(a * BATCH, axis=-1)).mean(axis=-1) for a in adjoints]
    updates, moments = OPTIMIZER.update(gradient, moments)
    return optax.apply_updates(params, updates), moments, loss, norms


@jax.jit
def evaluate(params: Any, inputs: Any, targets: Any) -> Any:
    """The loss."""
    return mean_loss(params, no_nudges(EVALUATION_EXAMPLES), inputs, targets)


def train(forget_bias: float | str, tied: bool, seed: int, steps: int) -> dict[str, np.ndarray]:
    """One run."""
    model = Model()
    model.load(kernels(forget_bias, tied, seed))
    params = nnx.state(model, nnx.Param)
    moments = OPTIMIZER.init(params)
    key = jax.random.key(seed)
    evaluation = adding(key, EVALUATION_EXAMPLES)
    losses, norms, evaluated = [], [], []
    for step in range(steps):
        if step % EVALUATE_EVERY == 0:
            evaluated.append(evaluate(params, *evaluation))
        params, moments, loss, seen = train_step(params, moments, key, step + 1)
        losses.append(loss)
        norms.append(seen)
    columns = {"loss": losses, "norms": norms, "eval_loss": evaluated}
    return {name: np.array(jax.device_get(values)) for name, values in columns.items()}


if __name__ == "__main__":
    train_all(train)
