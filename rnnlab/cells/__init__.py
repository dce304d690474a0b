"""Recurrent cells, one per file, written as in their papers."""

from rnnlab.cells.cell import Cell, HiddenState, affine
from rnnlab.cells.gru import GRU
from rnnlab.cells.lstm import LSTM, LSTMState
from rnnlab.cells.vanilla import VanillaRNN

CELLS: dict[str, type[Cell]] = {"rnn": VanillaRNN, "lstm": LSTM, "gru": GRU}

__all__ = [
    "CELLS",
    "GRU",
    "LSTM",
    "Cell",
    "HiddenState",
    "LSTMState",
    "VanillaRNN",
    "affine",
]
