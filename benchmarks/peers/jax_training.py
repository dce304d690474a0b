"""What the peers on JAX share: a compiled training step in a Python loop, as in their docs."""

from collections.abc import Callable
from typing import Any

import jax
import optax
from jax import lax
from workload import LEARNING_RATE, STEPS_PER_CALL

Gradient = Callable[[Any], tuple[Any, Any]]
IN_ONE_LOOP = "nothing, ten steps compiled as one loop"


def bytes_on_gpu() -> int:
    """The most that JAX has used there."""
    return int(jax.devices()[0].memory_stats()["peak_bytes_in_use"])


class JaxContestant:
    """Trains parameters whose loss and gradient a function gives, in any pytree."""

    bytes_on_gpu = staticmethod(bytes_on_gpu)

    def __init__(self, gradient: Gradient, params: Any, in_one_loop: bool = False) -> None:
        optimizer = optax.adam(LEARNING_RATE)

        def step(params: Any, moments: Any) -> tuple[Any, Any, Any]:
            loss, found = gradient(params)
            updates, moments = optimizer.update(found, moments)
            return optax.apply_updates(params, updates), moments, loss

        def loop(params: Any, moments: Any) -> tuple[Any, Any, Any]:
            def body(state: Any, _: None) -> Any:
                *state, loss = step(*state)
                return tuple(state), loss

            state, losses = lax.scan(body, (params, moments), length=STEPS_PER_CALL)
            return *state, losses

        self.gradient, self.params = jax.jit(gradient), params
        self.state = jax.tree.map(jax.numpy.copy, (params, optimizer.init(params)))
        self.calls = 1 if in_one_loop else STEPS_PER_CALL
        call = jax.jit(loop if in_one_loop else step, donate_argnums=(0, 1))
        self.call = call.lower(*self.state).compile()

    def check(self) -> tuple[Any, Any]:
        """Loss and gradient, in the library's own names."""
        return self.gradient(self.params)

    def train(self) -> None:
        """Ten steps."""
        for _ in range(self.calls):
            *self.state, loss = self.call(*self.state)
        jax.block_until_ready(loss)
