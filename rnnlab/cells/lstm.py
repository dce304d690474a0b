"""The long short-term memory."""

from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax.nn import sigmoid
from jaxtyping import Array, Float, Key
from pydantic import model_validator
from scipy.special import expit

from rnnlab.cells.advice import REACHED, keeping_biases
from rnnlab.cells.affine import Params, affine
from rnnlab.cells.cell import AtInit, Observe, unobserved
from rnnlab.cells.closed_forms import bias_to_keep, critical_gain
from rnnlab.cells.facts import GateBias, Linearisation, TorchLayer, double
from rnnlab.cells.initializers import chrono
from rnnlab.cells.jacobian import StepJacobian, both_diagonal, both_through, through
from rnnlab.cells.kernels import (
    ACTIVATIONS,
    SLOPES,
    Activation,
    ChronoLength,
    Finite,
    KernelCell,
    require_slope_at_zero,
)


class LSTMState(NamedTuple):
    """Hidden state h and cell state c."""

    h: Array
    c: Array


class LSTM(KernelCell):
    """LSTM with a forget gate (Hochreiter & Schmidhuber 1997; Gers et al. 2000).

    i, f, o = σ(x_t W + h_{t−1} U + b) each, g = φ(x_t W_g + h_{t−1} U_g + b_g),
    c_t = f ⊙ c_{t−1} + i ⊙ g, h_t = o ⊙ φ(c_t).

    Attributes:
        activation: φ, used in the candidate g and in the output.
        forget_bias: initial b_f, the whole offset before the sigmoid; ``chrono`` draws it per
            unit (Tallec & Ollivier 2018, equation 16).
        input_bias: initial b_i; ``tied`` is −b_f per unit. Default: tied with chrono, else 0.
        output_bias: initial b_o.
        t_max: the longest time scale that ``chrono`` draws, in steps.

    Raises:
        ValueError: ``chrono`` without ``t_max``.
    """

    State: ClassVar[Any] = LSTMState
    gates: ClassVar[tuple[str, ...]] = ("i", "f", "o")
    direct: ClassVar[str | None] = "f"

    label: ClassVar[str] = "LSTM"
    gate_biases: ClassVar[tuple[GateBias, ...]] = (
        GateBias("forget_bias", "f"),
        GateBias("input_bias", "i", words=(("tied", "b_i = −b_f"),), shows_zero=False),
    )
    against_explosion: ClassVar[str] = (
        "tie the input gate (b_i = −b_f), lower b_f, or scale U_g down"
    )

    activation: Activation = "tanh"
    forget_bias: Annotated[Finite | Literal["chrono"], AtInit] = 1.0
    input_bias: Annotated[Finite | Literal["tied"], AtInit] = 0.0
    output_bias: Annotated[Finite, AtInit] = 0.0
    t_max: Annotated[ChronoLength | None, AtInit] = None

    @model_validator(mode="before")
    @classmethod
    def _tie_with_chrono(cls, options: dict[str, Any]) -> dict[str, Any]:
        tied = {"input_bias": "tied"} if options.get("forget_bias") == "chrono" else {}
        return tied | options

    @model_validator(mode="after")
    def _chrono_needs_t_max(self) -> "LSTM":
        if self.forget_bias == "chrono" and self.t_max is None:
            raise ValueError("forget_bias 'chrono' needs t_max, the longest time scale in steps")
        return self

    def init(self, key: Key[Array, ""], input_size: int) -> Params:
        """``W_k`` (input_size, hidden), ``U_k`` (hidden, hidden), ``bias_k`` (hidden,), k in ifgo.

        The kernels depend on the key alone, not on the biases.
        """
        input_key, recurrent_key, bias_key = jax.random.split(key, 3)
        b_f = self._forget_bias(bias_key)
        b_i = -b_f if self.input_bias == "tied" else self.input_bias
        return (
            self.input_kernels(input_key, "ifgo", input_size)
            | self.recurrent_kernels(recurrent_key, "ifgo")
            | self.biases(i=b_i, f=b_f, g=0.0, o=self.output_bias)
        )

    def _forget_bias(self, key: Key[Array, ""]) -> Float[Array, " hidden"]:
        if self.forget_bias == "chrono":
            assert self.t_max is not None
            return chrono(key, self.hidden, self.t_max)
        return jnp.full((self.hidden,), self.forget_bias)

    def step(
        self,
        params: Params,
        state: LSTMState,
        x: Float[Array, "batch inputs"],
        observe: Observe = unobserved,
    ) -> LSTMState:
        """One step; observes i, f, g, o, c and h."""
        φ = ACTIVATIONS[self.activation]
        a_i, a_f, a_g, a_o = affine(params, "ifgo", x, state.h)
        i = observe("i", sigmoid(a_i))
        f = observe("f", sigmoid(a_f))
        g = observe("g", φ(a_g))
        o = observe("o", sigmoid(a_o))
        c = observe("c", f * state.c + i * g)
        h = observe("h", o * φ(c))
        return LSTMState(h, c)

    def step_jacobian(
        self,
        params: Params,
        before: LSTMState,
        seen: dict[str, Array],
        others_by_carry: dict[str, Float[Array, "batch hidden"]],
    ) -> StepJacobian:
        """∂(h, c)_t/∂(h, c)_{t−1} from the equations of the step."""
        i, f, g, o, c = (seen[name] for name in "ifgoc")
        slope = SLOPES[self.activation]
        φ_c = ACTIVATIONS[self.activation](c)
        c_by_a = {
            "f": before.c * f * (1 - f),
            "i": g * i * (1 - i),
            "g": i * slope(g),
            "o": jnp.zeros_like(o),
        }
        h_by_c = o * slope(φ_c)
        h_by_a = {k: h_by_c * d for k, d in c_by_a.items()} | {"o": φ_c * o * (1 - o)}

        by_h = sum(both_through(h_by_a[k], c_by_a[k], params[f"U_{k}"]) for k in "figo")
        by_c = both_diagonal(h_by_c * f, f)
        h_before_by_c = others_by_carry["h"][..., None, :]
        c_by_c = {k: through(c_by_a[k], params[f"U_{k}"]) * h_before_by_c for k in "fig"}
        return StepJacobian(f, c_by_c, {"h": h_by_c}, by_h + by_c)

    def linearised(self, params: Params) -> Linearisation:
        """keep = σ(b_f), write = σ(b_i) σ(b_o); the candidate's kernel is U_g."""
        require_slope_at_zero(self.activation)
        b_f, b_i, b_o = (double(params[f"bias_{k}"]) for k in "fio")
        write, U = expit(b_i) * expit(b_o), double(params["U_g"])
        return Linearisation(expit(b_f), write, "U_g", U, ("bias_g",), leak=expit(-b_f))

    @classmethod
    def against_vanishing(cls, wanted: int, decay: float, is_linearised: bool) -> str:
        """Advise the biases at which f keeps enough of the gradient, with their critical gains."""
        biases = keeping_biases("b_f", wanted)
        if not is_linearised:
            return f"{biases}."
        least = bias_to_keep(10**REACHED, wanted)
        untied, tied = critical_gain(least), critical_gain(least, b_i=-least)
        return (
            f"{biases}. At b_f = {least:.2f} the zero state becomes unstable once an eigenvalue of "
            f"U_g reaches {untied:.3g} with b_i = 0, or {tied:.3g} with the tie b_i = −b_f, which "
            "chrono sets. Beyond that, the indirect paths can make the gradient grow."
        )

    def torch_layer(self) -> TorchLayer:
        """``torch.nn.LSTM``."""
        return TorchLayer("ifgo")
