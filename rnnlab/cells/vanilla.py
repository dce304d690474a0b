"""The vanilla recurrent network."""

import jax
from jaxtyping import Array, Float, Key

from rnnlab.cells.cell import HiddenState, Observe, Params, affine, unobserved
from rnnlab.cells.jacobian import StepJacobian, through
from rnnlab.cells.kernels import ACTIVATIONS, SLOPES, Activation, KernelCell


class VanillaRNN(KernelCell):
    """h_t = φ(x_t W + h_{t−1} U + b) (Elman 1990).

    ∂h_t/∂h_{t−1} = diag(φ') Uᵀ, with no direct path: its product over time vanishes or explodes
    with U's gain.

    Attributes:
        activation: φ.
    """

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
