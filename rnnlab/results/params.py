"""Parameters in safetensors files, under dotted names such as ``cell.W_f``."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError, safe_open

from rnnlab.cells import Cell
from rnnlab.cells.params import is_trained
from rnnlab.support.errors import UserError
from rnnlab.support.pairs import as_pairs, from_pairs, pairs_shape
from rnnlab.support.user_files import check_is_file, nearest, not_finite, some

TORCH_NAME = "weight_ih_l0"


def by_dotted_name(params: Any) -> dict[str, Any]:
    """The arrays of parameters by name, such as ``cell.W_f``, or ``cell.0.W_f`` in a stack."""
    leaves = jax.tree_util.tree_leaves_with_path(params)
    names = [jax.tree_util.keystr(path, simple=True, separator=".") for path, _ in leaves]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"two parameters would be stored as {twice!r}: name one differently")
    return {name: leaf for name, (_, leaf) in zip(names, leaves, strict=True)}


def stored_arrays(params: Any) -> dict[str, np.ndarray]:
    """Parameters in the stored form; complex ones as ``as_pairs`` gives them."""
    return {name: as_pairs(leaf) for name, leaf in by_dotted_name(params).items()}


def read_params(path: Path, cell: Cell, input_size: int) -> Any:
    """Parameters as ``cell.init`` makes them, from a file with rnnlab's names.

    Args:
        path: a run's ``params.safetensors``, or a file with its names, also without ``cell.``.
        cell: the cell that the parameters belong to.
        input_size: number of input features.

    Raises:
        UserError: there is no such file, or it does not hold finite weights of this cell.
    """
    with weights_of(path, cell, input_size) as (file, like):
        names = file.keys()
        expected = by_dotted_name({"cell": like})
        bare = {name.removeprefix("cell."): leaf for name, leaf in expected.items()}
        if len(bare.keys() & set(names)) > len(expected.keys() & set(names)):
            expected = bare
        if not expected.keys() <= set(names) and any(n.endswith(TORCH_NAME) for n in names):
            raise ValueError(f"has PyTorch's names, {some(names)}: add --from torch")
        check_entries({name: file.get_slice(name).get_shape() for name in names}, expected)
        leaves = [jnp.asarray(_read_leaf(file, name, leaf)) for name, leaf in expected.items()]
        return jax.tree.unflatten(jax.tree.structure(like), leaves)


@contextlib.contextmanager
def weights_of(path: Path, cell: Cell, input_size: int) -> Iterator[tuple[Any, Any]]:
    """Open a safetensors file; give it with the shapes and types of the expected parameters.

    Raises:
        UserError: it cannot be read, or the body of the ``with`` block raises a ValueError.
    """
    check_is_file(path)
    like = _like_init(cell, input_size)
    try:
        with safe_open(path, framework="numpy") as file:
            yield file, like
    except ValueError as error:
        settings = f"hidden {cell.hidden}, layers {cell.layers}, input features {input_size}"
        raise UserError(f"{path}: {error} ({type(cell).__name__}: {settings})") from None
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"{path}: cannot be read as a safetensors file: {error}; PyTorch's weights become one "
            "by safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')"
        ) from None


def _like_init(cell: Cell, input_size: int) -> Any:
    """Shapes and types of the parameters, from tracing ``init``, or else from running it."""
    key = jax.random.key(0)
    try:
        return jax.eval_shape(lambda: cell.init(key, input_size))
    except jax.errors.JAXTypeError:
        return jax.tree.map(jnp.asarray, cell.init(key, input_size))


def check_entries(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Raise an error on unexpected names or shapes, except those of a readout."""
    unexpected = [n for n in found if n not in expected and not n.startswith("readout.")]
    missing = [name for name in expected if name not in found]
    if missing or unexpected:
        lacks = some(f"{name} {expected[name].shape}" for name in missing)
        has = some(f"{n} {tuple(found[n])}{nearest(n, missing)}" for n in unexpected)
        raise ValueError(f"lacks {lacks}; unexpectedly has {has}; expected is {some(expected)}")
    for name, leaf in expected.items():
        wanted = pairs_shape(leaf)
        if (shape := tuple(found[name])) != wanted:
            reads = shape[1:] == wanted[1:] and name.rpartition(".")[2].startswith("W_")
            hint = f": it reads {shape[0]} features, not {wanted[0]}" if reads else ""
            raise ValueError(f"{name!r} has shape {shape}; expected is {wanted}{hint}")


def _read_leaf(file: Any, name: str, like: Any) -> np.ndarray:
    """Read weights, or whole numbers and booleans, which are held fixed, in their own type."""
    if is_trained(like):
        return from_pairs(read_entry(file, name), like.dtype)
    array: np.ndarray = file.get_tensor(name)
    if array.dtype != like.dtype:
        raise ValueError(f"{name!r} has type {array.dtype}; expected is {like.dtype}")
    return array


def read_entry(file: Any, name: str) -> np.ndarray:
    """Read one entry; half precision becomes float32, which represents it exactly."""
    stored = file.get_slice(name).get_dtype()
    if stored not in ("F64", "F32", "F16", "BF16"):
        raise ValueError(f"{name!r} has type {stored}; weights are F64, F32, F16 or BF16")
    array = file.get_tensor(name).astype(np.float64 if stored == "F64" else np.float32)
    with np.errstate(over="ignore"):
        if bad := not_finite(array.astype(jnp.result_type(float))):
            raise ValueError(f"{name!r}: {bad}")
    return array
