"""One step's ∂carry_t/∂carry_{t−1}, split by path: direct, and through each gate.

∂c_t/∂c_{t−1} treats h_{t−1} as a function of c_{t−1}, as step t − 1 computes it:
o_{t−1} ⊙ tanh(c_{t−1}) with o_{t−1} held constant. A path belongs to the first gate that it passes.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from rnnlab.cells.cell import Cell, unobserved
from rnnlab.cells.inheritance import holds_for
from rnnlab.cells.jacobian import Diagonal, Matrix, StepJacobian
from rnnlab.cells.state import (
    Vector,
    as_real,
    flatten,
    from_real,
    real_parts,
    state_like,
    unflatten,
)
from rnnlab.recurrence.stack import Tape
from rnnlab.recurrence.step import observed_step
from rnnlab.support.errors import did_you_mean

OTHER = "other"
RESERVED = ("direct", "indirect", "total", OTHER)

# Vectors by part of the state or by gate; their sizes may differ from the carry's.
Vectors = dict[str, Float[Array, "batch _"]]
# Derivative of the other parts of a state by its carry: tangent of the carry → tangent by part.
OthersMove = Callable[[Vector], Vectors]


class CarryMove(NamedTuple):
    """The tangent of carry_t for a tangent of carry_{t−1}, split by path, in the real view.

    Attributes:
        direct: along the direct path, or None.
        indirect: through each gate.
    """

    direct: Vector | None
    indirect: dict[str, Vector]

    @property
    def all_indirect(self) -> Vector:
        """Σ indirect."""
        return sum(self.indirect.values())  # type: ignore[return-value]

    @property
    def total(self) -> Vector:
        """direct + Σ indirect."""
        return self.all_indirect + (0 if self.direct is None else self.direct)


@jax.default_matmul_precision("highest")
def scan_paths(cell: Cell, tape: Tape, reduce: Callable[[StepJacobian], Any]) -> Any:
    """``reduce`` applied to the Jacobian of each time step, with a leading time axis.

    At t = 0 the previous state is constant: there h does not depend on c.
    """

    def step(others: dict[str, Array], read: Any) -> tuple[dict[str, Array], Any]:
        before, x = read
        split = closed_form if has_closed_form(cell) else automatic
        jacobian = split(cell, tape.params, before, x, others)
        return jacobian.others_by_carry, reduce(jacobian)

    return lax.scan(step, _given(cell, tape), (tape.before, tape.inputs))[1]


def _given(cell: Cell, tape: Tape) -> dict[str, Diagonal | Matrix]:
    """``others_by_carry`` of the initial state: zeros, as nothing depends on the carry."""
    parts = real_parts(jax.tree.map(lambda a: a[0], tape.before))._asdict()
    carry = parts.pop(cell.carry)
    columns = () if has_closed_form(cell) else carry.shape[-1:]
    return {name: jnp.zeros((*part.shape, *columns), part.dtype) for name, part in parts.items()}


def has_closed_form(cell: Cell) -> bool:
    """Whether the cell's class defines the Jacobian of its ``step`` in closed form."""
    return holds_for(cell, "step_jacobian", "step", "direct_path")


def closed_form(
    cell: Cell, params: Any, before: Any, x: Array, others: dict[str, Diagonal]
) -> StepJacobian:
    """One step's Jacobian by the cell's own ``step_jacobian``.

    Args:
        cell: the cell.
        params: one layer's parameters.
        before: the state before the step.
        x: its input.
        others: diagonals of ∂(other part)_{t−1}/∂carry_{t−1}.
    """
    assert cell.step_jacobian is not None
    _, seen = observed_step(cell, params, before, x)
    return cell.step_jacobian(params, before, seen, others)


def automatic(
    cell: Cell, params: Any, before: Any, x: Array, others: dict[str, Matrix]
) -> StepJacobian:
    """One step's Jacobian by automatic differentiation, for any cell; ``others`` are matrices."""

    def others_before(v: Vector) -> Vectors:
        return {name: jnp.einsum("bij,bj->bi", matrix, v) for name, matrix in others.items()}

    push, seen = carry_moves(cell, params, before, x, others_before)
    carry = as_real(getattr(before, cell.carry))
    moved = matrices(push, carry)
    direct = moved.direct
    if cell.direct is not None and _is_diagonal(cell, seen[cell.direct]):
        direct = seen[cell.direct]
    followers = matrices(others_moves(cell, params, before, x), carry)
    state = batch_jacobian(lambda flat: flat_step(cell, [params], flat, x), flatten(before))
    return StepJacobian(direct, moved.indirect, followers, state)


def is_gate(cell: Cell) -> bool:
    """Whether the direct path is an observed gate that multiplies the carry entry by entry."""
    return cell.direct is not None and type(cell).direct_path is Cell.direct_path


def _is_diagonal(cell: Cell, gate: Array) -> bool:
    """Whether a gate's values are the diagonal of the direct path, as for a real vector carry."""
    like = getattr(state_like(cell), cell.carry)
    is_vector = len(like.shape) == 2 and not jnp.issubdtype(like.dtype, jnp.complexfloating)
    return is_gate(cell) and is_vector and gate.shape[1:] == like.shape[1:]


def carry_moves(
    cell: Cell, params: Any, before: Any, x: Array, others_before: OthersMove
) -> tuple[Callable[[Vector], CarryMove], dict[str, Array]]:
    """The linear map ∂carry_t/∂carry_{t−1} of one step of any cell, by automatic differentiation.

    Args:
        cell: the cell.
        params: one layer's parameters.
        before: the state before the step.
        x: its input.
        others_before: the derivative of the other parts of the previous state by its carry.

    Returns:
        The map from a tangent of carry_{t−1} to that of carry_t by path, where ``other`` is the
        path through no observed gate, less the declared direct path; and the observed values.

    Raises:
        ValueError: ``direct`` names no observed gate, or a gate has a reserved name.
    """
    name, given = cell.carry, getattr(before, cell.carry)
    _, seen = observed_step(cell, params, before, x)
    gates = {key: value for key, value in seen.items() if key not in cell.State._fields}
    _check_names(cell, gates)

    def along(v: Vector) -> tuple[Vector, Vectors]:
        """Carry and gates after adding ``v`` to the carry, gates held constant (stop_gradient)."""
        moves = others_before(v) | {name: v}
        moved = {k: _moved(getattr(before, k), move) for k, move in moves.items()}
        stop = dict.fromkeys(gates, lax.stop_gradient)
        after, heard = observed_step(cell, params, before._replace(**moved), x, stop)
        return as_real(getattr(after, name)), {key: as_real(heard[key]) for key in gates}

    _, push_past_gates = jax.linearize(along, jnp.zeros_like(as_real(given)))
    through = {k: _parts_by_value(cell, params, before, x, k, v) for k, v in gates.items()}

    def push(v: Vector) -> CarryMove:
        past_gates, moves = push_past_gates(v)
        indirect = {gate: getattr(through[gate](move), name) for gate, move in moves.items()}
        if not cell.has_direct_path:
            return CarryMove(None, indirect | {OTHER: past_gates})
        direct = as_real(cell.direct_path(params, seen, from_real(v, given)))
        return CarryMove(direct, indirect | {OTHER: past_gates - direct})

    return push, seen


def others_moves(cell: Cell, params: Any, before: Any, x: Array) -> OthersMove:
    """The derivative of the other parts of the new state by its carry, within the step."""
    after, _ = observed_step(cell, params, before, x)
    by_carry = _parts_by_value(cell, params, before, x, cell.carry, getattr(after, cell.carry))

    def move(v: Vector) -> Vectors:
        moved = by_carry(v)._asdict()
        return {part: moved[part] for part in cell.State._fields if part != cell.carry}

    return move


def _parts_by_value(
    cell: Cell, params: Any, before: Any, x: Array, name: str, value: Array
) -> Callable[[Array], Any]:
    """The derivative of the parts of the new state by the value observed under this name."""

    def nudged(nudge: Float[Array, "batch _"]) -> Any:
        replace = {name: lambda value: _moved(value, nudge)}
        return real_parts(observed_step(cell, params, before, x, replace)[0])

    return jax.linearize(nudged, jnp.zeros_like(as_real(value)))[1]


def _moved(value: Array, move: Float[Array, "batch _"]) -> Array:
    return value + from_real(move, value)


def _check_names(cell: Cell, gates: dict[str, Array]) -> None:
    kind = type(cell).__name__
    if reserved := gates.keys() & set(RESERVED):
        raise ValueError(f"{kind}.step observes {min(reserved)!r}, a reserved name")
    if cell.direct is not None and cell.direct not in gates:
        raise ValueError(
            f"{kind}.direct names {cell.direct!r}, which its step does not observe; "
            + did_you_mean(cell.direct, gates)
        )


def flat_step(
    cell: Cell, params: list[Any], flat: Float[Array, "batch states"], x: Array
) -> Float[Array, "batch states"]:
    """One step of all layers, their states side by side in the real view."""
    like = state_like(cell)
    after = []
    for layer_params, part in zip(params, jnp.split(flat, len(params), axis=-1), strict=True):
        after.append(cell.step(layer_params, unflatten(part, like), x, unobserved))
        x = cell.output(after[-1])
    return flatten(*after)


def batch_jacobian(function: Callable[[Array], Any], point: Float[Array, "batch size"]) -> Any:
    """Jacobians (batch, out, size) of a function that treats each example separately."""
    return matrices(jax.linearize(function, point)[1], point)


def matrices(push: Callable[[Vector], Any], like: Float[Array, "batch size"]) -> Any:
    """The matrices (batch, out, size) of linear maps on vectors of this shape."""
    batch, size = like.shape
    basis = jnp.broadcast_to(jnp.eye(size, dtype=like.dtype)[:, None], (size, batch, size))
    return jax.tree.map(lambda columns: jnp.moveaxis(columns, 0, -1), jax.vmap(push)(basis))
