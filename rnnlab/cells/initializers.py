"""Initial kernels and gate biases."""

import functools
from typing import Literal

import jax
import jax.numpy as jnp
from jax.nn import initializers
from jaxtyping import Array, Float, Key

InputKernel = Literal["glorot", "orthogonal", "uniform", "lecun"]
RecurrentKernel = Literal["orthogonal", "glorot", "uniform", "lecun", "identity"]


def kernel(
    name: RecurrentKernel, key: Key[Array, ""], rows: int, hidden: int, gain: float = 1.0
) -> Float[Array, "rows hidden"]:
    """Draw the kernel of one gate, in float32 whatever the precision, so that a seed has one.

    Args:
        name: ``glorot`` (uniform; Glorot & Bengio 2010), ``orthogonal`` (Saxe et al. 2014),
            ``uniform`` (±1/√hidden, PyTorch's choice), ``lecun`` (normal with variance 1/rows),
            ``identity`` (Le et al. 2015, for a square recurrent kernel).
        key: determines the random numbers.
        rows: number of inputs.
        hidden: number of units.
        gain: factor on the kernel.
    """
    bound = hidden**-0.5
    draw = {
        "glorot": initializers.glorot_uniform(),
        "orthogonal": initializers.orthogonal(),
        "uniform": functools.partial(jax.random.uniform, minval=-bound, maxval=bound),
        "lecun": initializers.variance_scaling(1.0, "fan_in", "normal"),
        "identity": lambda _, shape, dtype: jnp.eye(rows, hidden, dtype=dtype),
    }[name]
    return (gain * draw(key, (rows, hidden), dtype=jnp.float32)).astype(float)


def chrono(key: Key[Array, ""], hidden: int, t_max: float) -> Float[Array, " hidden"]:
    """Draw biases log u, u ~ U[1, t_max − 1] per unit: time scales uniform on [2, t_max].

    Tallec & Ollivier 2018, equation 16, where the input gate's bias is minus this one. They are
    drawn in float32 whatever the precision, as kernels are.
    """
    u = jax.random.uniform(key, (hidden,), jnp.float32, minval=1.0, maxval=t_max - 1.0)
    return jnp.log(u).astype(float)
