"""Jacobians, sensitivities and Lyapunov exponents, against plain automatic differentiation.

The variants of each row take turns; each ratio is that of two neighbours in time. First both must
find the same numbers.

    python benchmarks/measurement.py [HIDDEN]      default 64
"""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from machine import Row, markdown, write

from rnnlab import GRU, LSTM, VanillaRNN, sensitivity
from rnnlab.cells import Cell
from rnnlab.gradients.jacobian import part_matrices
from rnnlab.gradients.lyapunov import log_growth
from rnnlab.gradients.norms import log10_spectral_norm
from rnnlab.recurrence.stack import record_tapes
from rnnlab.recurrence.step import observed_step

TIME, BATCH, ROUNDS = 20, 8, 8
FEW = 8
# Of the largest entry; sensitivities and exponents are logarithms of products over time.
TOLERANCE = 1e-3

Call = Callable[[], Any]


def state_jacobian(cell: Cell, params: Any, before: Any, x: Any) -> Any:
    """∂(h, c)_t/∂(h, c)_{t−1} of one example, as ``jax.jacrev`` gives it."""

    def step(before: Any) -> Any:
        one = jax.tree.map(lambda part: part[None], before)
        return jax.tree.map(lambda part: part[0], cell.step(params, one, x[None]))

    blocks = jax.jacrev(step)(before)
    return jnp.block([[blocks[i][j] for j in range(len(before))] for i in range(len(before))])


def jacobian_calls(cell: Cell, params: Any, inputs: Any) -> dict[str, Call]:
    """The state's Jacobian at every step of every example."""
    (tape,), _ = record_tapes(cell, params, inputs)

    def of_one(before: Any, x: Any) -> Any:
        return state_jacobian(cell, params, before, x)

    automatic = jax.jit(jax.vmap(jax.vmap(of_one)))
    return {
        "vmap(jacrev(step))": lambda: automatic(tape.before, inputs),
        "jacobians": lambda: part_matrices(cell, [tape], "state"),
    }


def sensitivity_calls(cell: Cell, params: Any, inputs: Any) -> dict[str, Call]:
    """log10‖∂c_T/∂c_t‖₂ for every t."""
    start = cell.initial_state(BATCH)

    def last(nudges: Any) -> Any:
        def step(state: Any, at_t: Any) -> Any:
            x, nudge = at_t
            nudged = {cell.carry: lambda value: value + nudge}
            return observed_step(cell, params, state, x, nudged)[0], None

        return getattr(lax.scan(step, start, (inputs, nudges))[0], cell.carry)

    @jax.jit
    def automatic() -> Any:
        pull = jax.vjp(last, jnp.zeros((TIME, BATCH, cell.hidden)))[1]
        rows = jnp.broadcast_to(jnp.eye(cell.hidden)[:, None], (cell.hidden, BATCH, cell.hidden))
        (jacobians,) = jax.vmap(pull)(rows)
        return log10_spectral_norm(jnp.moveaxis(jacobians, 0, 2))

    return {
        "vmap(vjp(unroll)), then norms": automatic,
        "sensitivity": lambda: sensitivity(cell, params, inputs).log10_total,
    }


def lyapunov_calls(cell: Cell, params: Any, inputs: Any) -> dict[str, Call]:
    """log|R_ii| of every step; the few greatest are compared, the others may be noise."""
    start = cell.initial_state(BATCH)
    size = len(cell.State._fields) * cell.hidden
    random = jnp.linalg.qr(jax.random.normal(jax.random.key(0), (size, size)))[0]

    @jax.jit
    def automatic() -> Any:
        def step(carry: Any, x: Any) -> Any:
            state, basis = carry
            jacobian = jax.vmap(lambda s, x: state_jacobian(cell, params, s, x))(state, x)
            basis, r = jnp.linalg.qr(jacobian @ basis)
            stretch = jnp.log(jnp.abs(jnp.diagonal(r, axis1=-2, axis2=-1)))
            return (cell.step(params, state, x), basis), stretch

        basis = jnp.broadcast_to(random, (BATCH, size, size))
        return lax.scan(step, (start, basis), inputs)[1][..., :FEW]

    return {
        "vmap(jacrev(step)), then QR": automatic,
        "lyapunov_exponents": lambda: log_growth(cell, params, inputs, size, None)[0][..., :FEW],
    }


def seconds(call: Call) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - start


def compare(cell: Cell, hidden: int, calls: dict[str, Call]) -> list[Row]:
    """A row for each call: how many times as fast as the first it is."""
    first, second = [np.asarray(call()) for call in calls.values()]
    np.testing.assert_allclose(second, first, atol=TOLERANCE * np.abs(first).max(), rtol=0)
    times = np.array([[seconds(call) for call in calls.values()] for _ in range(ROUNDS)])
    rows = []
    for label, column in zip(calls, times.T, strict=True):
        ratio = times[:, 0] / column
        row: Row = {"cell": type(cell).__name__, "hidden": hidden, "what": label}
        row |= {"milliseconds": np.median(column) * 1e3}
        row |= {"times_as_fast": np.median(ratio), "low": ratio.min(), "high": ratio.max()}
        rows.append(row)
    return rows


def table(rows: Sequence[Row]) -> str:
    """In Markdown."""
    lines = [
        [
            *(row["cell"], row["hidden"], row["what"], f"{row['milliseconds']:.3g}"),
            f"{row['times_as_fast']:.1f} [{row['low']:.1f}, {row['high']:.1f}]",
        ]
        for row in rows
    ]
    header = ["cell", "hidden", f"what, of {TIME} steps of {BATCH} examples", "ms"]
    return markdown([*header, "times as fast: median [range]"], lines)


def main() -> None:
    """Measure, print, and keep the figures."""
    hidden = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    rows: list[Row] = []
    with jax.default_matmul_precision("highest"):
        for cell in (LSTM(hidden=hidden), GRU(hidden=hidden), VanillaRNN(hidden=hidden)):
            params = cell.init(jax.random.key(0), 2)
            inputs = jax.random.normal(jax.random.key(1), (TIME, BATCH, 2))
            for calls in (jacobian_calls, sensitivity_calls, lyapunov_calls):
                rows += compare(cell, hidden, calls(cell, params, inputs))
    print(table(rows))
    write("measurement", rows)


if __name__ == "__main__":
    main()
