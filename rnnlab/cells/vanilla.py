"""The vanilla recurrent network."""

from typing import ClassVar

import jax
import numpy as np
from jaxtyping import Array, Float, Key

from rnnlab.cells.affine import Params, affine
from rnnlab.cells.cell import HiddenState, Observe, unobserved
from rnnlab.cells.facts import Linearisation, TorchLayer, double
from rnnlab.cells.jacobian import StepJacobian, through
from rnnlab.cells.kernels import (
    ACTIVATIONS,
    SLOPES,
    Activation,
    KernelCell,
    require_slope_at_zero,
)


class VanillaRNN(KernelCell):
    """h_t = φ(x_t W + h_{t−1} U + b) (Elman 1990).

    ∂h_t/∂h_{t−1} = diag(φ') Uᵀ, with no direct path: its product over time vanishes or explodes
    with U's gain.

    Attributes:
        activation: φ.
    """

    label: ClassVar[str] = "RNN"
    against_explosion: ClassVar[str] = "scale U_h down"
    without_direct_path: ClassVar[str] = (
        "there is no direct path: the whole gradient goes through the recurrent kernel, U_h."
    )

    activation: Activation = "tanh"

    def init(self, key: Key[Array, ""], input_size: int) -> Params:
        """``W_h`` (input_size, hidden), ``U_h`` (hidden, hidden), ``bias_h`` (hidden,) = 0."""
        input_key, recurrent_key = jax.random.split(key)
        return (
            self.input_kernels(input_key, "h", input_size)
            | self.recurrent_kernels(recurrent_key, "h")
            | self.biases(h=0.0)
        )

    def step(
        self,
        params: Params,
        state: HiddenState,
        x: Float[Array, "batch inputs"],
        observe: Observe = unobserved,
    ) -> HiddenState:
        """One step; observes h."""
        (a,) = affine(params, "h", x, state.h)
        return HiddenState(observe("h", ACTIVATIONS[self.activation](a)))

    def step_jacobian(
        self,
        params: Params,
        before: HiddenState,
        seen: dict[str, Array],
        others_by_carry: dict[str, Array],
    ) -> StepJacobian:
        """∂h_t/∂h_{t−1} = diag(φ') Uᵀ."""
        state = through(SLOPES[self.activation](seen["h"]), params["U_h"])
        return StepJacobian(None, {"h": state}, {}, state)

    def linearised(self, params: Params) -> Linearisation:
        """keep = 0, write = 1; the kernel is U_h."""
        require_slope_at_zero(self.activation)
        ones = np.ones(self.hidden)
        return Linearisation(0 * ones, ones, "U_h", double(params["U_h"]), ("bias_h",))

    @classmethod
    def against_vanishing(cls, wanted: int, decay: float, is_linearised: bool) -> str:
        """Advise the factor on the kernel that would cancel the mean decay."""
        start = "no bias sets how much of the gradient is kept; an LSTM or a GRU has one that does"
        if not decay < 0:
            return f"{start}."
        factor = f"{10**-decay:.3g}" if decay > -3 else f"10^{-decay:.3g}"
        return (
            f"{start}. A recurrent kernel about {factor} times as large would cancel the mean "
            "decay; with a slightly larger one the gradient may explode."
        )

    def torch_layer(self) -> TorchLayer:
        """``torch.nn.RNN``."""
        return TorchLayer("h")
