"""What a traced function tells of itself: its constants, and whether it reads its argument."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Literal


def reads_its_argument(traced: ClosedJaxpr) -> bool:
    """Whether a result depends on the argument, as far as the outermost operations tell."""
    moved = set(map(id, traced.jaxpr.invars))
    for equation in traced.jaxpr.eqns:
        if moved.intersection(map(id, equation.invars)):
            moved.update(map(id, equation.outvars))
    return not moved.isdisjoint(map(id, traced.jaxpr.outvars))


def have_equal_constants(first: ClosedJaxpr, second: ClosedJaxpr) -> bool:
    """Whether two traces of one function hold the same constants, bit for bit."""
    return list(_constants(first)) == list(_constants(second))


def _constants(traced: ClosedJaxpr) -> Iterator[tuple[tuple[int, ...], bytes]]:
    """Shape and bytes of each constant of a traced function, and of the functions in it."""
    readers = [*(equation.invars for equation in traced.jaxpr.eqns), traced.jaxpr.outvars]
    literals = [v.val for variables in readers for v in variables if isinstance(v, Literal)]
    for value in (*traced.consts, *literals):
        yield np.shape(value), _bytes(value)
    for equation in traced.jaxpr.eqns:
        for inner in jax.tree.leaves(list(equation.params.values())):
            if isinstance(inner, ClosedJaxpr):
                yield from _constants(inner)


def _bytes(value: Any) -> bytes:
    is_key = jnp.issubdtype(getattr(value, "dtype", np.dtype(float)), jax.dtypes.prng_key)
    return np.asarray(jax.random.key_data(value) if is_key else value).tobytes()
