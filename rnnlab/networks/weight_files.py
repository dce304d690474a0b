"""Weights of other libraries' layers, from files."""

from pathlib import Path
from typing import Any

from rnnlab.cells import Cell
from rnnlab.networks.pytorch import from_torch
from rnnlab.results.params import TORCH_NAME, by_dotted_name, check_entries, read_entry, weights_of
from rnnlab.support.user_files import some


def read_torch_params(path: Path, cell: Cell, input_size: int) -> Any:
    """Parameters as ``cell.init`` makes them, from the state dict of a PyTorch layer.

    Args:
        path: a safetensors file: the state dict of the layer, or of a model with one such layer.
        cell: the cell that corresponds to the layer.
        input_size: number of input features.

    Raises:
        UserError: there is no such file, or it does not hold finite weights of this cell.
    """
    with weights_of(path, cell, input_size) as (file, like):
        expected = by_dotted_name({"cell": like})
        names = file.keys()
        prefix = _only_prefix(names, expected)
        of_layer = [n for n in names if n.startswith((prefix + "weight_", prefix + "bias_"))]
        params = from_torch(cell, {n.removeprefix(prefix): read_entry(file, n) for n in of_layer})
        found = by_dotted_name({"cell": params})
        check_entries({name: leaf.shape for name, leaf in found.items()}, expected)
        return params


def _only_prefix(names: list[str], expected: dict[str, Any]) -> str:
    prefixes = [name.removesuffix(TORCH_NAME) for name in names if name.endswith(TORCH_NAME)]
    if len(prefixes) == 1:
        return prefixes[0]
    if prefixes:
        raise ValueError(f"has layers under {some(map(repr, prefixes))}; save one of them alone")
    if any(f"cell.{name.removeprefix('cell.')}" in expected for name in names):
        raise ValueError(f"has rnnlab's names, {some(names)}: leave out --from torch")
    raise ValueError(f"has no {TORCH_NAME!r}, nor a name that ends so, but {some(names)}")
