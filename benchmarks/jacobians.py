"""What measuring costs, as ratios to automatic differentiation in the same run.

The variants of each row take turns; each ratio is that of two neighbours in time.

    python benchmarks/jacobians.py [hidden]      default 128
"""

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from rnnlab import GRU, LSTM, VanillaRNN
from rnnlab.cells import Cell
from rnnlab.gradients.jacobian import part_matrices
from rnnlab.gradients.lyapunov import log_growth
from rnnlab.recurrence import record_tapes

TIME, BATCH, ROUNDS = 20, 8, 12
FEW_EXPONENTS = 8

Call = Callable[[], Any]


def jacobian_calls(cell: Cell) -> dict[str, Call]:
    """The state's Jacobian at every step of every example; then the other matrices."""
    params = cell.init(jax.random.key(0), 2)
    inputs = jax.random.normal(jax.random.key(1), (TIME, BATCH, 2))
    (tape,), _ = record_tapes(cell, params, inputs)

    def of_one(before: Any, x: Any) -> Any:
        def step(before: Any) -> Any:
            one = jax.tree.map(lambda part: part[None], before)
            return jax.tree.map(lambda part: part[0], cell.step(params, one, x[None]))

        return jax.jacrev(step)(before)

    automatic = jax.jit(jax.vmap(jax.vmap(of_one)))
    calls: dict[str, Call] = {"vmap(jacrev(step))": lambda: automatic(tape.before, inputs)}
    for part in ("state", "total", "indirect"):
        calls[part] = lambda part=part: part_matrices(cell, [tape], part)  # type: ignore[misc]
    return calls


def lyapunov_calls(cell: Cell) -> dict[str, Call]:
    """All exponents, and a few."""
    params = cell.init(jax.random.key(0), 2)
    inputs = jax.random.normal(jax.random.key(1), (TIME, BATCH, 2))
    size = len(cell.State._fields) * cell.hidden
    return {
        f"exponents, k = {k}": lambda k=k: log_growth(cell, params, inputs, k, None)  # type: ignore[misc]
        for k in (size, FEW_EXPONENTS)
    }


def seconds(call: Call) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - start


def compare(name: str, calls: dict[str, Call]) -> None:
    """Print how many times as fast as the first each of the calls is."""
    for call in calls.values():
        seconds(call)
    times = np.array([[seconds(call) for call in calls.values()] for _ in range(ROUNDS)])
    for label, column in zip(calls, times.T, strict=True):
        ratio = times[:, 0] / column
        spread = f"{np.median(ratio):6.1f} [{ratio.min():.1f}, {ratio.max():.1f}]"
        print(f"{name:22} {label:22} {np.median(column) * 1e3:10.2f} {spread:>24}")


def main() -> None:
    """Measure, and print a table."""
    hidden = int(sys.argv[1]) if len(sys.argv) > 1 else 128
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"jax {jax.__version__}, {jax.devices()[0].device_kind}, {cores} cores")
    print(f"hidden {hidden}, {TIME} steps of {BATCH} examples, float32; {ROUNDS} rounds\n")
    print(f"{'cell':22} {'':22} {'ms, median':>10} {'times as fast: median':>24}")
    for cell in (LSTM(hidden=hidden), GRU(hidden=hidden), VanillaRNN(hidden=hidden)):
        compare(type(cell).__name__, jacobian_calls(cell))
    compare("LSTM", lyapunov_calls(LSTM(hidden=hidden)))


if __name__ == "__main__":
    main()
