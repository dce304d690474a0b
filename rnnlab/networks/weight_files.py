"""Files that a user brings: input sequences, and weights trained elsewhere."""

import contextlib
import warnings
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError, safe_open

from rnnlab.cells import Cell
from rnnlab.networks.pytorch import from_torch as params_from_torch
from rnnlab.support.errors import UserError

TORCH_NAME = "weight_ih_l0"


def load_inputs(path: Path) -> np.ndarray:
    """Input sequences (time, batch, features), float32 where they are stored so, else float64.

    Args:
        path: a ``.npy`` file, or an ``.npz`` file of one array or of one called ``inputs``.

    Raises:
        UserError: there is no such file, or it is anything but finite real numbers of this rank.
    """
    _check_is_file(path)
    if path.suffix.lower() not in (".npy", ".npz"):
        raise UserError(f"{path}: inputs are read from .npy and .npz files (np.save, np.savez)")
    array = _read_array(path)
    if array.dtype.kind not in "biuf":
        raise UserError(f"{path}: holds values of type {array.dtype}; expected are real numbers")
    if array.ndim != 3 or array.size == 0:
        expected = "expected is (time, batch, features), none of them 0"
        hint = "; array[:, :, None] gives it one feature, array[:, None, :] one example"
        raise UserError(f"{path}: has shape {array.shape}; {expected}{hint * (array.ndim == 2)}")
    with np.errstate(over="ignore"):
        inputs = array.astype(np.float32 if array.dtype.type is np.float32 else np.float64)
    if bad := _not_finite(inputs):
        raise UserError(f"{path}: {bad}")
    return inputs


def load_params(path: Path, cell: Cell, input_size: int, from_torch: bool) -> Any:
    """Parameters as ``cell.init`` makes them, from a safetensors file.

    Args:
        path: the file.
        cell: whose parameters they are.
        input_size: number of input features.
        from_torch: whether the file holds the state dict of a PyTorch layer, or of a model with
            one; else it has the names of a run's ``params.safetensors``, or those less ``cell.``.

    Raises:
        UserError: there is no such file, or it does not hold finite weights of this cell.
    """
    _check_is_file(path)
    like = _like_init(cell, input_size)
    try:
        with safe_open(path, framework="numpy") as file:
            return _read_torch(file, cell, like) if from_torch else _read_own(file, like)
    except ValueError as error:
        settings = f"hidden {cell.hidden}, layers {cell.layers}, input features {input_size}"
        raise UserError(f"{path}: {error} ({type(cell).__name__}: {settings})") from None
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"{path}: cannot be read as a safetensors file: {error}; PyTorch's weights become one "
            "by safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')"
        ) from None


def _check_is_file(path: Path) -> None:
    problem = "no such file"
    with contextlib.suppress(OSError, ValueError):
        if path.is_file() and path.stat().st_size:
            return
        problem = "is empty" if path.is_file() else "is a folder" if path.is_dir() else problem
        others = [p.name for p in path.parent.iterdir() if p.suffix == path.suffix and p != path]
        problem += _nearest(path.name, others)
    raise UserError(f"{path}: {problem}")


def _read_array(path: Path) -> np.ndarray:
    """The array, whatever its type and shape; Python objects are not unpickled."""
    try:
        with path.open("rb") as file, warnings.catch_warnings(action="ignore"):
            if not file.peek(6).startswith((b"\x93NUMPY", b"PK\3\4", b"PK\5\6", b"\x80")):
                raise ValueError("it is not such a file as np.save or np.savez writes")
            loaded = np.load(file, allow_pickle=False)
            return loaded if isinstance(loaded, np.ndarray) else _only_array(loaded)
    except Exception as error:  # damaged files make numpy and zipfile raise a dozen kinds
        if "Object arrays" in str(error) or "pickled (object) data" in str(error):
            raise UserError(
                f"{path}: holds pickled Python objects, refused because unpickling runs code; "
                f"save numbers only: np.save({path.name!r}, np.asarray(values, dtype=float))"
            ) from None
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"{path}: cannot be read as an array: {reason}") from None


def _only_array(arrays: Any) -> np.ndarray:
    names = ["inputs"] if "inputs" in arrays.files else arrays.files
    array = arrays[names[0]] if len(names) == 1 else None
    if not isinstance(array, np.ndarray):
        raise ValueError(f"it has {_some(names)}; expected is one array, or one called 'inputs'")
    return array


def _not_finite(array: np.ndarray) -> str:
    """How many values are not finite, and where the first is; nothing if all are."""
    finite = np.isfinite(array)
    bad = f"{finite.size - finite.sum()} of {finite.size} {array.dtype} values are NaN or infinite"
    return "" if finite.all() else f"{bad}, the first at {np.argwhere(~finite)[0].tolist()}"


def _like_init(cell: Cell, input_size: int) -> Any:
    """Shapes and types of the parameters; an ``init`` that cannot be traced is run."""
    key = jax.random.key(0)
    try:
        return jax.eval_shape(lambda: cell.init(key, input_size))
    except jax.errors.JAXTypeError:
        return jax.tree.map(jnp.asarray, cell.init(key, input_size))


def _named(params: Any) -> dict[str, Any]:
    leaves = jax.tree_util.tree_leaves_with_path({"cell": params})
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}


def _read_own(file: Any, like: Any) -> Any:
    names = file.keys()
    expected = _named(like)
    bare = {name.removeprefix("cell."): leaf for name, leaf in expected.items()}
    if len(bare.keys() & set(names)) > len(expected.keys() & set(names)):
        expected = bare
    if not expected.keys() <= set(names) and any(name.endswith(TORCH_NAME) for name in names):
        raise ValueError(f"has PyTorch's names, {_some(names)}: add --from torch")
    _check_entries({name: file.get_slice(name).get_shape() for name in names}, expected)
    leaves = [jnp.asarray(_read(file, name), leaf.dtype) for name, leaf in expected.items()]
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def _read_torch(file: Any, cell: Cell, like: Any) -> Any:
    names = file.keys()
    prefix = _only_prefix(names, _named(like))
    of_layer = [n for n in names if n.startswith((prefix + "weight_", prefix + "bias_"))]
    params = params_from_torch(cell, {n.removeprefix(prefix): _read(file, n) for n in of_layer})
    _check_entries({name: leaf.shape for name, leaf in _named(params).items()}, _named(like))
    return params


def _only_prefix(names: list[str], expected: dict[str, Any]) -> str:
    prefixes = [name.removesuffix(TORCH_NAME) for name in names if name.endswith(TORCH_NAME)]
    if len(prefixes) == 1:
        return prefixes[0]
    if prefixes:
        raise ValueError(f"has layers under {_some(map(repr, prefixes))}; save one of them alone")
    if any(f"cell.{name.removeprefix('cell.')}" in expected for name in names):
        raise ValueError(f"has rnnlab's names, {_some(names)}: leave out --from torch")
    raise ValueError(f"has no {TORCH_NAME!r}, nor a name that ends so, but {_some(names)}")


def _check_entries(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Refuse other names and other shapes than expected; a readout's are no matter."""
    unexpected = [n for n in found if n not in expected and not n.startswith("readout.")]
    missing = [name for name in expected if name not in found]
    if missing or unexpected:
        lacks = _some(f"{name} {expected[name].shape}" for name in missing)
        has = _some(f"{n} {tuple(found[n])}{_nearest(n, missing)}" for n in unexpected)
        raise ValueError(f"lacks {lacks}; unexpectedly has {has}; expected is {_some(expected)}")
    for name, leaf in expected.items():
        if (shape := tuple(found[name])) != leaf.shape:
            reads = shape[1:] == leaf.shape[1:] and name.rpartition(".")[2].startswith("W_")
            hint = f": it reads {shape[0]} features, not {leaf.shape[0]}" if reads else ""
            raise ValueError(f"{name!r} has shape {shape}; expected is {leaf.shape}{hint}")


def _read(file: Any, name: str) -> np.ndarray:
    """One entry's weights; those of half precision become float32, which holds them exactly."""
    stored = file.get_slice(name).get_dtype()
    if stored not in ("F64", "F32", "F16", "BF16"):
        raise ValueError(f"{name!r} has type {stored}; weights are F64, F32, F16 or BF16")
    array = file.get_tensor(name).astype(np.float64 if stored == "F64" else np.float32)
    with np.errstate(over="ignore"):
        if bad := _not_finite(array.astype(jnp.result_type(float))):
            raise ValueError(f"{name!r}: {bad}")
    return array


def _nearest(word: str, choices: list[str]) -> str:
    return "".join(f" (did you mean {n!r}?)" for n in get_close_matches(word, choices, 1, 0.5))


def _some(words: Iterable[str], most: int = 40) -> str:
    names = sorted(words)
    return ", ".join(names[:most] + ["…"] * (len(names) > most)) or "nothing"
