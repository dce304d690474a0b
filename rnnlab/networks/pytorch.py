"""Weights of PyTorch's recurrent layers as parameters of rnnlab's cells."""

from collections.abc import Iterator, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from rnnlab.cells import Cell
from rnnlab.cells.facts import TorchLayer


def from_torch(cell: Cell, state_dict: Mapping[str, Any]) -> Any:
    """Parameters of a trained ``torch.nn.LSTM``, ``GRU`` or ``RNN``.

    PyTorch adds two biases, b_ih + b_hh; rnnlab has their sum, and keeps b_hh apart only for the
    candidate of a GRU that resets after the product (which is the kind that PyTorch has).

    Args:
        cell: the rnnlab cell with the same ``hidden``, ``layers`` and activation.
        state_dict: the layer's ``state_dict()``, or its named parameters; of any floating-point
            type, on any device. Values may be anything that numpy can read as an array (torch
            itself is not needed).

    Returns:
        Parameters as ``cell.init`` makes them.

    Raises:
        ValueError: an entry is missing, unexpected, of the wrong shape, or holds no numbers; the
            cell is a GRU with ``reset="before"``, or not one of the three.
    """
    counterpart = cell.torch_layer()
    arrays = {name: _as_array(name, value) for name, value in state_dict.items()}
    has_bias = any(name.startswith("bias") for name in arrays)
    _refuse_unexpected(arrays, set(_entries(cell, has_bias)))
    layers = tuple(
        _layer(cell, arrays, index, counterpart, has_bias) for index in range(cell.layers)
    )
    return layers[0] if cell.layers == 1 else layers


def _as_array(name: str, value: Any) -> np.ndarray:
    """A tensor in float64, which holds every value of the other types, and in which biases add."""
    if hasattr(value, "detach"):  # numpy reads no tensor of a GPU, and lacks bfloat16
        value = value.detach().cpu()
        value = value.double() if value.is_floating_point() else value
    array = np.asarray(value)
    if not jnp.issubdtype(array.dtype, jnp.floating):
        raise ValueError(f"state_dict entry {name!r} must hold floats, got {array.dtype}")
    return array.astype(np.float64)


def _layer(
    cell: Cell, arrays: dict[str, Any], index: int, counterpart: TorchLayer, has_bias: bool
) -> dict[str, Array]:
    gates = counterpart.gates
    rows = len(gates) * cell.hidden
    weight_ih = _entry(arrays, f"weight_ih_l{index}", (rows, None if index == 0 else cell.hidden))
    weight_hh = _entry(arrays, f"weight_hh_l{index}", (rows, cell.hidden))
    bias_ih, bias_hh = (
        _entry(arrays, f"bias_{part}_l{index}", (rows,)) if has_bias else np.zeros(rows)
        for part in ("ih", "hh")
    )
    params: dict[str, Any] = {}
    for position, k in enumerate(gates):
        block = slice(position * cell.hidden, (position + 1) * cell.hidden)
        params[f"W_{k}"] = weight_ih[block].T
        if own := dict(counterpart.own_products).get(k):
            params |= {f"U_{own}": weight_hh[block].T, f"bias_{k}": bias_ih[block]}
            params[f"bias_{own}"] = bias_hh[block]
        else:
            params |= {f"U_{k}": weight_hh[block].T, f"bias_{k}": bias_ih[block] + bias_hh[block]}
    return {name: jnp.asarray(value, dtype=float) for name, value in params.items()}


def _entry(arrays: dict[str, Any], name: str, shape: tuple[int | None, ...]) -> Any:
    if name not in arrays:
        raise ValueError(f"state_dict has no {name!r}; it has {', '.join(sorted(arrays))}")
    got = arrays[name].shape
    wanted = tuple(g if w is None else w for w, g in zip(shape, got, strict=False))
    if len(got) != len(shape) or got != wanted:
        expected = ", ".join("inputs" if w is None else str(w) for w in shape)
        raise ValueError(f"state_dict entry {name!r} must have shape ({expected}), got {got}")
    return arrays[name]


def _entries(cell: Cell, has_bias: bool) -> Iterator[str]:
    for index in range(cell.layers):
        for kind in ("weight", "bias") if has_bias else ("weight",):
            yield f"{kind}_ih_l{index}"
            yield f"{kind}_hh_l{index}"


def _refuse_unexpected(arrays: dict[str, Any], expected: set[str]) -> None:
    if unexpected := sorted(set(arrays) - expected):
        raise ValueError(
            f"state_dict has unexpected entries {', '.join(unexpected)}; of one direction without "
            f"projection, {', '.join(sorted(expected))} are expected"
        )
