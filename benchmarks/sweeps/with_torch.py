"""PyTorch: an ``LSTMCell`` that retains the gradient of h and c at every time step."""

from typing import Any

import numpy as np
import torch
from torch import nn

from sweeps.settings import (
    BATCH,
    EVALUATE_EVERY,
    EVALUATION_EXAMPLES,
    FEATURES,
    HIDDEN,
    LEARNING_RATE,
    LENGTH,
    kernels,
    train_all,
)


def adding(examples: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs (time, examples, 2) and targets."""
    values = torch.rand((LENGTH, examples), generator=generator)
    marks = torch.zeros((LENGTH, examples))
    half = LENGTH // 2
    every = torch.arange(examples)
    for low, high in ((0, half), (half, LENGTH)):
        marks[torch.randint(low, high, (examples,), generator=generator), every] = 1
    return torch.stack([values, marks], dim=-1), (values * marks).sum(dim=0)


class Model(nn.Module):
    """An LSTM and a readout of its last h."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(FEATURES, HIDDEN)
        self.readout = nn.Linear(HIDDEN, 1)
        with torch.no_grad():
            self.cell.weight_ih.copy_(torch.from_numpy(weights["W"].T.copy()))
            self.cell.weight_hh.copy_(torch.from_numpy(weights["U"].T.copy()))
            self.cell.bias_ih.copy_(torch.from_numpy(weights["bias"]))
            self.cell.bias_hh.zero_()
            self.readout.weight.copy_(torch.from_numpy(weights["V"].T.copy()))
            self.readout.bias.zero_()

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, list[Any]]:
        """Answers, and (h, c) at every time step."""
        states: list[Any] = []
        for x in inputs:
            states.append(self.cell(x, states[-1] if states else None))
        return self.readout(states[-1][0])[:, 0], states


def train(forget_bias: float | str, tied: bool, seed: int, steps: int) -> dict[str, np.ndarray]:
    """One run."""
    generator = torch.Generator().manual_seed(seed)
    model = Model(kernels(forget_bias, tied, seed))
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    evaluation = adding(EVALUATION_EXAMPLES, generator)
    losses, norms, evaluated = [], [], []
    for step in range(steps):
        inputs, targets = adding(BATCH, generator)
        optimizer.zero_grad()
        outputs, states = model(inputs)
        for h, c in states:
            h.retain_grad()
            c.retain_grad()
        errors = (outputs - targets) ** 2
        errors.mean().backward()
        optimizer.step()
        # Of each example's own loss, not of the batch's mean.
        adjoints = [
            BATCH * torch.stack([part.grad for part in parts])
            for parts in zip(*states, strict=True)
        ]
        norms.append([a.norm(dim=-1).log10().mean(dim=-1).numpy() for a in adjoints])
        losses.append(errors.mean().item())
        if step % EVALUATE_EVERY == 0:
            with torch.no_grad():
                outputs, _ = model(evaluation[0])
                evaluated.append(((outputs - evaluation[1]) ** 2).mean().item())
    return {"loss": np.array(losses), "norms": np.array(norms), "eval_loss": np.array(evaluated)}


if __name__ == "__main__":
    train_all(train)
