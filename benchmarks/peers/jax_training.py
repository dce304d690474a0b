"""What the peers on JAX share: a compiled training step in a Python loop, as in their docs."""

from collections.abc import Callable
from typing import Any

import jax
import optax
from workload import LEARNING_RATE, STEPS_PER_CALL

Gradient = Callable[[Any], tuple[Any, Any]]


def bytes_on_gpu() -> int:
    """The most that JAX has used there."""
    return int(jax.devices()[0].memory_stats()["peak_bytes_in_use"])


class JaxContestant:
    bytes_on_gpu = staticmethod(bytes_on_gpu)

    """Trains parameters whose loss and gradient a function gives, in any pytree."""

    def __init__(self, gradient: Gradient, params: Any) -> None:
        optimizer = optax.adam(LEARNING_RATE)

        def step(params: Any, moments: Any) -> tuple[Any, Any, Any]:
            loss, found = gradient(params)
            updates, moments = optimizer.update(found, moments)
            return optax.apply_updates(params, updates), moments, loss

        self.gradient, self.params = jax.jit(gradient), params
        self.state = jax.tree.map(jax.numpy.copy, (params, optimizer.init(params)))
        self.step = jax.jit(step, donate_argnums=(0, 1)).lower(*self.state).compile()

    def check(self) -> tuple[Any, Any]:
        """Loss and gradient, in the library's own names."""
        return self.gradient(self.params)

    def train(self) -> None:
        """Ten steps."""
        for _ in range(STEPS_PER_CALL):
            *self.state, loss = self.step(*self.state)
        jax.block_until_ready(loss)
