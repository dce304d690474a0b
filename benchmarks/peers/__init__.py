"""One file per library: the same training step, as a competent user of it would write it.

Each has ``CELLS``, the cells it offers, ``RECORDINGS``, what it can record, and
``Contestant(cell, shape, weights, recorded)`` with

``check()``         the loss and its gradient by the given weights, under our parameters' names;
``train()``         ten training steps with Adam, from where the last ones ended;
``bytes_on_gpu()``  the most that it has used there.
"""

import importlib
from types import ModuleType

NAMES = ("rnnlab", "torch", "flax", "equinox", "haiku")


def peer(name: str) -> ModuleType:
    """The module of a library."""
    return importlib.import_module(f"peers.with_{name}")
