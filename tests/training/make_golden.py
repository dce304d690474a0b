"""Parameters after updates of PyTorch's optimisers, for test_optimizers.py.

Run by hand, with PyTorch 2.13: python tests/training/make_golden.py
"""

from pathlib import Path

import numpy as np
import torch

RATE, STEPS = 0.3, 6
SIZES = (1.0, 1e-6, 1e-9)  # of gradients: with the smaller ones ε, and its place, decide
# By name, the optimiser and its options besides the rate.
OPTIMIZERS = {
    "sgd": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {"momentum": 0.9}),
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {"weight_decay": 1e-4}),
    "rmsprop": (torch.optim.RMSprop, {"alpha": 0.9}),
    "rmsprop epsilon": (torch.optim.RMSprop, {"alpha": 0.99, "eps": 1e-4}),
}


def trajectory(name: str, gradients: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The parameters after each update, (steps, parameters)."""
    w = torch.nn.Parameter(torch.tensor(start))
    kind, options = OPTIMIZERS[name]
    optimizer = kind([w], lr=RATE, **options)
    seen = []
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        seen.append(w.detach().numpy().copy())
    return np.stack(seen)


if __name__ == "__main__":
    gradients = np.random.default_rng(0).normal(size=(STEPS, 5)) * [1e-3, 0.1, 1.0, 1.0, 30.0]
    start = np.array([1.0, -2.0, 0.0, 3.0, 0.5])
    arrays = {"gradients": gradients, "start": start, "sizes": np.array(SIZES)}
    for name in OPTIMIZERS:
        found = [trajectory(name, size * gradients, start) for size in SIZES]
        arrays[name] = np.stack(found)
    golden = Path(__file__).parent / "golden"
    golden.mkdir(exist_ok=True)
    np.savez_compressed(golden / "optimizers.npz", **arrays)
