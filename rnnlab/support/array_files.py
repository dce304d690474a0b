"""Arrays in .npy and .npz files; Python objects in them are never unpickled."""

import contextlib
import warnings
from collections.abc import Iterator
from io import BufferedIOBase

import numpy as np
from numpy.lib.npyio import NpzFile

ZIP = (b"PK\3\4", b"PK\5\6")
NPY, PICKLE = b"\x93NUMPY", b"\x80"


class Pickled(ValueError):
    """A file holds Python objects, and unpickling them would run code."""


def load_arrays(file: BufferedIOBase) -> np.ndarray | NpzFile:
    """The array of a .npy file, or an open .npz file; see ``read_entry``.

    Raises:
        Pickled: it holds Python objects.
        ValueError: it is neither, or damaged; the message is one line.
    """
    with _one_line_errors():
        start = file.read(len(NPY))
        if not start.startswith((NPY, PICKLE, *ZIP)):
            raise ValueError("it is not such a file as np.save or np.savez writes")
        file.seek(0)
        loaded: np.ndarray | NpzFile = np.load(file, allow_pickle=False)
        return loaded


def read_entry(file: NpzFile, name: str) -> np.ndarray | None:
    """An entry of an .npz file; None where it is no array. Raises as ``load_arrays``."""
    with _one_line_errors():
        entry = file[name]
        return entry if isinstance(entry, np.ndarray) else None


@contextlib.contextmanager
def _one_line_errors() -> Iterator[None]:
    """Damaged files make numpy and zipfile raise a dozen kinds of exceptions, and warn."""
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except Exception as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        is_pickled = "Object arrays" in str(error) or "pickled (object) data" in str(error)
        raise (Pickled if is_pickled else ValueError)(reason) from None
