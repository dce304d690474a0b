"""Facts that a cell's class declares, for labels, figures, theory and other libraries."""

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
        option: the option's name.
        gate: the name of the gate; labels write its bias as b_gate.
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
        keep: the factor of each unit's own previous state.
        write: the factor of each unit's candidate.
        kernel: name of the candidate's recurrent kernel.
        U: the values of that kernel.
        zero_biases: names of the biases that must be 0 for the zero state to be a fixed point.
        leak: 1 − keep, where subtracting would round it away; None: it would not.
    """

    keep: Units
    write: Units
    kernel: str
    U: Float64[ndarray, "hidden hidden"]
    zero_biases: tuple[str, ...]
    leak: Units | None = None


class TorchLayer(NamedTuple):
    """The layer of PyTorch that corresponds to a cell.

    Attributes:
        gates: the gates in the order of the rows of ``weight_ih_l[k]``.
        own_products: gates whose recurrent product has a separate bias, each with the name of its
            parameters here: ("n", "hn") stands for U_hn and bias_hn.
    """

    gates: str
    own_products: tuple[tuple[str, str], ...] = ()
