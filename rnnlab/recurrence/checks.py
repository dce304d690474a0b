"""Whether a cell keeps its promises and arguments fit it, told before anything is computed."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from rnnlab.cells.cell import Cell, unobserved
from rnnlab.cells.state import state_like
from rnnlab.support.user_code import place_of

FLOATS = {"real": jnp.floating, "complex": jnp.complexfloating}


def check_cell(cell: Cell, params: Any, x: Float[Array, "batch inputs"]) -> None:
    """Check shapes and types of the state, of one step and of the output, without computing.

    Args:
        cell: the cell.
        params: one layer's parameters.
        x: inputs of one step.

    Raises:
        ValueError: a method of the cell returns something else than its base class promises.
    """
    kind = type(cell).__name__
    before = _initial_state(cell, len(x))
    after = jax.eval_shape(lambda p, s, x: cell.step(p, s, x, unobserved), params, before, x)
    _check_is_state(cell, after, cell.step)
    for name, old, new in zip(cell.State._fields, before, after, strict=True):
        if _kind_of(old) != _kind_of(new):
            raise ValueError(
                f"{kind}: initial_state makes {name} {_kind_of(old)}, and step makes it "
                f"{_kind_of(new)}: they must agree{place_of(cell.step)}"
            )
    output = jax.eval_shape(cell.output, after)
    if len(output.shape) != 2 or not jnp.issubdtype(output.dtype, jnp.floating):
        raise ValueError(
            f"{kind}.output must return real numbers (batch, features), got {_kind_of(output)}"
            + place_of(cell.output)
        )


def _initial_state(cell: Cell, batch: int) -> Any:
    """Shapes and types of the checked initial state."""
    kind, fields = type(cell).__name__, cell.State._fields
    before = jax.eval_shape(lambda: cell.initial_state(batch))
    _check_is_state(cell, before, cell.initial_state)
    if cell.carry not in fields:
        raise ValueError(f"{kind}.carry is {cell.carry!r}, and the state has {', '.join(fields)}")
    if "h" not in fields and type(cell).output is Cell.output:
        raise ValueError(f"{kind} has no state h: write output(state), what the readout reads")
    for name, part in zip(fields, before, strict=True):
        if not jnp.issubdtype(part.dtype, jnp.inexact):
            raise ValueError(
                f"{kind}.initial_state makes {name} {_kind_of(part)}: every part of the state must "
                f"be of floats, real or complex{place_of(cell.initial_state)}"
            )
    return before


def _check_is_state(cell: Cell, got: Any, method: Callable[..., Any]) -> None:
    if not isinstance(got, cell.State):
        raise ValueError(
            f"{type(cell).__name__}.{method.__name__} must return a {cell.State.__name__}, got a "
            f"{type(got).__name__}{place_of(method)}"
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
        wanted = "complex" if _is_complex(like) else "real"
        if not jnp.issubdtype(dtype := jnp.result_type(part), FLOATS[wanted]):
            raise ValueError(f"initial_state.{name} must be {wanted}, got {dtype}")


def _kind_of(like: Any) -> str:
    known = (word for word, kind in FLOATS.items() if jnp.issubdtype(like.dtype, kind))
    return f"{next(known, like.dtype)} {tuple(like.shape)}"


def _is_complex(like: Any) -> bool:
    return jnp.issubdtype(like.dtype, jnp.complexfloating)
