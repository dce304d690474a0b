"""Sensitivity of the last state to each earlier one: ‖∂c_T/∂c_t‖₂ at any length."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Inexact

from rnnlab.cells import Cell, dynamics_of
from rnnlab.cells.state import Vector, as_real, from_real, real_parts
from rnnlab.gradients.backward import pull_back, scaled_norms
from rnnlab.gradients.large_states import (
    carry_product_by_products,
    direct_product_by_products,
    is_large,
    total_by_products,
)
from rnnlab.gradients.norms import log10_spectral_norm
from rnnlab.gradients.paths import is_gate
from rnnlab.gradients.scaled import Scaled, as_scaled, log10_size, zeros
from rnnlab.gradients.scaled_maps import Apply, exactly
from rnnlab.recurrence.own_cells import check_own_cell
from rnnlab.recurrence.stack import (
    Inputs,
    Tape,
    as_inputs,
    check_finite,
    record_tapes,
    unroll_observed,
)
from rnnlab.recurrence.step import observed_step
from rnnlab.support.errors import did_you_mean

LogNorms = Float[Array, "*layers time batch"]


class Sensitivity(NamedTuple):
    """log10 norms for every t, T the last time step; arrays (time, batch).

    A value is −inf where the derivative is zero, as where a gate is below the smallest float.
    With several layers there is a leading layer axis; each layer's inputs are held constant.

    Attributes:
        log10_total: log10‖∂of_T/∂to_t‖₂ over every path; 0 at t = T where ``of`` equals ``to``.
        log10_stack: the same for the top layer's last state by each layer's at t, through the whole
            stack; for a single layer, ``log10_total``.
        log10_direct: an approximation: log10 of the greatest product of the direct path over units,
            Π f of an LSTM, Π z of a GRU; None where the cell has no direct path, or ``of`` and
            ``to`` are not both the carry.
        log10_cell_product: an approximation: log10‖Π ∂c_k/∂c_{k−1}‖₂, the product of
            ``Jacobians.total``, which holds o_{k−1} constant in each factor; exact for a cell that
            carries h alone; None where ``of`` and ``to`` are not both the carry.
    """

    log10_total: LogNorms
    log10_stack: LogNorms
    log10_direct: LogNorms | None
    log10_cell_product: LogNorms | None


def sensitivity(
    cell: Cell,
    params: Any,
    inputs: Inputs,
    of: str | None = None,
    to: str | None = None,
    initial_state: Any = None,
) -> Sensitivity:
    """log10‖∂of_T/∂to_t‖₂ for every time step t.

    With J_k = ∂(h, c)_k/∂(h, c)_{k−1} and P = J_T ⋯ J_{t+1}, ∂c_T/∂c_t is
    P_cc + P_ch diag(o_t ⊙ (1 − tanh² c_t)), as h_t depends on c_t. Products are computed backwards
    as mantissas and exponents, so that none underflows or overflows at any length.

    Args:
        cell: the cell.
        params: its parameters, as ``cell.init`` makes them.
        inputs: (time, batch, features).
        of: name of a part of the last state; default c where the cell has one, else h.
        to: name of a part of the earlier states; same default.
        initial_state: as for ``unroll``.

    Raises:
        ValueError: no such part of the state; inputs of another rank or number of features;
            parameters, inputs or states that are not finite; a cell that mixes examples.
    """
    cell, inputs = dynamics_of(cell), as_inputs(inputs)
    check_own_cell(cell, params, inputs)
    of, to = of or cell.carry, to or cell.carry
    for part in (of, to):
        if part not in cell.State._fields:
            hint = did_you_mean(part, cell.State._fields)
            raise ValueError(f"{type(cell).__name__} has no state {part!r}; {hint}")
    result, checked = log_sensitivity(cell, params, inputs, of, to, initial_state)
    check_finite(params=params, inputs=inputs, states=checked)
    if cell.layers > 1:
        return result
    return jax.tree.map(lambda norms: norms[0], result)


@functools.partial(jax.jit, static_argnums=(0, 3, 4))
def log_sensitivity(
    cell: Cell, params: Any, inputs: Inputs, of: str, to: str, initial_state: Any
) -> tuple[Sensitivity, Any]:
    """``sensitivity`` without checks, with a leading layer axis; and the states."""
    tapes, states = record_tapes(cell, params, inputs, initial_state)
    total = jnp.stack([_total(cell, [tape], of, to)[0] for tape in tapes])
    stack = total if len(tapes) == 1 else jnp.stack(_total(cell, tapes, of, to))
    direct = product = None
    if of == to == cell.carry:
        if is_gate(cell):
            direct = gate_products(cell, params, inputs, initial_state)
        elif cell.has_direct_path:
            products = direct_product_by_products if is_large(cell) else direct_products
            direct = jnp.stack([products(cell, tape) for tape in tapes])
        is_exact = cell.State._fields == (cell.carry,)
        carry_product = carry_product_by_products if is_large(cell) else _carry_product
        product = total if is_exact else jnp.stack([carry_product(cell, t) for t in tapes])
    return Sensitivity(total, stack, direct, product), states


def _identity(tape: Tape, part: str) -> Any:
    """∂part_T/∂state_T in the real view, with one row for each entry of the part."""
    last = real_parts(jax.tree.map(lambda a: a[-1], tape.before))
    batch, size = getattr(last, part).shape
    eye = jnp.eye(size, dtype=getattr(last, part).dtype)[:, None]
    rows = type(last)(*(zeros((size, *a.shape), a.dtype) for a in last))
    return rows._replace(**{part: as_scaled(jnp.broadcast_to(eye, (size, batch, size)))})


def _spectral(rows: Float[Array, "rows batch size"]) -> Float[Array, " batch"]:
    return log10_spectral_norm(jnp.moveaxis(rows, 1, 0))


def _total(cell: Cell, tapes: list[Tape], of: str, to: str) -> list[Float[Array, "time batch"]]:
    """log10‖∂of_T/∂to_t‖₂ of the top layer's ``of`` by each layer's ``to``."""
    if is_large(cell):
        return total_by_products(cell, tapes, of, to)
    norms = scaled_norms(cell, tapes, _identity(tapes[-1], of), None, _spectral)
    return [layer[to] for layer in norms]


def _carry_product(cell: Cell, tape: Tape) -> Float[Array, "time batch"]:
    """log10‖Π ∂c_k/∂c_{k−1}‖₂: only the adjoint of c is passed on at each step."""

    def run(apply: Apply, last: Any, nothing: Any) -> Any:
        def step(carried: Any, read: tuple[Any, Array]) -> Any:
            pull = pull_back(cell, tape.params, *read)
            pulled, is_total_exact = apply(pull, carried)
            at = getattr(pulled.at, cell.carry)
            passed, is_passed_exact = apply(pull, nothing._replace(**{cell.carry: at}))
            return passed.before, (log10_size(at, _spectral), is_total_exact & is_passed_exact)

        return lax.scan(step, last, (tape.before, tape.inputs), reverse=True)[1]

    last = _identity(tape, cell.carry)
    nothing = type(last)(*(zeros(x.mantissa.shape, x.mantissa.dtype) for x in last))
    return exactly(run, last, nothing)


def gate_products(
    cell: Cell, params: Any, inputs: Inputs, initial_state: Any
) -> Float[Array, "layers time batch"]:
    """log10 of the largest product Π_{k>t} of the direct path's gate over units; 0 at step T."""
    assert cell.direct is not None
    collect = {cell.direct: _log10_of_each}
    seen = unroll_observed(cell, params, inputs, initial_state, collect=collect)
    later = jnp.flip(seen.collected[cell.direct][:, 1:], axis=1)
    sums = jnp.flip(jnp.cumsum(later, axis=1), axis=1)
    return jnp.max(jnp.pad(sums, ((0, 0), (0, 1), (0, 0), (0, 0))), axis=-1)


def _log10_of_each(gate: Inexact[Array, "batch *shape"]) -> Vector:
    return as_real(jnp.log10(jnp.abs(gate)))


def direct_products(cell: Cell, tape: Tape) -> Float[Array, "time batch"]:
    """log10‖Π_{k>t} D_k‖₂ for one layer, with D_k the direct path of step k; 0 at step T."""

    def run(apply: Apply, last: Scaled) -> Any:
        def step(carried: Scaled, read: tuple[Any, Array]) -> Any:
            before, x = read
            carry = getattr(before, cell.carry)
            _, seen = observed_step(cell, tape.params, before, x)

            def direct(v: Vector) -> Vector:
                return as_real(cell.direct_path(tape.params, seen, from_real(v, carry)))

            pull = jax.vmap(jax.linear_transpose(direct, as_real(carry)))
            (pulled,), is_exact = apply(pull, carried)
            return pulled, (log10_size(carried, _spectral), is_exact)

        return lax.scan(step, last, (tape.before, tape.inputs), reverse=True)[1]

    return exactly(run, getattr(_identity(tape, cell.carry), cell.carry))
