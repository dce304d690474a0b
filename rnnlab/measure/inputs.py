"""Input sequences from a file that a user brings."""

from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy.lib.npyio import NpzFile

from rnnlab.support.array_files import Pickled, load_arrays, read_entry
from rnnlab.support.errors import UserError
from rnnlab.support.plugins import read_source
from rnnlab.support.user_files import check_is_file, not_finite, some
from rnnlab.tasks.array_file import OPTIONAL, REQUIRED, read_inputs

Inputs = Float[np.ndarray, "time batch features"]


def load_inputs(path: Path, batch_first: bool | None = None) -> Inputs:
    """Input sequences, float32 where they are stored so, else float64.

    Args:
        path: a file such as ``task.path`` names, with ``inputs`` (examples, time, features) and
            ``targets``; or a ``.npy`` file, or an ``.npz`` file of one array or of one called
            ``inputs``.
        batch_first: whether the first axis of a single array is that of the examples, and not that
            of time; None where the user does not say.

    Raises:
        UserError: there is no such file, or it is anything but finite real numbers of this rank; or
            its first axis is not known.
    """
    check_is_file(path)
    if path.suffix.lower() not in (".npy", ".npz"):
        raise UserError(f"{path}: inputs are read from .npy and .npz files (np.save, np.savez)")
    array = _read_array(path)
    if array is None:
        if batch_first is False:
            raise UserError(f"--time-first: {path} has {some(REQUIRED)}, with examples first")
        return np.swapaxes(read_inputs(read_source(path, "--inputs")), 0, 1)
    return _with_time_first(path, _checked(path, array), batch_first)


def _checked(path: Path, array: np.ndarray) -> Float[np.ndarray, "_ _ features"]:
    """The array as finite floating-point numbers."""
    if array.dtype.kind not in "biuf":
        raise UserError(f"{path}: holds values of type {array.dtype}; expected are real numbers")
    if array.ndim != 3 or array.size == 0:
        expected = "expected is (time, batch, features), none of them 0"
        hint = "; array[:, :, None] gives it one feature, array[:, None, :] one example"
        raise UserError(f"{path}: has shape {array.shape}; {expected}{hint * (array.ndim == 2)}")
    with np.errstate(over="ignore"):
        inputs = array.astype(np.float32 if array.dtype.type is np.float32 else np.float64)
    if bad := not_finite(inputs):
        raise UserError(f"{path}: {bad}")
    return inputs


def _with_time_first(path: Path, inputs: np.ndarray, batch_first: bool | None) -> Inputs:
    if batch_first is None:
        one, other, _ = inputs.shape
        raise UserError(
            f"{path}: has shape {inputs.shape}: add --time-first if these are {one} time steps of "
            f"{other} examples, or --batch-first if they are {one} examples of {other} time steps"
        )
    return np.swapaxes(inputs, 0, 1) if batch_first else inputs


def _read_array(path: Path) -> np.ndarray | None:
    """The only array, whatever its type and shape; None for a file such as ``task.path`` names."""
    try:
        with path.open("rb") as file:
            loaded = load_arrays(file)
            return loaded if isinstance(loaded, np.ndarray) else _only_array(loaded)
    except Pickled:
        raise UserError(
            f"{path}: holds pickled Python objects, refused because unpickling runs code; "
            f"save numbers only: np.save({path.name!r}, np.asarray(values, dtype=float))"
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as an array: {error}") from None


def _only_array(file: NpzFile) -> np.ndarray | None:
    if set(REQUIRED) <= set(file.files) <= {*REQUIRED, *OPTIONAL}:
        return None
    names = ["inputs"] if "inputs" in file.files else file.files
    array = read_entry(file, names[0]) if len(names) == 1 else None
    if array is None:
        raise ValueError(f"it has {some(names)}; expected is one array, or one called 'inputs'")
    return array
