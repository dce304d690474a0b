"""Haiku: ``hk.dynamic_unroll``. Its RNN has relu for tanh; its GRU resets before the product."""

from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from workload import FEATURES, Shape, Weights, apart, examples, side_by_side

from peers.jax_training import JaxContestant

CELLS = ("lstm", "gru before")
RECORDINGS = ("nothing",)


class Contestant(JaxContestant):
    """Mean squared error of the readout of the last h."""

    def __init__(self, cell: str, shape: Shape, weights: Weights, recorded: str) -> None:
        self.cell = cell
        inputs, targets = map(jnp.asarray, examples(shape))

        def outputs() -> Any:
            core = hk.LSTM(shape.hidden) if cell == "lstm" else hk.GRU(shape.hidden)
            h, _ = hk.dynamic_unroll(core, inputs, core.initial_state(shape.batch))
            return hk.Linear(1, name="readout")(h[-1])[:, 0]

        model = hk.without_apply_rng(hk.transform(outputs))

        def loss(params: Any) -> Any:
            return jnp.mean((model.apply(params) - targets) ** 2)

        super().__init__(jax.value_and_grad(loss), self._theirs(weights))

    def _theirs(self, weights: Weights) -> Any:
        readout = {"w": weights["V"], "b": weights["bias"]}
        if self.cell == "lstm":
            joined = [side_by_side(weights, prefix, "igfo") for prefix in ("W", "U")]
            bias = side_by_side(weights | {"bias_f": weights["bias_f"] - 1}, "bias", "igfo")
            own = {"lstm/linear": {"w": np.concatenate(joined), "b": bias}}
        else:
            # 1 − z for z: the gate's arrays change sign.
            flipped = weights | {f"{p}_z": -weights[f"{p}_z"] for p in ("W", "U", "bias")}
            names = {"w_i": "W", "w_h": "U", "b": "bias"}
            own = {"gru": {n: side_by_side(flipped, p, "zrn") for n, p in names.items()}}
        return jax.tree.map(jnp.asarray, own | {"readout": readout})

    def check(self) -> tuple[float, Weights]:
        """Loss and gradient."""
        loss, gradient = super().check()
        readout = {"V": gradient["readout"]["w"], "bias": gradient["readout"]["b"]}
        if self.cell == "lstm":
            own = gradient["lstm/linear"]
            return loss, readout | {
                **apart(own["w"][:FEATURES], "W", "igfo"),
                **apart(own["w"][FEATURES:], "U", "igfo"),
                **apart(own["b"], "bias", "igfo"),
            }
        own = gradient["gru"]
        found = {
            **apart(own["w_i"], "W", "zrn"),
            **apart(own["w_h"], "U", "zrn"),
            **apart(own["b"], "bias", "zrn"),
        }
        return loss, readout | found | {f"{p}_z": -found[f"{p}_z"] for p in ("W", "U", "bias")}
