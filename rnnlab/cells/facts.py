"""What a cell's class says of the cell, for labels, figures, theory and other libraries."""

from typing import NamedTuple

from jaxtyping import ArrayLike, Float64
from numpy import asarray, float64, ndarray

Units = Float64[ndarray, " hidden"]


def double(parameter: ArrayLike) -> Float64[ndarray, "..."]:
    """A parameter in double precision."""
    return asarray(parameter, float64)


class GateBias(NamedTuple):
    """An option that sets the initial bias of a gate.

    Attributes:
        option: its name.
        gate: the gate; the bias is written b_gate.
        words: values that are not numbers, each with its label.
        shows_zero: whether labels mention a bias of 0.
    """

    option: str
    gate: str
    words: tuple[tuple[str, str], ...] = ()
    shows_zero: bool = True

    @property
    def symbol(self) -> str:
        """The symbol in labels, such as b_f."""
        return f"b_{self.gate}"

    @property
    def key(self) -> str:
        """The option's dotted key in a config."""
        return f"cell.{self.option}"


class Linearisation(NamedTuple):
    """The dynamics near the zero state with zero input: s_t = keep ⊙ s_{t−1} + write ⊙ (s_{t−1} U).

    Attributes:
        keep: what each unit keeps.
        write: what each unit writes of the candidate.
        kernel: name of the candidate's recurrent kernel.
        U: that kernel.
        zero_biases: names of the biases that must be 0 for the zero state to be a fixed point.
    """

    keep: Units
    write: Units
    kernel: str
    U: Float64[ndarray, "hidden hidden"]
    zero_biases: tuple[str, ...]


class TorchLayer(NamedTuple):
    """The counterpart of a cell in PyTorch.

    Attributes:
        gates: the gates in the order of the rows of ``weight_ih_l[k]``.
        own_products: gates whose recurrent product has a bias of its own, with the name of its
            parameters here: ("n", "hn") stands for U_hn and bias_hn.
    """

    gates: str
    own_products: tuple[tuple[str, str], ...] = ()
