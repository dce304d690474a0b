"""Complex arrays as pairs of real numbers, as files hold them."""

from typing import Any

import numpy as np


def as_pairs(array: Any) -> np.ndarray:
    """A complex array with a last axis (real, imaginary part); any other array as it is."""
    array = np.asarray(array)
    if np.iscomplexobj(array):
        array = np.stack([array.real, array.imag], axis=-1)
    return np.asarray(array, order="C")


def from_pairs(array: np.ndarray, dtype: Any) -> np.ndarray:
    """The array of this dtype that ``as_pairs`` was given."""
    if np.issubdtype(dtype, np.complexfloating):
        array = array[..., 0] + 1j * array[..., 1]
    return array.astype(dtype)


def pairs_shape(like: Any) -> tuple[int, ...]:
    """The shape of ``as_pairs`` of an array of this shape and dtype."""
    return (*like.shape, 2) if np.issubdtype(like.dtype, np.complexfloating) else tuple(like.shape)
