"""One step's Jacobian of the carry, split by path: direct, and through each gate.

The carry is c where a cell has one, else h. ∂c_t/∂c_{t−1} takes h_{t−1} as the function of c_{t−1}
that step t − 1 makes it, o_{t−1} ⊙ tanh(c_{t−1}) with o_{t−1} given. A path belongs to the first
gate that it passes.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from rnnlab.cells.cell import Cell, Params, unobserved
from rnnlab.cells.jacobian import Diagonal, Matrix, diagonal
from rnnlab.recurrence.stack import Tape
from rnnlab.support.errors import did_you_mean

OTHER = "other"
Observed = dict[str, Array]


class Paths(NamedTuple):
    """∂carry_t/∂carry_{t−1} by path, and ∂state_t/∂state_{t−1}; J[i, j] = ∂(out)_i/∂(in)_j.

    Attributes:
        direct: diagonal of the direct path, or None.
        indirect: through each gate.
        state: of the whole state, in the order of ``State``.
    """

    direct: Diagonal | None
    indirect: dict[str, Matrix]
    state: Float[Array, "batch state state"]

    @property
    def all_indirect(self) -> Matrix:
        """Σ indirect."""
        return sum(self.indirect.values())  # type: ignore[return-value]

    @property
    def total(self) -> Matrix:
        """diag(direct) + Σ indirect."""
        return self.all_indirect + (0 if self.direct is None else diagonal(self.direct))


@jax.default_matmul_precision("highest")
def scan_paths(cell: Cell, tape: Tape, reduce: Callable[[Paths], Any]) -> Any:
    """What ``reduce`` makes of the paths of each time step, with a leading time axis.

    At t = 0 the state before is given: h does not follow c there.
    """

    def step(h_by_carry: Array | None, read: Any) -> tuple[Array | None, Any]:
        before, x = read
        split = closed_form if has_closed_form(cell) else automatic
        paths, h_by_carry = split(cell, tape.params, before, x, h_by_carry)
        return h_by_carry, reduce(paths)

    batch, hidden = tape.before.h.shape[1:]
    columns = () if has_closed_form(cell) else (hidden,)
    first = None if cell.carry == "h" else jnp.zeros((batch, hidden, *columns), tape.before.h.dtype)
    return lax.scan(step, first, (tape.before, tape.inputs))[1]


def has_closed_form(cell: Cell) -> bool:
    """Whether the cell's class says what the Jacobian of its ``step`` is."""
    classes = type(cell).__mro__
    step, closed = (
        next(place for place, owner in enumerate(classes) if name in vars(owner))
        for name in ("step", "step_jacobian")
    )
    return closed <= step and classes[closed] is not Cell


def closed_form(
    cell: Cell, params: Params, before: Any, x: Array, h_by_carry: Diagonal | None
) -> tuple[Paths, Diagonal | None]:
    """The paths of one step, and ∂h_t/∂c_t of this step, given that of the step before."""
    _, seen = observe(cell, params, before, x)
    j = cell.step_jacobian(params, before, seen)
    indirect = j.by_h
    if h_by_carry is not None:
        indirect = {k: by_h * h_by_carry[..., None, :] for k, by_h in indirect.items()}
    return Paths(j.direct, indirect, j.state), j.h_by_carry


def automatic(
    cell: Cell, params: Params, before: Any, x: Array, h_by_carry: Matrix | None
) -> tuple[Paths, Matrix | None]:
    """As ``closed_form``, by automatic differentiation, for any cell.

    What passes no observed gate, and is not the declared direct path, is ``other``.
    """
    carry = cell.carry
    _, seen = observe(cell, params, before, x)
    gates = {name: value for name, value in seen.items() if name not in cell.State._fields}

    def along(v: Diagonal) -> tuple[Array, Observed]:
        """Carry and gates as the previous carry moves, no gate hearing of another's move."""
        moved = {carry: getattr(before, carry) + v}
        if h_by_carry is not None:
            moved["h"] = before.h + jnp.einsum("bij,bj->bi", h_by_carry, v)
        stop = dict.fromkeys(gates, lax.stop_gradient)
        state, heard = observe(cell, params, before._replace(**moved), x, stop)
        return getattr(state, carry), {name: heard[name] for name in gates}

    def nudged(name: str, part: str) -> Matrix:
        """∂part_t by the value observed as ``name``."""

        def function(nudge: Array) -> Array:
            state, _ = observe(cell, params, before, x, {name: lambda value: value + nudge})
            return getattr(state, part)

        return batch_jacobian(function, jnp.zeros_like(seen[name]))

    if reserved := gates.keys() & {"direct", "indirect", "total", OTHER}:
        raise ValueError(f"{type(cell).__name__}.step observes {min(reserved)!r}, a reserved name")
    past_gates, gates_by_carry = batch_jacobian(along, jnp.zeros_like(before.h))
    direct = _direct(cell, gates)
    indirect = {name: nudged(name, carry) @ gates_by_carry[name] for name in gates}
    indirect[OTHER] = past_gates - (0 if direct is None else diagonal(direct))
    state = batch_jacobian(lambda flat: flat_step(cell, [params], flat, x), flatten(before))
    return Paths(direct, indirect, state), None if carry == "h" else nudged(carry, "h")


def _direct(cell: Cell, gates: Observed) -> Diagonal | None:
    if cell.direct is not None and cell.direct not in gates:
        raise ValueError(
            f"{type(cell).__name__}.direct names {cell.direct!r}, which its step does not observe; "
            + did_you_mean(cell.direct, gates)
        )
    return None if cell.direct is None else gates[cell.direct]


def observe(
    cell: Cell,
    params: Params,
    before: Any,
    x: Array,
    replace: Mapping[str, Callable[[Array], Array]] | None = None,
) -> tuple[Any, Observed]:
    """One step, and what it observed, before ``replace`` changes what it goes on with."""
    seen: Observed = {}

    def hook(name: str, value: Array) -> Array:
        seen[name] = value
        return replace[name](value) if replace and name in replace else value

    return cell.step(params, before, x, hook), seen


def flat_step(
    cell: Cell, params: list[Params], flat: Float[Array, "batch states"], x: Array
) -> Float[Array, "batch states"]:
    """One step of all layers, their states side by side."""
    states = [unflatten(cell, part) for part in jnp.split(flat, len(params), axis=-1)]
    after = []
    for layer_params, state in zip(params, states, strict=True):
        after.append(cell.step(layer_params, state, x, unobserved))
        x = after[-1].h
    return flatten(*after)


def flatten(*states: Any) -> Float[Array, "batch states"]:
    """The parts of one state or several, side by side."""
    return jnp.concatenate([part for state in states for part in state], axis=-1)


def unflatten(cell: Cell, flat: Float[Array, "batch state"]) -> Any:
    """The state whose parts are these."""
    return cell.State(*jnp.split(flat, len(cell.State._fields), axis=-1))


def batch_jacobian(function: Callable[[Array], Any], point: Float[Array, "batch size"]) -> Any:
    """Jacobians (batch, out, size) of a function under which examples do not mix."""
    batch, size = point.shape
    basis = jnp.broadcast_to(jnp.eye(size, dtype=point.dtype)[:, None], (size, batch, size))
    _, push = jax.linearize(function, point)
    return jax.tree.map(lambda columns: jnp.moveaxis(columns, 0, -1), jax.vmap(push)(basis))
