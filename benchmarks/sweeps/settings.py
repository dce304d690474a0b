"""What ``forget_bias.yaml`` says, for those who cannot read it."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

LENGTH, HIDDEN, BATCH, FEATURES = 100, 32, 32, 2
LEARNING_RATE = 5e-3
EVALUATE_EVERY, EVALUATION_EXAMPLES = 20, 256
SEEDS = 3
# Forget bias, and whether the input bias is tied to it.
SETTINGS: tuple[tuple[float | str, bool], ...] = (
    (0.0, False),
    (1.0, False),
    (3.0, False),
    (5.0, False),
    (3.0, True),
    ("chrono", True),
)


def biases(
    forget_bias: float | str, tied: bool, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Initial b_i and b_f."""
    if forget_bias == "chrono":
        b_f = np.log(random.uniform(1, LENGTH - 1, HIDDEN))
    else:
        b_f = np.full(HIDDEN, forget_bias)
    return (-b_f if tied else np.zeros(HIDDEN)), b_f


def glorot(rows: int, columns: int, random: np.random.Generator) -> np.ndarray:
    """Glorot uniform."""
    bound = np.sqrt(6 / (rows + columns))
    return random.uniform(-bound, bound, (rows, columns))


def orthogonal(size: int, random: np.random.Generator) -> np.ndarray:
    """Uniform among orthogonal matrices."""
    q, r = np.linalg.qr(random.normal(size=(size, size)))
    return q * np.sign(np.diag(r))


def kernels(forget_bias: float | str, tied: bool, seed: int) -> dict[str, np.ndarray]:
    """``W`` (features, 4 hidden), ``U``, ``bias`` with gates i, f, g, o side by side, and ``V``."""
    random = np.random.default_rng(seed)
    W = [glorot(FEATURES, HIDDEN, random) for _ in range(4)]
    U = [orthogonal(HIDDEN, random) for _ in range(4)]
    V = glorot(HIDDEN, 1, random)
    b_i, b_f = biases(forget_bias, tied, random)
    bias = np.concatenate([b_i, b_f, np.zeros(2 * HIDDEN)])
    drawn = {"W": np.hstack(W), "U": np.hstack(U), "bias": bias, "V": V}
    return {name: array.astype(np.float32) for name, array in drawn.items()}


def train_all(train: Callable[[float | str, bool, int, int], dict[str, np.ndarray]]) -> None:
    """Do all runs by ``train(forget_bias, tied, seed, steps)``, and write what they found."""
    steps, file = int(sys.argv[1]), sys.argv[2]
    found: dict[str, Any] = {}
    for number, (forget_bias, tied) in enumerate(SETTINGS):
        for seed in range(SEEDS):
            run = train(forget_bias, tied, seed, steps)
            found |= {f"{number}/{seed}/{name}": values for name, values in run.items()}
    np.savez(file, **found)
