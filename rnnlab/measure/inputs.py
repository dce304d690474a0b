"""Input sequences from a file that a user brings."""

from pathlib import Path

import numpy as np
from numpy.lib.npyio import NpzFile

from rnnlab.support.array_files import Pickled, load_arrays, read_entry
from rnnlab.support.errors import UserError
from rnnlab.support.user_files import check_is_file, not_finite, some


def load_inputs(path: Path) -> np.ndarray:
    """Input sequences (time, batch, features), float32 where they are stored so, else float64.

    Args:
        path: a ``.npy`` file, or an ``.npz`` file of one array or of one called ``inputs``.

    Raises:
        UserError: there is no such file, or it is anything but finite real numbers of this rank.
    """
    check_is_file(path)
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
    if bad := not_finite(inputs):
        raise UserError(f"{path}: {bad}")
    return inputs


def _read_array(path: Path) -> np.ndarray:
    """The array, whatever its type and shape."""
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


def _only_array(file: NpzFile) -> np.ndarray:
    names = ["inputs"] if "inputs" in file.files else file.files
    array = read_entry(file, names[0]) if len(names) == 1 else None
    if array is None:
        raise ValueError(f"it has {some(names)}; expected is one array, or one called 'inputs'")
    return array
