"""Reads and checks a user's sequences and targets from an .npz file."""

import functools
import io
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.lib.npyio import NpzFile

from rnnlab.support.array_files import ZIP, Pickled, load_arrays, read_entry
from rnnlab.support.errors import UserError, did_you_mean
from rnnlab.support.plugins import Source
from rnnlab.tasks.data_set import DataSet, Examples

TargetsAt = Literal["last", "each"]

REQUIRED, OPTIONAL = ("inputs", "targets"), ("lengths",)
KINDS = {"b": "booleans", "i": "integers", "u": "integers", "f": "floats"}
MOST_CLASSES = 2**20


class Target(NamedTuple):
    """The target that ``Arrays`` compares outputs with.

    Attributes:
        values: classes (…) or numbers (…, outputs), where … is nothing if they are read at the
            last step, and (time) if they are at each.
        length: number of time steps that are no padding.
    """

    values: Any
    length: Any


@functools.lru_cache(maxsize=4)
def read_arrays(source: Source, targets_at: TargetsAt, is_given: bool = True) -> DataSet:
    """The sequences of a file, each with its ``Target``; 0 wherever there is padding.

    Steps at which every sequence is padding are left out.

    Args:
        source: the file.
        targets_at: which steps have targets.
        is_given: whether the user says so; targets that may be read in two ways then are none.

    Raises:
        UserError: the file does not hold such arrays, naming it, the key, and what is expected.
    """
    try:
        entries = _read(source.content)
        inputs, lengths, is_valid = _sequences(entries)
        if not is_given:
            _refuse_to_guess(entries["targets"], *inputs.shape[:2])
        targets = _targets(entries["targets"], is_valid, targets_at)
    except ValueError as error:
        raise UserError(f"{source.path}: {error}") from None
    steps = int(lengths.max())
    targets = targets[:, :steps] if targets_at == "each" else targets
    identity = f"{source.sha256} {targets_at}"
    return DataSet(
        str(source.path), identity, Examples(inputs[:, :steps], Target(targets, lengths))
    )


def read_inputs(source: Source) -> Float[np.ndarray, "examples time features"]:
    """The inputs that ``read_arrays`` reads.

    Raises:
        UserError: as for ``read_arrays``, targets apart.
    """
    try:
        inputs, lengths, _ = _sequences(_read(source.content))
    except ValueError as error:
        raise UserError(f"{source.path}: {error}") from None
    return inputs[:, : int(lengths.max())]


def _sequences(
    entries: dict[str, np.ndarray],
) -> tuple[
    Float[np.ndarray, "examples time features"],
    Int[np.ndarray, " examples"],
    Bool[np.ndarray, "examples time"],
]:
    """Inputs with 0 in their padding, lengths, and which steps are no padding."""
    inputs = _inputs(entries["inputs"])
    if _has_time_first(inputs.shape, entries["targets"].shape):
        raise ValueError(
            f"inputs: has shape {inputs.shape}, and targets {entries['targets'].shape}; expected "
            "is (examples, time, features), and these look like (time, examples, features): save "
            "np.swapaxes(inputs, 0, 1)"
        )
    lengths = _lengths(entries.get("lengths"), *inputs.shape[:2])
    is_valid = np.arange(inputs.shape[1]) < lengths[:, None]
    return _finite("inputs", inputs, is_valid), lengths, is_valid


def _has_time_first(inputs: tuple[int, ...], targets: tuple[int, ...]) -> bool:
    """Whether there are as many targets as the second axis of inputs has entries, not the first."""
    return bool(targets) and targets[0] == inputs[1] != inputs[0]


def _refuse_to_guess(targets: np.ndarray, examples: int, steps: int) -> None:
    """Raise an error where floats may be those of each step, or several of the last one."""
    if targets.dtype.kind == "f" and targets.shape == (examples, steps) and steps > 1:
        raise ValueError(
            f"targets: has shape {targets.shape}, and inputs have {steps} time steps: add "
            f"targets_at: each if each step has a target, or targets_at: last if the last one has "
            f"{steps}"
        )


def _read(content: bytes) -> dict[str, np.ndarray]:
    """The arrays by key."""
    if not content.startswith(ZIP):
        raise ValueError("is no .npz file, such as np.savez(path, inputs=…, targets=…) writes")
    try:
        file = load_arrays(io.BytesIO(content))
    except ValueError as error:
        raise ValueError(f"cannot be read: {error}") from None
    assert isinstance(file, NpzFile)
    if missing := [key for key in REQUIRED if key not in file.files]:
        found = ", ".join(sorted(file.files)) or "nothing"
        raise ValueError(f"lacks {' and '.join(missing)}; it has {found}")
    for key in file.files:
        if key not in (*REQUIRED, *OPTIONAL):
            hint = did_you_mean(key, (*REQUIRED, *OPTIONAL))
            raise ValueError(f"{key}: is no known key; {hint}")
    return {key: _entry(file, key) for key in file.files}


def _entry(file: NpzFile, key: str) -> np.ndarray:
    try:
        array = read_entry(file, key)
    except Pickled:
        raise ValueError(
            f"{key}: has type object, refused because unpickling runs code; expected are "
            "numbers, sequences padded to one length with their lengths under 'lengths'"
        ) from None
    except ValueError as error:
        raise ValueError(f"{key}: cannot be read: {error}") from None
    if array is None:
        raise ValueError(f"{key}: is no array")
    return array


def _check_kind(key: str, array: np.ndarray, kinds: str, expected: str) -> None:
    if array.dtype.kind not in kinds:
        raise ValueError(f"{key}: has type {array.dtype}; expected are {expected}")


def _inputs(array: np.ndarray) -> Float[np.ndarray, "examples time features"]:
    """float32 where that holds every value of the type in the file, else float64."""
    _check_kind("inputs", array, "biuf", "real numbers")
    if array.ndim != 3 or array.size == 0:
        hint = "; inputs[:, :, None] gives each step one feature" * (array.ndim == 2)
        raise ValueError(
            f"inputs: has shape {array.shape}; expected is (examples, time, features), none of "
            f"them 0{hint}"
        )
    return _as_float(array)


def _as_float(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32 if np.can_cast(array.dtype, np.float32) else np.float64)


def _lengths(array: np.ndarray | None, examples: int, steps: int) -> Int[np.ndarray, " examples"]:
    """Default: no padding."""
    if array is None:
        return np.full(examples, steps, np.int32)
    _check_kind("lengths", array, "iu", "integers")
    if array.shape != (examples,):
        expected = f"({examples},), one for each example of inputs"
        raise ValueError(f"lengths: has shape {array.shape}; expected is {expected}")
    is_wrong = (array < 1) | (array > steps)
    if is_wrong.any():
        first = int(is_wrong.argmax())
        raise ValueError(
            f"lengths: {array[first]} of example {first} is not from 1 to {steps}, the number of "
            "time steps of inputs"
        )
    return array.astype(np.int32)


def _targets(
    array: np.ndarray, is_valid: Bool[np.ndarray, "examples time"], targets_at: TargetsAt
) -> np.ndarray:
    """Classes as int32, or numbers with an axis of outputs."""
    _check_kind("targets", array, "iuf", "integers (classes) or floats (regression)")
    if targets_at == "last":
        is_valid = np.ones(len(is_valid), bool)
    _check_target_shape(array, is_valid.shape, targets_at)
    if array.dtype.kind == "f":
        numbers = array if array.ndim > is_valid.ndim else array[..., None]
        targets = _finite("targets", _as_float(numbers), is_valid)
    else:
        targets = _classes(np.where(is_valid, array, 0))
    seen = targets[is_valid]
    if (seen == seen[0]).all():
        raise ValueError(f"targets: every one is {seen[0]}, so that there is nothing to learn")
    return targets


def _check_target_shape(array: np.ndarray, shape: tuple[int, ...], targets_at: TargetsAt) -> None:
    """Classes have the shape that targets have at one output; numbers may have several."""
    is_plain = array.shape == shape
    has_outputs = array.dtype.kind == "f" and array.ndim == len(shape) + 1
    if is_plain or (has_outputs and array.shape[:-1] == shape and array.shape[-1] > 0):
        return
    expected = str(shape)
    if array.dtype.kind == "f":
        expected += " or " + str((*shape, "outputs")).replace("'", "")
    names = "examples" if targets_at == "last" else "examples, time"
    raise ValueError(
        f"targets: has shape {array.shape}; expected of {KINDS[array.dtype.kind]} is {expected}, "
        f"({names}) as in inputs, with targets_at: {targets_at}"
    )


def _classes(classes: Int[np.ndarray, "..."]) -> Int[np.ndarray, "..."]:
    for extreme in (classes.min(), classes.max()):
        if not 0 <= extreme < MOST_CLASSES:
            raise ValueError(
                f"targets: has class {extreme}; classes are numbered from 0, up to "
                f"{MOST_CLASSES - 1}; save targets of a regression as floats"
            )
    return classes.astype(np.int32)


def _finite(
    key: str, array: Float[np.ndarray, "..."], is_valid: Bool[np.ndarray, "..."]
) -> Float[np.ndarray, "..."]:
    """The array with 0 in its padding, where all else is finite, also as float32."""
    array = np.where(is_valid[..., None], array, array.dtype.type(0))
    with np.errstate(over="ignore"):
        is_wrong = ~np.isfinite(array.astype(np.float32))
    if is_wrong.any():
        first = np.argwhere(is_wrong)[0].tolist()
        raise ValueError(
            f"{key}: {is_wrong.sum()} of {is_wrong.size} values of type {array.dtype} are NaN, "
            f"infinite or beyond float32, the first at {first}"
        )
    return array
