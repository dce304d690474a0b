"""Values and gradients of PyTorch's recurrent layers, for test_pytorch.py.

Run by hand, with PyTorch 2.13: python tests/networks/make_golden.py
"""

import itertools
from pathlib import Path

import numpy as np
import torch

LAYERS = {
    "lstm": torch.nn.LSTM,
    "gru": torch.nn.GRU,
    "rnn-tanh": torch.nn.RNN,
    "rnn-relu": lambda *args, **options: torch.nn.RNN(*args, nonlinearity="relu", **options),
}
TIME, BATCH, FEATURES, HIDDEN = 6, 5, 4, 3


def reference(kind: str, layers: int, bias: bool) -> dict[str, np.ndarray]:
    """Weights, inputs, outputs, and gradients of the sum of squares of the last output."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = LAYERS[kind](FEATURES, HIDDEN, num_layers=layers, bias=bias, dtype=torch.float64)
        inputs = torch.randn(TIME, BATCH, FEATURES, dtype=torch.float64)
    h, final = layer(inputs)
    (h[-1] ** 2).sum().backward()
    final = dict(zip("hc", final, strict=True)) if kind == "lstm" else {"h": final}
    return (
        {f"weights/{name}": value.numpy() for name, value in layer.state_dict().items()}
        | {f"gradients/{name}": value.grad.numpy() for name, value in layer.named_parameters()}
        | {f"final/{part}": value.detach().numpy() for part, value in final.items()}
        | {"inputs": inputs.numpy(), "h": h.detach().numpy()}
    )


if __name__ == "__main__":
    golden = Path(__file__).parent / "golden"
    golden.mkdir(exist_ok=True)
    for kind, layers, bias in itertools.product(LAYERS, (1, 2), (True, False)):
        arrays = reference(kind, layers, bias)
        np.savez_compressed(golden / f"{kind}-{layers}{'' if bias else '-nobias'}.npz", **arrays)
