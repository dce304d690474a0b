"""Whether a cell keeps its promises and arguments fit it, told before anything is computed."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from rnnlab.cells.cell import Cell, unobserved
from rnnlab.cells.state import state_like


def check_cell(cell: Cell, params: Any, x: Float[Array, "batch inputs"]) -> None:
    """Check shapes and types of the state, of one step and of the output, without computing.

    Args:
        cell: the cell.
        params: one layer's parameters.
        x: inputs of one step.

    Raises:
        ValueError: a method of the cell returns something else than its base class promises.
    """
    kind, fields = type(cell).__name__, cell.State._fields
    before = jax.eval_shape(lambda: cell.initial_state(len(x)))
    if not isinstance(before, cell.State):
        got = type(before).__name__
        raise ValueError(f"{kind}.initial_state must return a {cell.State.__name__}, got a {got}")
    if cell.carry not in fields:
        raise ValueError(f"{kind}.carry is {cell.carry!r}, and the state has {', '.join(fields)}")
    if "h" not in fields and type(cell).output is Cell.output:
        raise ValueError(f"{kind} has no state h: write output(state), what the readout reads")
    after = jax.eval_shape(lambda p, s, x: cell.step(p, s, x, unobserved), params, before, x)
    if not isinstance(after, cell.State):
        got = type(after).__name__
        raise ValueError(f"{kind}.step must return a {cell.State.__name__}, got a {got}")
    for name, old, new in zip(fields, before, after, strict=True):
        if _kind_of(old) != _kind_of(new):
            raise ValueError(
                f"{kind}: initial_state makes {name} {_kind_of(old)}, and step makes it "
                f"{_kind_of(new)}: they must agree"
            )
    output = jax.eval_shape(cell.output, after)
    if len(output.shape) != 2 or _is_complex(output):
        raise ValueError(
            f"{kind}.output must return real numbers (batch, features), got {_kind_of(output)}"
        )


def check_initial_state(cell: Cell, state: Any, batch: int) -> None:
    """Check an initial state that a user gives, with a leading layer axis for several layers.

    Raises:
        ValueError: it is no state of the cell, or a part has another shape or type.
    """
    if not isinstance(state, cell.State):
        wanted, got = cell.State.__name__, type(state).__name__
        raise ValueError(f"initial_state must be a {wanted}, got a {got}")
    layers = (cell.layers,) if cell.layers > 1 else ()
    for name, like in zip(cell.State._fields, state_like(cell), strict=True):
        expected, part = (*layers, batch, *like.shape[1:]), getattr(state, name)
        if jnp.shape(part) != expected:
            raise ValueError(
                f"initial_state.{name} must have shape {expected}, got {jnp.shape(part)}"
            )
        if jnp.iscomplexobj(part) and not _is_complex(like):
            raise ValueError(f"initial_state.{name} must be real, got {jnp.asarray(part).dtype}")


def _kind_of(like: Any) -> str:
    return f"{'complex' if _is_complex(like) else 'real'} {tuple(like.shape)}"


def _is_complex(like: Any) -> bool:
    return jnp.issubdtype(like.dtype, jnp.complexfloating)
