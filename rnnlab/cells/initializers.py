"""Initial kernels and gate biases."""

from typing import Literal

import jax
import jax.numpy as jnp
from jax.nn import initializers
from jaxtyping import Array, Float, Key

InputKernel = Literal["glorot", "orthogonal", "uniform", "lecun"]
RecurrentKernel = Literal["orthogonal", "glorot", "uniform", "lecun", "identity"]


def kernel(
    name: RecurrentKernel, key: Key[Array, ""], rows: int, hidden: int
) -> Float[Array, "rows hidden"]:
    """Draw the kernel of one gate.

    Args:
        name: ``glorot`` (uniform; Glorot & Bengio 2010), ``orthogonal`` (Saxe et al. 2014),
            ``uniform`` (±1/√hidden, PyTorch's choice), ``lecun`` (normal with variance 1/rows),
            ``identity`` (Le et al. 2015, for a square recurrent kernel).
        key: determines the random numbers.
        rows: number of inputs.
        hidden: number of units.
    """
    shape = (rows, hidden)
    match name:
        case "glorot":
            return initializers.glorot_uniform()(key, shape)
        case "orthogonal":
            return initializers.orthogonal()(key, shape)
        case "uniform":
            bound = hidden**-0.5
            return jax.random.uniform(key, shape, minval=-bound, maxval=bound)
        case "lecun":
            return initializers.variance_scaling(1.0, "fan_in", "normal")(key, shape)
        case "identity":
            return jnp.eye(rows, hidden)


def chrono(key: Key[Array, ""], hidden: int, t_max: float) -> Float[Array, " hidden"]:
    """Draw biases log u, u ~ U[1, t_max − 1] per unit: time scales uniform on [2, t_max].

    Tallec & Ollivier 2018, equation 16, where the input gate's bias is minus this one.
    """
    return jnp.log(jax.random.uniform(key, (hidden,), minval=1.0, maxval=t_max - 1.0))
