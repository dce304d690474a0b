"""PyTorch: ``nn.LSTM``, ``nn.GRU``, ``nn.RNN``; where recorded, cells that retain c and h."""

import os

import torch
from torch import nn
from workload import (
    FEATURES,
    GATES,
    LEARNING_RATE,
    RECURRENT,
    STEPS_PER_CALL,
    Shape,
    Weights,
    apart,
    examples,
    side_by_side,
)

CELLS = ("rnn", "lstm", "gru")
RECORDINGS = ("nothing", "norms")
WHOLE = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
ONE_STEP = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}


class Contestant:
    """A layer with a readout."""

    def __init__(self, cell: str, shape: Shape, weights: Weights, recorded: str) -> None:
        torch.set_num_threads(len(os.sched_getaffinity(0)))
        self.device = "cuda" if os.environ["JAX_PLATFORMS"] == "cuda" else "cpu"
        self.cell, self.recorded = cell, recorded == "norms"
        self.gates = GATES[cell]
        self.recurrent = RECURRENT[cell]
        kind = ONE_STEP if self.recorded else WHOLE
        self.layer = kind[cell](FEATURES, shape.hidden).to(self.device)
        self.readout = nn.Linear(shape.hidden, 1).to(self.device)
        self.weights = weights
        self._load()
        data = examples(shape)
        self.inputs = torch.from_numpy(data.inputs).to(self.device)
        self.targets = torch.from_numpy(data.targets).to(self.device)
        every = [*self.layer.parameters(), *self.readout.parameters()]
        self.optimizer = torch.optim.Adam(every, lr=LEARNING_RATE, fused=True)

    def _parameter(self, name: str) -> torch.Tensor:
        return getattr(self.layer, name if self.recorded else f"{name}_l0")

    @torch.no_grad()
    def _load(self) -> None:
        weights = self.weights
        self._parameter("bias_hh").zero_()
        for name, value in {
            "weight_ih": side_by_side(weights, "W", self.gates).T,
            "weight_hh": side_by_side(weights, "U", self.recurrent).T,
            "bias_ih": side_by_side(weights, "bias", self.gates),
        }.items():
            self._parameter(name).copy_(torch.from_numpy(value.copy()))
        self.readout.weight.copy_(torch.from_numpy(weights["V"].T.copy()))
        self.readout.bias.copy_(torch.from_numpy(weights["bias"]))

    def _step(self) -> torch.Tensor:
        """The loss; gradients are left in the parameters."""
        self.optimizer.zero_grad()
        h = self._last_retained() if self.recorded else self.layer(self.inputs)[0][-1]
        loss = ((self.readout(h)[:, 0] - self.targets) ** 2).mean()
        loss.backward()
        if self.recorded:
            self.norms = [
                (torch.stack([part.grad for part in parts]) * len(self.targets))
                .norm(dim=-1)
                .log10()
                for parts in zip(*self.states, strict=True)
            ]
        return loss

    def _last_retained(self) -> torch.Tensor:
        state, self.states = None, []
        for x in self.inputs:
            after = self.layer(x, state)
            state = after
            parts = after if isinstance(after, tuple) else (after,)
            for part in parts:
                part.retain_grad()
            self.states.append(parts)
        return parts[0]

    def check(self) -> tuple[float, Weights]:
        """Loss and gradient."""
        self._load()
        loss = self._step()
        gradient = {
            "V": self.readout.weight.grad.cpu().numpy().T,
            "bias": self.readout.bias.grad.cpu().numpy(),
        }
        for name, prefix, gates in (
            ("weight_ih", "W", self.gates),
            ("weight_hh", "U", self.recurrent),
            ("bias_ih", "bias", self.gates),
        ):
            gradient |= apart(self._parameter(name).grad.cpu().numpy().T, prefix, gates)
        return loss.item(), gradient

    def train(self) -> None:
        """Ten steps."""
        for _ in range(STEPS_PER_CALL):
            loss = self._step()
            self.optimizer.step()
        loss.item()

    def bytes_on_gpu(self) -> int:
        """The most that PyTorch has used there."""
        return torch.cuda.max_memory_allocated()
