"""The gated recurrent unit."""

from typing import Annotated, ClassVar, Literal

import jax
import jax.numpy as jnp
from jax.nn import sigmoid
from jaxtyping import Array, Float, Key
from pydantic import model_validator
from scipy.special import expit

from rnnlab.cells.advice import keeping_biases
from rnnlab.cells.affine import Params, affine
from rnnlab.cells.cell import AtInit, HiddenState, Observe, unobserved
from rnnlab.cells.facts import GateBias, Linearisation, TorchLayer, double
from rnnlab.cells.initializers import chrono
from rnnlab.cells.jacobian import StepJacobian, diagonal, through
from rnnlab.cells.kernels import ChronoLength, Finite, KernelCell


class GRU(KernelCell):
    """GRU (Cho et al. 2014) whose update gate z remembers: h_t = z ⊙ h_{t−1} + (1 − z) ⊙ n.

    r, z = σ(x_t W + h_{t−1} U + b) each, and
    n = tanh(x_t W_n + (r ⊙ h_{t−1}) U_n + b_n) with ``reset="before"``,
    n = tanh(x_t W_n + b_n + r ⊙ (h_{t−1} U_hn + b_hn)) with ``reset="after"`` (as in cuDNN,
    PyTorch, Flax and Keras).

    Attributes:
        reset: whether r acts before or after the recurrent product.
        update_bias: initial b_z, the whole offset before the sigmoid; positive remembers;
            ``chrono`` draws it per unit (Tallec & Ollivier 2018, equation 16).
        t_max: the longest time scale that ``chrono`` draws, in steps.

    Raises:
        ValueError: ``chrono`` without ``t_max``.
    """

    gates: ClassVar[tuple[str, ...]] = ("r", "z")
    direct: ClassVar[str | None] = "z"

    label: ClassVar[str] = "GRU"
    gate_biases: ClassVar[tuple[GateBias, ...]] = (GateBias("update_bias", "z"),)
    against_explosion: ClassVar[str] = (
        "raise the update bias b_z, or scale the candidate's kernel down"
    )

    reset: Literal["before", "after"] = "after"
    update_bias: Annotated[Finite | Literal["chrono"], AtInit] = 0.0
    t_max: Annotated[ChronoLength | None, AtInit] = None

    @model_validator(mode="after")
    def _chrono_needs_t_max(self) -> "GRU":
        if self.update_bias == "chrono" and self.t_max is None:
            raise ValueError("update_bias 'chrono' needs t_max, the longest time scale in steps")
        return self

    def init(self, key: Key[Array, ""], input_size: int) -> Params:
        """``W_k`` (input_size, hidden), ``U_k`` (hidden, hidden), ``bias_k`` (hidden,), k in rzn.

        With ``reset="after"``, ``U_hn`` and ``bias_hn`` take the place of ``U_n``. The kernels
        depend on the key alone, not on the biases.
        """
        input_key, recurrent_key, bias_key = jax.random.split(key, 3)
        after = self.reset == "after"
        return (
            self.input_kernels(input_key, "rzn", input_size)
            | self.recurrent_kernels(recurrent_key, ("r", "z", "hn" if after else "n"))
            | self.biases(r=0.0, z=self._update_bias(bias_key), n=0.0)
            | (self.biases(hn=0.0) if after else {})
        )

    def _update_bias(self, key: Key[Array, ""]) -> Float[Array, " hidden"]:
        if self.update_bias == "chrono":
            assert self.t_max is not None
            return chrono(key, self.hidden, self.t_max)
        return jnp.full((self.hidden,), self.update_bias)

    def step(
        self,
        params: Params,
        state: HiddenState,
        x: Float[Array, "batch inputs"],
        observe: Observe = unobserved,
    ) -> HiddenState:
        """One step; observes r, z, n and h."""
        a_r, a_z = affine(params, "rz", x, state.h)
        r = observe("r", sigmoid(a_r))
        z = observe("z", sigmoid(a_z))
        if self.reset == "before":
            (a_n,) = affine(params, "n", x, r * state.h)
        else:
            (a_xn,) = affine(params, "n", x)
            (a_hn,) = affine(params, ("hn",), h=state.h)
            a_n = a_xn + r * a_hn
        n = observe("n", jnp.tanh(a_n))
        return HiddenState(observe("h", z * state.h + (1 - z) * n))

    def step_jacobian(
        self,
        params: Params,
        before: HiddenState,
        seen: dict[str, Array],
        others_by_carry: dict[str, Array],
    ) -> StepJacobian:
        """∂h_t/∂h_{t−1} from the equations of the step; the path through r continues through n."""
        r, z, n = (seen[name] for name in "rzn")
        h_by_a_n = (1 - z) * (1 - n**2)
        if self.reset == "before":
            by_r = through(before.h * r * (1 - r), params["U_r"])
            h_by_rh = through(h_by_a_n, params["U_n"])
            r_path, n_path = h_by_rh @ by_r, h_by_rh * r[..., None, :]
        else:
            (a_hn,) = affine(params, ("hn",), h=before.h)
            r_path = through(h_by_a_n * a_hn * r * (1 - r), params["U_r"])
            n_path = through(h_by_a_n * r, params["U_hn"])
        z_path = through((before.h - n) * z * (1 - z), params["U_z"])
        state = diagonal(z) + z_path + r_path + n_path
        return StepJacobian(z, {"z": z_path, "r": r_path, "n": n_path}, {}, state)

    def linearised(self, params: Params) -> Linearisation:
        """keep = σ(b_z), write = (1 − σ(b_z)) σ(b_r); the candidate's kernel is U_n or U_hn."""
        b_r, b_z = (double(params[f"bias_{k}"]) for k in "rz")
        name = "U_hn" if self.reset == "after" else "U_n"
        leak, zero_biases = expit(-b_z), ("bias_n", "bias_hn")
        write, U = leak * expit(b_r), double(params[name])
        return Linearisation(expit(b_z), write, name, U, zero_biases, leak)

    @classmethod
    def against_vanishing(cls, wanted: int, decay: float, is_linearised: bool) -> str:
        """Advise the biases at which the update gate keeps enough of the gradient."""
        biases = keeping_biases("b_z", wanted)
        return (
            f"{biases}. A GRU ties its gates, z and 1 − z, so a larger b_z does not change the "
            "spectral radius at which the zero state becomes unstable."
        )

    def torch_layer(self) -> TorchLayer:
        """``torch.nn.GRU``, which applies r after the recurrent product."""
        if self.reset != "after":
            raise ValueError("PyTorch's GRU resets after the product: set reset to 'after'")
        return TorchLayer("rzn", own_products=(("n", "hn"),))
