"""What a user brings is read exactly, or refused with one message that says how to put it right."""

import io
import json
import pickle
import struct
import zipfile
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jaxtyping import Array
from safetensors.numpy import save, save_file

from rnnlab import GRU, LSTM, HiddenState, VanillaRNN, from_torch
from rnnlab.cells import Cell
from rnnlab.measure.inputs import load_inputs
from rnnlab.networks.weight_files import read_torch_params
from rnnlab.results.params import read_params, stored_arrays
from rnnlab.support.errors import UserError
from rnnlab.tasks import TASKS
from rnnlab.training.objective import Objective

FEATURES = 2
HIDDEN = 3
CELLS = {
    "lstm": LSTM(hidden=HIDDEN),
    "gru-after": GRU(hidden=HIDDEN, reset="after"),
    "gru-before": GRU(hidden=HIDDEN, reset="before"),
    "rnn": VanillaRNN(hidden=HIDDEN),
}
GATES = {"lstm": 4, "gru-after": 3, "rnn": 1}
lstm = CELLS["lstm"]


def message(load, path, *args):
    """The one error that a file gives; it always begins with the file."""
    with pytest.raises(UserError) as caught:
        load(path, *args)
    assert caught.value.__cause__ is None
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{path}: ")


def load_time_first(path):
    return load_inputs(path, batch_first=False)


def same(actual, expected):
    assert jax.tree.structure(actual) == jax.tree.structure(expected)
    for got, wanted in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        assert isinstance(got, jax.Array)
        assert got.dtype == wanted.dtype
        np.testing.assert_array_equal(got, wanted)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


# Inputs that are read


@pytest.mark.parametrize("dtype", ["f4", "f8", "<f4", ">f4", ">f8", "f2", "i1", "u8", "?", "g"])
def test_inputs_of_every_real_type(tmp_path, dtype):
    array = abs(4 * normal(5, 4, FEATURES)).astype(dtype)
    np.save(tmp_path / "x.npy", array)
    inputs = load_time_first(tmp_path / "x.npy")
    assert inputs.dtype == (np.float32 if array.dtype.newbyteorder("=") == "f4" else np.float64)
    assert inputs.dtype.isnative
    np.testing.assert_array_equal(inputs, array.astype(np.float64))


def test_order_in_memory_does_not_matter(tmp_path):
    array = normal(5, 4, FEATURES)
    np.save(tmp_path / "x.npy", np.asfortranarray(array))
    np.testing.assert_array_equal(load_time_first(tmp_path / "x.npy"), array)


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_an_npz_of_one_array_or_of_one_called_inputs(tmp_path, write):
    array = normal(5, 4, FEATURES)
    write(tmp_path / "one.npz", anything=array)
    write(tmp_path / "several.NPZ", inputs=array, targets=np.zeros(3), names=np.array(["a"]))
    (tmp_path / "several.NPZ.npz").rename(tmp_path / "several.NPZ")
    np.testing.assert_array_equal(load_time_first(tmp_path / "one.npz"), array)
    np.testing.assert_array_equal(load_time_first(tmp_path / "several.NPZ"), array)


def test_an_array_that_python_2_saved(tmp_path):
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (3L, 2L, 1L), }"
    (tmp_path / "x.npy").write_bytes(npy(header, np.ones(6).tobytes()))
    np.testing.assert_array_equal(load_time_first(tmp_path / "x.npy"), np.ones((3, 2, 1)))


# Inputs that are refused


@pytest.mark.parametrize(
    ("shape", "hint"),
    [
        ((), False),
        ((5,), False),
        ((5, 4), True),
        ((5, 4, 3, 2), False),
        ((0, 4, 2), False),
        ((5, 0, 2), False),
        ((5, 4, 0), False),
    ],
)
def test_inputs_of_another_shape(tmp_path, shape, hint):
    np.save(tmp_path / "x.npy", np.zeros(shape))
    text = message(load_time_first, tmp_path / "x.npy")
    assert f"has shape {shape}; expected is (time, batch, features), none of them 0" in text
    assert ("array[:, :, None]" in text) == ("array[:, None, :]" in text) == hint


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (np.zeros((2, 2, 2), complex), "complex128"),
        (np.full((2, 2, 2), "one"), "<U3"),
        (np.full((2, 2, 2), b"one"), "|S3"),
        (np.zeros((2, 2, 2), "M8[s]"), "datetime64[s]"),
        (np.zeros((2, 2, 2), "m8[s]"), "timedelta64[s]"),
        (np.zeros((2, 2, 2), [("a", "f4")]), "[('a', '<f4')]"),
        (np.zeros((2, 2, 2), ml_dtypes.bfloat16), "|V2"),
    ],
)
def test_inputs_that_are_no_real_numbers(tmp_path, array, kind):
    np.save(tmp_path / "x.npy", array)
    text = message(load_time_first, tmp_path / "x.npy")
    assert text == f"holds values of type {kind}; expected are real numbers"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, np.longdouble("1e400")])
def test_inputs_that_are_not_finite(tmp_path, value):
    array = normal(5, 4, FEATURES).astype(np.longdouble if np.isfinite(value) else float)
    array[1, 2, 1] = array[3, 0, 0] = value
    np.save(tmp_path / "x.npy", array)
    text = message(load_time_first, tmp_path / "x.npy")
    assert text == "2 of 40 float64 values are NaN or infinite, the first at [1, 2, 1]"


class RunsCode:
    """An object whose unpickling would be seen."""

    unpickled: ClassVar[list[bool]] = []

    def __reduce__(self):
        return RunsCode.unpickled.append, (True,)


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_python_objects_are_not_unpickled(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    write = np.save if suffix == "npy" else np.savez
    write(path, np.array([RunsCode()], dtype=object))
    text = message(load_time_first, path)
    assert "refused because unpickling runs code" in text
    assert f"np.save('x.{suffix}', np.asarray(values, dtype=float))" in text
    path.write_bytes(pickle.dumps(RunsCode()))
    assert message(load_time_first, path) == text
    assert not RunsCode.unpickled


def test_an_npz_without_the_one_array(tmp_path):
    path = tmp_path / "x.npz"
    expected = "expected is one array, or one called 'inputs'"
    np.savez(path, a=np.zeros(3), b=np.zeros(3))
    assert message(load_time_first, path).endswith(f"it has a, b; {expected}")
    np.savez(path)
    assert message(load_time_first, path).endswith(f"it has nothing; {expected}")
    path.write_bytes(zipped({"read.me": b"hello"}))
    assert message(load_time_first, path).endswith(f"it has read.me; {expected}")


def npy(header, data=b""):
    text = header.encode() + b" " * (117 - len(header)) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def zipped(members, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def saved(write, *args, **kwargs):
    file = io.BytesIO()
    write(file, *args, **kwargs)
    return file.getvalue()


def damaged(content, changes):
    content = bytearray(content)
    for where, byte in changes.items():
        content[where] = byte
    return bytes(content)


NPY = saved(np.save, np.ones((3, 2, 1)))
NPZ = saved(np.savez, inputs=np.ones((3, 2, 1)))
NPZ_DEFLATED = saved(np.savez_compressed, inputs=np.ones((3, 2, 1)))
HEADER = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2, 1), }"
ENTRY = NPZ.rfind(b"PK\x01\x02")
HUGE = npy(HEADER.replace("3, 2", "99999999999999, 2"), b"\0" * 48)
DAMAGED = {
    "text": (b"1,2,3\n4,5,6\n", "it is not such a file as np.save or np.savez writes"),
    "zip in name only": (b"PK" + b"\0" * 40, "it is not such a file"),
    "half a npy": (NPY[:-8], "Failed to read all data|could only read|cannot reshape"),
    "half a header": (NPY[:40], "EOF"),
    "half the magic": (NPY[:7], "EOF"),
    "another version": (damaged(NPY, {6: 9}), "version"),
    "huge": (HUGE, "Unable to allocate|array is too big|Maximum allowed"),
    "more than huge": (npy(HEADER.replace("3", "9" * 30)), "too large|too big"),
    "negative": (npy(HEADER.replace("3", "-3"), b"\0" * 48), ""),
    "unknown type": (npy(HEADER.replace("<f8", "<q9")), "descr"),
    "no dictionary": (npy("{[" + HEADER), ""),
    "long header": (b"\x93NUMPY\x02\x00" + struct.pack("<I", 20000) + b" " * 20000, "Header info"),
    "header longer than the file": (b"\x93NUMPY\x02\x00\xff\xff\xff\xff   ", "EOF"),
    "half a zip": (NPZ[: len(NPZ) // 2], "not a zip"),
    "wrong checksum": (damaged(NPZ, {len(NPZ) // 3: 255}), "CRC"),
    "damaged stream": (damaged(NPZ_DEFLATED, dict.fromkeys(range(50, 90), 255)), ""),
    "encrypted": (damaged(NPZ, {6: 1, ENTRY + 8: 1}), "encrypted"),
    "unknown compression": (damaged(NPZ, {8: 99, ENTRY + 10: 99}), "compression"),
    "zip of a huge one": (zipped({"inputs.npy": HUGE}), "Unable to allocate|too big|Maximum"),
    "zip of an empty one": (zipped({"inputs.npy": b""}), "it has inputs"),
}


@pytest.mark.parametrize("suffix", ["npy", "npz"])
@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_arrays(tmp_path, suffix, kind):
    content, reason = DAMAGED[kind]
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(content)
    text = message(load_time_first, path)
    assert text.startswith("cannot be read as an array: ")
    assert any(part in text for part in reason.split("|")), text


@pytest.mark.parametrize("name", ["x.csv", "x", "x.npy.gz", "x.pt"])
def test_inputs_of_another_suffix(tmp_path, name):
    (tmp_path / name).write_bytes(NPY)
    assert ".npy and .npz" in message(load_time_first, tmp_path / name)


# Both


def load_params(path, cell, features, from_torch):
    read = read_torch_params if from_torch else read_params
    return read(path, cell, features)


LOADERS = {"x.npy": (load_time_first,), "x.safetensors": (load_params, lstm, FEATURES, False)}


@pytest.mark.parametrize("name", LOADERS)
def test_no_file(tmp_path, name):
    load, *args = LOADERS[name]
    assert message(load, tmp_path / name, *args) == "no such file"
    assert message(load, tmp_path / "none" / name, *args) == "no such file"
    assert message(load, tmp_path / ("a" * 300 + name), *args) == "no such file"
    assert message(load, tmp_path / ("\0" + name), *args) == "no such file"
    (tmp_path / f"x1{name[1:]}").touch()
    (tmp_path / "x1.txt").touch()
    text = message(load, tmp_path / name, *args)
    assert text == f"no such file (did you mean 'x1{name[1:]}'?)"


@pytest.mark.parametrize("name", LOADERS)
def test_a_folder_and_an_empty_file(tmp_path, name):
    load, *args = LOADERS[name]
    (tmp_path / "folder").mkdir()
    (tmp_path / name).touch()
    assert message(load, tmp_path / "folder", *args) == "is a folder"
    assert message(load, tmp_path / name, *args) == "is empty"


@pytest.mark.parametrize("name", LOADERS)
def test_a_file_that_may_not_be_read(tmp_path, name, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    load, *args = LOADERS[name]
    (tmp_path / name).write_bytes(NPY)
    if load is load_time_first:
        monkeypatch.setattr("pathlib.Path.open", refuse)
    monkeypatch.setattr("rnnlab.results.params.safe_open", refuse)
    assert "Permission denied" in message(load, tmp_path / name, *args)


# Parameters under rnnlab's names


def stored_by_a_run(cell):
    """Parameters of cell and readout, and the file's content as the engine writes it."""
    params = Objective(cell, TASKS["adding"](length=10)).init(jax.random.key(1))
    return params["cell"], stored_arrays(params)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", CELLS)
def test_what_a_run_stored_comes_back(tmp_path, kind, layers):
    cell = CELLS[kind].model_copy(update={"layers": layers})
    params, arrays = stored_by_a_run(cell)
    assert "readout.V" in arrays
    (tmp_path / "x.safetensors").write_bytes(save(arrays))
    same(load_params(tmp_path / "x.safetensors", cell, FEATURES, False), params)


@pytest.mark.usefixtures("float64")
def test_what_a_run_in_double_precision_stored_comes_back(tmp_path):
    params, arrays = stored_by_a_run(lstm)
    assert arrays["cell.W_f"].dtype == np.float64
    save_file(arrays, tmp_path / "x.safetensors")
    same(load_params(tmp_path / "x.safetensors", lstm, FEATURES, False), params)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_become_the_default_float(tmp_path, dtype):
    params, arrays = stored_by_a_run(lstm)
    save_file({k: v.astype(dtype) for k, v in arrays.items()}, tmp_path / "x.safetensors")
    same(load_params(tmp_path / "x.safetensors", lstm, FEATURES, False), params)
    with jax.enable_x64(True):
        as_double = load_params(tmp_path / "x.safetensors", lstm, FEATURES, False)
        same(as_double, jax.tree.map(lambda a: a.astype(float), params))


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("readout", [{}, {"readout.V": np.full((3, 1), np.nan)}])
def test_names_without_cell(tmp_path, layers, readout):
    cell = GRU(hidden=HIDDEN, layers=layers)
    params, _ = stored_by_a_run(cell)
    save_file(stored_arrays(params) | readout, tmp_path / "x.safetensors")
    same(load_params(tmp_path / "x.safetensors", cell, FEATURES, False), params)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_precision(tmp_path, dtype):
    params, arrays = stored_by_a_run(lstm)
    save_file({k: v.astype(dtype) for k, v in arrays.items()}, tmp_path / "x.safetensors")
    rounded = jax.tree.map(lambda a: a.astype(dtype).astype(jnp.float32), params)
    same(load_params(tmp_path / "x.safetensors", lstm, FEATURES, False), rounded)


class Leaky(Cell):
    """A cell with nested parameters, one of them called as rnnlab calls a readout's."""

    def init(self, key, input_size):
        kernel = jax.random.normal(key, (input_size, self.hidden))
        return {"W_a": kernel, "cell": {"leak": jnp.ones(())}, "readout": Gain(jnp.zeros(2))}

    def step(self, params, state, x, observe=lambda name, value: value):
        return HiddenState(observe("h", params["cell"]["leak"] * state.h + x @ params["W_a"]))


class Gain(NamedTuple):
    gain: Array


class Untraceable(Leaky):
    """A cell whose init computes with numpy."""

    def init(self, key, input_size):
        params = super().init(key, input_size)
        return params | {"W_a": np.linalg.qr(np.asarray(params["W_a"]))[1]}


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", [Leaky, Untraceable])
@pytest.mark.parametrize("prefix", ["cell.", ""])
def test_cells_of_a_user(tmp_path, kind, layers, prefix):
    cell = kind(hidden=HIDDEN, layers=layers)
    params = jax.tree.map(jnp.asarray, cell.init(jax.random.key(1), FEATURES))
    arrays = {prefix + name: array for name, array in stored_arrays(params).items()}
    save_file(arrays, tmp_path / "x.safetensors")
    same(load_params(tmp_path / "x.safetensors", cell, FEATURES, False), params)


# What is refused under rnnlab's names


@pytest.fixture
def own():
    return stored_by_a_run(lstm)[1]


def refusal(path, arrays, cell=lstm, features=FEATURES, from_torch=False):
    save_file(arrays, path)
    text = message(load_params, path, cell, features, from_torch)
    kind = type(cell).__name__
    assert text.endswith(
        f" ({kind}: hidden {cell.hidden}, layers {cell.layers}, input features {features})"
    )
    return text.rpartition(" (")[0]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.safetensors"


def test_missing_and_unexpected_entries(path, own):
    names = ", ".join(sorted(name for name in own if name.startswith("cell.")))
    w_f = own.pop("cell.W_f")
    text = refusal(path, own)
    assert text == f"lacks cell.W_f (2, 3); unexpectedly has nothing; expected is {names}"
    text = refusal(path, own | {"cell.W_forget": w_f})
    has = "cell.W_forget (2, 3) (did you mean 'cell.W_f'?)"
    assert text == f"lacks cell.W_f (2, 3); unexpectedly has {has}; expected is {names}"
    text = refusal(path, own | {"cell.W_f": w_f, "encoder.weight": w_f})
    has = "encoder.weight (2, 3)"
    assert text == f"lacks nothing; unexpectedly has {has}; expected is {names}"


def test_some_names_without_cell(path, own):
    own["W_f"] = own.pop("cell.W_f")
    assert "lacks cell.W_f (2, 3); unexpectedly has W_f (2, 3) (" in refusal(path, own)
    own = {name.removeprefix("cell."): array for name, array in own.items()}
    own["cell.W_f"] = own.pop("W_f")
    assert "lacks W_f (2, 3); unexpectedly has cell.W_f (2, 3) (" in refusal(path, own)


def test_no_entries_and_many(path):
    assert refusal(path, {}).startswith("lacks cell.U_f (3, 3), cell.U_g (3, 3), cell.U_i (3, 3),")
    text = refusal(path, {f"entry{index}": np.zeros(1) for index in range(1000)})
    assert "unexpectedly has entry0 (1,), entry1 (1,), entry10 (1,), " in text
    assert ", …; expected is " in text
    assert len(text) < 2000


def test_another_reset_and_another_depth(path):
    arrays = stored_by_a_run(CELLS["gru-before"])[1]
    text = refusal(path, arrays, CELLS["gru-after"])
    has = "cell.U_n (3, 3) (did you mean 'cell.U_hn'?)"
    assert f"lacks cell.U_hn (3, 3), cell.bias_hn (3,); unexpectedly has {has}; " in text
    text = refusal(path, stored_by_a_run(lstm)[1], LSTM(hidden=HIDDEN, layers=2))
    assert "cell.1.W_f (3, 3)" in text.partition("unexpectedly has")[0]
    assert "cell.W_f (2, 3)" in text.partition("unexpectedly has")[2]


@pytest.mark.parametrize("name", ["cell.W_f", "cell.U_f", "cell.bias_o"])
@pytest.mark.parametrize("change", [lambda a: a[None], lambda a: a[..., :2], lambda a: a[0]])
def test_entry_of_another_shape(path, own, name, change):
    changed = np.ascontiguousarray(change(own[name]))
    text = refusal(path, own | {name: changed})
    assert text == f"{name!r} has shape {changed.shape}; expected is {own[name].shape}"


@pytest.mark.parametrize("layers", [1, 2])
def test_other_features(path, layers):
    cell = LSTM(hidden=HIDDEN, layers=layers)
    name = "cell.W_f" if layers == 1 else "cell.0.W_f"
    text = refusal(path, stored_by_a_run(cell)[1], cell, features=5)
    assert text == f"{name!r} has shape (2, 3); expected is (5, 3): it reads 2 features, not 5"


def test_other_width(path, own):
    text = refusal(path, own, LSTM(hidden=4))
    assert text == "'cell.U_f' has shape (3, 3); expected is (4, 4)"


@pytest.mark.parametrize(
    ("dtype", "called"),
    [("i4", "I32"), ("i8", "I64"), ("u1", "U8"), ("?", "BOOL")],
)
def test_weights_that_are_no_floats(path, own, dtype, called):
    own["cell.W_f"] = own["cell.W_f"].astype(dtype)
    text = refusal(path, own)
    assert text == f"'cell.W_f' has type {called}; weights are F64, F32, F16 or BF16"


def test_weights_of_a_quarter_precision(path, own):
    header, size = {}, 0
    for name, array in own.items():
        offsets = [size, size := size + array.size]
        header[name] = {"dtype": "F8_E4M3", "shape": array.shape, "data_offsets": offsets}
    path.write_bytes(safetensors(header, b"\0" * size))
    assert "'cell.U_f' has type F8_E4M3" in message(load_params, path, lstm, FEATURES, False)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, ml_dtypes.bfloat16])
def test_weights_that_are_not_finite(path, own, value, dtype):
    weights = own["cell.W_f"].astype(dtype)
    weights[1, 0] = weights[1, 2] = value
    text = refusal(path, own | {"cell.W_f": weights})
    assert text == "'cell.W_f': 2 of 6 float32 values are NaN or infinite, the first at [1, 0]"


def test_weights_too_large_for_single_precision(path, own):
    own["cell.bias_f"] = np.array([0, 1e300, 0])
    assert "'cell.bias_f': 1 of 3 float32 values are NaN or infinite" in refusal(path, own)
    with jax.enable_x64(True):
        assert load_params(path, lstm, FEATURES, False)["bias_f"][1] == 1e300


# PyTorch's state dicts


def state_dict(kind, layers=1, bias=True, prefix=""):
    rows = GATES[kind] * HIDDEN
    arrays = {}
    for index in range(layers):
        arrays[f"{prefix}weight_ih_l{index}"] = normal(rows, HIDDEN if index else FEATURES, seed=1)
        arrays[f"{prefix}weight_hh_l{index}"] = normal(rows, HIDDEN, seed=2 + index)
        if bias:
            arrays[f"{prefix}bias_ih_l{index}"] = normal(rows, seed=4 + index)
            arrays[f"{prefix}bias_hh_l{index}"] = normal(rows, seed=6 + index)
    return {name: array.astype(np.float32) for name, array in arrays.items()}


REST_OF_A_MODEL = {
    "encoder.fc.weight": np.zeros((2, 2)),
    "encoder.bn.num_batches_tracked": np.array(3),
    "decoder.weight": np.full(2, np.nan),
    "weight_g": np.zeros(2),
}


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("prefix", ["", "encoder.lstm."])
def test_state_dicts_are_read_as_from_torch_does(path, kind, layers, bias, prefix):
    cell = CELLS[kind].model_copy(update={"layers": layers})
    arrays = state_dict(kind, layers, bias, prefix)
    save_file(arrays | (REST_OF_A_MODEL if prefix else {}), path)
    expected = from_torch(cell, state_dict(kind, layers, bias))
    same(load_params(path, cell, FEATURES, True), expected)


def test_a_layer_at_the_root_of_a_model(path):
    save_file(state_dict("rnn") | {"fc.weight": np.zeros(2), "fc.bias": np.zeros(1)}, path)
    expected = from_torch(CELLS["rnn"], state_dict("rnn"))
    same(load_params(path, CELLS["rnn"], FEATURES, True), expected)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_biases_of_half_precision_are_added_in_single(path, dtype):
    arrays = {name: array.astype(dtype) for name, array in state_dict("lstm").items()}
    save_file(arrays, path)
    as_single = {name: array.astype(np.float32) for name, array in arrays.items()}
    same(load_params(path, lstm, FEATURES, True), from_torch(lstm, as_single))


@pytest.mark.usefixtures("float64")
def test_state_dict_of_double_precision(path):
    arrays = {name: array + 1e-12 for name, array in state_dict("lstm").items()}
    arrays = {name: array.astype(np.float64) for name, array in arrays.items()}
    save_file(arrays, path)
    same(load_params(path, lstm, FEATURES, True), from_torch(lstm, arrays))


# State dicts that are refused


def test_several_layers(path):
    arrays = state_dict("lstm", prefix="encoder.") | state_dict("lstm", prefix="decoder.")
    text = refusal(path, arrays, from_torch=True)
    assert text == "has layers under 'decoder.', 'encoder.'; save one of them alone"


def test_no_layer(path):
    arrays = {"fc.weight": np.zeros(2), "fc.bias": np.zeros(2)}
    text = refusal(path, arrays, from_torch=True)
    assert text == "has no 'weight_ih_l0', nor a name that ends so, but fc.bias, fc.weight"
    assert refusal(path, {}, from_torch=True).endswith("but nothing")


@pytest.mark.parametrize("prefix", ["", "encoder."])
def test_names_of_the_other_kind(path, own, prefix):
    text = refusal(path, state_dict("lstm", prefix=prefix))
    assert text.startswith(f"has PyTorch's names, {prefix}bias_hh_l0, ")
    assert text.endswith("add --from torch")
    text = refusal(
        path, {name.removeprefix("cell."): a for name, a in own.items()}, from_torch=True
    )
    assert text.startswith("has rnnlab's names, U_f, ")
    assert text.endswith("leave out --from torch")
    assert "leave out --from torch" in refusal(path, own, from_torch=True)


def test_what_from_torch_refuses(path):
    arrays = state_dict("lstm", layers=2, prefix="rnn.")
    two = LSTM(hidden=HIDDEN, layers=2)
    assert "unexpected entries bias_hh_l1" in refusal(path, arrays, from_torch=True)
    text = refusal(path, arrays | {"rnn.weight_ih_l0_reverse": np.zeros(2)}, two, from_torch=True)
    assert "unexpected entries weight_ih_l0_reverse" in text
    text = refusal(path, arrays, GRU(hidden=HIDDEN, layers=2), from_torch=True)
    assert text.endswith("'weight_ih_l0' must have shape (9, inputs), got (12, 2)")
    text = refusal(path, state_dict("gru-after"), CELLS["gru-before"], from_torch=True)
    assert "set reset to 'after'" in text
    text = refusal(path, state_dict("rnn"), Leaky(hidden=HIDDEN), from_torch=True)
    assert text == "PyTorch has no counterpart of Leaky"
    del arrays["rnn.bias_hh_l1"]
    assert "state_dict has no 'bias_hh_l1'" in refusal(path, arrays, two, from_torch=True)


@pytest.mark.parametrize("layers", [1, 2])
def test_state_dict_of_other_features(path, layers):
    cell = GRU(hidden=HIDDEN, layers=layers)
    name = "cell.W_n" if layers == 1 else "cell.0.W_n"
    text = refusal(path, state_dict("gru-after", layers), cell, features=7, from_torch=True)
    assert text == f"{name!r} has shape (2, 3); expected is (7, 3): it reads 2 features, not 7"


class Peephole(LSTM):
    def init(self, key, input_size):
        return super().init(key, input_size) | {"p_f": jnp.zeros(self.hidden)}


def test_a_cell_with_more_than_pytorch_has(path):
    text = refusal(path, state_dict("lstm"), Peephole(hidden=HIDDEN), from_torch=True)
    assert text.startswith("lacks cell.p_f (3,); unexpectedly has nothing; expected is ")


def test_state_dict_that_is_not_finite_or_no_floats(path):
    arrays = state_dict("lstm", prefix="rnn.")
    arrays["rnn.bias_hh_l0"][5] = np.nan
    text = refusal(path, arrays, from_torch=True)
    assert text == (
        "'rnn.bias_hh_l0': 1 of 12 float32 values are NaN or infinite, the first at [5]"
    )
    arrays["rnn.bias_hh_l0"] = np.zeros(12, int)
    assert "'rnn.bias_hh_l0' has type I64" in refusal(path, arrays, from_torch=True)


# Files that are not safetensors


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def one(shape, dtype="F32", offsets=(0, 4)):
    return {"cell.W_f": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


NOT_SAFETENSORS = {
    "text": b"hello",
    "pickle": pickle.dumps({"weight_ih_l0": [1.0]}),
    "pickle of PyTorch": zipped({"archive/data.pkl": b"\x80\x02}q\x00.", "archive/version": b"3"}),
    "npz": NPZ,
    "huge header": struct.pack("<Q", 2**63 - 1) + b"{}",
    "no JSON": safetensors(b"{"),
    "no text": safetensors(b"\xff\xfe"),
    "list": safetensors(b"[1]"),
    "unknown type": safetensors(one([1], "F31"), b"\0" * 4),
    "huge shape": safetensors(one([2**40, 2**40]), b"\0" * 4),
    "negative shape": safetensors(one([-1]), b"\0" * 4),
    "less data": safetensors(one([4], offsets=(0, 16)), b"\0" * 4),
    "more data": safetensors(one([1]), b"\0" * 40),
    "half a file": save({"cell.W_f": np.zeros((2, 3))})[:-8],
}


@pytest.mark.parametrize("as_torch", [False, True])
@pytest.mark.parametrize("kind", NOT_SAFETENSORS)
def test_no_safetensors(path, kind, as_torch):
    path.write_bytes(NOT_SAFETENSORS[kind])
    text = message(load_params, path, lstm, FEATURES, as_torch)
    assert text.startswith("cannot be read as a safetensors file: ")
    assert "safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')" in text


# Whatever the bytes, nothing but a UserError


SAFE = save(state_dict("rnn") | {"cell.W_h": np.zeros((2, 3))})
fuzzed = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def mutated(*originals):
    """Bytes of files with a few changed, and cut somewhere; or any bytes at all."""
    original = st.sampled_from(originals)
    changes = st.dictionaries(st.integers(0, 400), st.integers(0, 255), max_size=4)
    some = st.builds(
        lambda content, changes, end: damaged(
            content, {k % len(content): v for k, v in changes.items()}
        )[: end or None],
        original,
        changes,
        st.one_of(st.none(), st.integers(1, 400)),
    )
    return st.one_of(st.binary(max_size=200), some)


def readable(load, path, content, *args):
    path.write_bytes(content)
    try:
        return load(path, *args)
    except UserError:
        return None


@fuzzed
@given(mutated(NPY, NPZ, NPZ_DEFLATED), st.sampled_from(["npy", "npz"]))
@example(NPY, "npz")
@example(NPZ, "npy")
def test_any_bytes_as_inputs(tmp_path, content, suffix):
    inputs = readable(load_time_first, tmp_path / f"x.{suffix}", content)
    assert inputs is None or (inputs.ndim == 3 and np.isfinite(inputs).all())


@fuzzed
@given(mutated(SAFE), st.booleans())
@example(SAFE, True)
def test_any_bytes_as_parameters(tmp_path, content, as_torch):
    cell = CELLS["rnn"]
    params = readable(load_params, tmp_path / "x.st", content, cell, FEATURES, as_torch)
    assert params is None or all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(params))
