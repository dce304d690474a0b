"""The work that all contestants do: sequences like the adding problem's, weights, training."""

from typing import NamedTuple

import numpy as np

FEATURES = 2
STEPS_PER_CALL = 10
LEARNING_RATE = 1e-3
GATES = {"rnn": ("h",), "lstm": tuple("ifgo"), "gru": tuple("rzn"), "gru before": tuple("rzn")}

# Of the recurrent kernels, where they are not the gates'.
RECURRENT = GATES | {"gru": ("r", "z", "hn")}

Weights = dict[str, np.ndarray]


class Shape(NamedTuple):
    """Sequences of so many steps, so many of them, read by so many units."""

    time: int
    batch: int
    hidden: int


# Many steps of few examples.
LONG = Shape(10_000, 8, 64)


class Examples(NamedTuple):
    """Inputs (time, batch, features) and targets (batch,)."""

    inputs: np.ndarray
    targets: np.ndarray


def examples(shape: Shape) -> Examples:
    """Values in [0, 1) beside rare marks; the target is the sum of the marked values."""
    random = np.random.default_rng(0)
    values = random.random((shape.time, shape.batch), dtype=np.float32)
    marks = (random.random((shape.time, shape.batch)) < 2 / shape.time).astype(np.float32)
    return Examples(np.stack([values, marks], axis=-1), (values * marks).sum(axis=0))


def weights(cell: str, shape: Shape) -> Weights:
    """``W_k``, ``U_k``, ``bias_k`` for every gate k, ``V`` and ``bias``: all U(±1/√hidden).

    A GRU that resets after the product has ``U_hn`` in place of ``U_n``, and no second bias, since
    Flax has none.
    """
    random, hidden = np.random.default_rng(1), shape.hidden

    def draw(*size: int) -> np.ndarray:
        return (random.uniform(-1, 1, size) / np.sqrt(hidden)).astype(np.float32)

    drawn = {}
    for k, recurrent in zip(GATES[cell], RECURRENT[cell], strict=True):
        drawn[f"W_{k}"] = draw(FEATURES, hidden)
        drawn[f"U_{recurrent}"] = draw(hidden, hidden)
        drawn[f"bias_{k}"] = draw(hidden)
    return drawn | {"V": draw(hidden, 1), "bias": draw(1)}


def side_by_side(weights: Weights, prefix: str, gates: str | tuple[str, ...]) -> np.ndarray:
    """The gates' arrays of this prefix, joined along their last axis."""
    return np.concatenate([weights[f"{prefix}_{k}"] for k in gates], axis=-1)


def apart(array: np.ndarray, prefix: str, gates: str | tuple[str, ...]) -> Weights:
    """The reverse of ``side_by_side``."""
    parts = np.split(np.asarray(array), len(gates), axis=-1)
    return {f"{prefix}_{k}": part for k, part in zip(gates, parts, strict=True)}
