"""Parameters: any pytree of numbers; real and complex ones are trained, all others held fixed."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

NUMBERS = (jax.Array, np.ndarray, np.generic, jax.ShapeDtypeStruct, bool, int, float, complex)


def check_params(params: Any) -> None:
    """Check that parameters are a pytree of numbers.

    Raises:
        ValueError: a leaf is something else; the message says where.
    """
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        if not isinstance(leaf, NUMBERS) or not _is_number(jnp.result_type(leaf)):
            got = type(leaf).__name__
            hint = f"; jax.tree_util.register_dataclass({got}) makes it a part of a pytree"
            where = "params" + jax.tree_util.keystr(path)
            hint *= hasattr(leaf, "__dataclass_fields__")
            raise ValueError(f"{where} must be an array of numbers, got a {got}{hint}")


def _is_number(dtype: Any) -> bool:
    return any(jnp.issubdtype(dtype, kind) for kind in (jnp.number, jnp.bool_))


def is_trained(leaf: Any) -> bool:
    """Whether it is differentiated and trained: real or complex floating-point numbers."""
    return jnp.issubdtype(jnp.result_type(leaf), jnp.inexact)


def trained(params: Any) -> Any:
    """The parameters with None in place of each leaf that is held fixed."""
    return jax.tree.map(lambda leaf: leaf if is_trained(leaf) else None, params)


def with_fixed(trained: Any, params: Any) -> Any:
    """The tree with the leaves of ``params`` in place of None; the inverse of ``trained``."""

    def given(leaf: Any, fixed: Any) -> Any:
        return fixed if leaf is None else leaf

    return jax.tree.map(given, trained, params, is_leaf=lambda leaf: leaf is None)
