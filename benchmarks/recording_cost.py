"""What recording costs: training steps that record, as ratios to the plain step.

Adding problem, LSTM. Each variant makes 10 updates inside one compiled call; the variants take
turns, and each ratio is that of two neighbours in time.

    python benchmarks/recording_cost.py [T batch hidden]      default 200 64 128
"""

import functools
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from rnnlab import LSTM, Adding
from rnnlab.config import Record, Training
from rnnlab.objective import Objective
from rnnlab.training import Program

UPDATES_PER_CALL = 10
ROUNDS = 12

Step = Callable[[Any, Any], Any]


def steps(program: Program) -> dict[str, Step]:
    """(params, batch) → (loss and gradient, what is recorded)."""
    objective = program.objective

    def plain(params: Any, batch: Any) -> Any:
        return objective.gradient(params, batch), ()

    def norms_and_gate_means(params: Any, batch: Any) -> Any:
        return objective.observed_gradient(objective.task.loss, params, batch, jnp.mean)

    def whole_record(params: Any, batch: Any) -> Any:
        loss_gradient, *statistics = program.record_step(params, batch)
        return loss_gradient, statistics

    return {
        "plain": plain,
        "plain again": plain,
        "norms and gate means": norms_and_gate_means,
        "whole record, with quantiles": whole_record,
    }


def compiled(program: Program, step: Step) -> Callable[[Any], Any]:
    """Ten updates in one call."""
    data = jax.random.key(1)

    def body(state: Any, index: Any) -> Any:
        loss_gradient, recorded = step(state.params, program.batch(data, index))
        state, scalars = program.update(state, loss_gradient)
        return state, (scalars, recorded)

    return jax.jit(lambda state: lax.scan(body, state, jnp.arange(UPDATES_PER_CALL)))


def seconds(call: Callable[[Any], Any], state: Any) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    jax.block_until_ready(call(state))
    return time.perf_counter() - start


def main() -> None:
    """Measure, and print a table."""
    length, batch, hidden = (int(a) for a in sys.argv[1:] or (200, 64, 128))
    objective = Objective(LSTM(hidden=hidden), Adding(length=length))
    program = Program(objective, Training(batch=batch), Record(every=1, examples=batch))
    state = program.start(objective.init(jax.random.key(0)), program.training.learning_rate)
    calls = {name: compiled(program, step) for name, step in steps(program).items()}
    for call in calls.values():
        seconds(call, state)
    measure = functools.partial(seconds, state=state)
    times = np.array([[measure(call) for call in calls.values()] for _ in range(ROUNDS)])
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"jax {jax.__version__}, {jax.devices()[0].device_kind}, {cores} cores")
    print(f"T {length}, batch {batch}, hidden {hidden}; {ROUNDS} rounds of {UPDATES_PER_CALL}\n")
    print(f"{'step':30} {'ms (median)':>12} {'ratio to plain: median [min, max]':>36}")
    for name, column in zip(calls, times.T, strict=True):
        ratio = column / times[:, 0]
        spread = f"{np.median(ratio):.3f} [{ratio.min():.3f}, {ratio.max():.3f}]"
        print(f"{name:30} {np.median(column) / UPDATES_PER_CALL * 1e3:12.2f} {spread:>36}")


if __name__ == "__main__":
    main()
