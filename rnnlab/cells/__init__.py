"""Recurrent cells, one per file, written as in their papers."""

from rnnlab.cells.affine import affine
from rnnlab.cells.cell import Cell, HiddenState
from rnnlab.cells.gru import GRU
from rnnlab.cells.lstm import LSTM, LSTMState
from rnnlab.cells.vanilla import VanillaRNN

CELLS: dict[str, type[Cell]] = {"rnn": VanillaRNN, "lstm": LSTM, "gru": GRU}


def dynamics_of(cell: Cell) -> Cell:
    """A built-in cell's ``dynamics``; a user's cell unchanged, as its step may read any option."""
    return cell.dynamics() if type(cell) in CELLS.values() else cell


__all__ = [
    "CELLS",
    "GRU",
    "LSTM",
    "Cell",
    "HiddenState",
    "LSTMState",
    "VanillaRNN",
    "affine",
    "dynamics_of",
]
