"""Losses at each time step, and the loss of the best constant answer."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int


def cross_entropy(
    outputs: Float[Array, "steps classes"], target: Int[Array, " steps"]
) -> Float[Array, " steps"]:
    """−log of the probability of the right class at each step, in nats; outputs are logits."""
    log_probabilities = jax.nn.log_softmax(outputs)
    return -jnp.take_along_axis(log_probabilities, target[:, None], axis=1)[:, 0]


def is_right(
    outputs: Float[Array, "steps classes"], target: Int[Array, " steps"]
) -> Float[Array, " steps"]:
    """1 at each step whose largest output is that of the right class, else 0."""
    return (outputs.argmax(-1) == target).astype(outputs.dtype)


def squared_error(
    outputs: Float[Array, "steps outputs"], target: Float[Array, "steps outputs"]
) -> Float[Array, " steps"]:
    """Squared error at each step, mean over outputs."""
    return jnp.mean((outputs - target) ** 2, axis=-1)


def class_entropy(
    classes: Int[np.ndarray, " targets"], weights: Float[np.ndarray, " targets"]
) -> float:
    """The least cross-entropy of a constant answer: the entropy of the classes, in nats.

    Args:
        classes: the targets.
        weights: of each target in the loss; their sum is 1.
    """
    frequencies = np.bincount(classes, weights)
    frequencies = frequencies[frequencies > 0]
    return float(-np.sum(frequencies * np.log(frequencies)))


def target_variance(
    targets: Float[np.ndarray, "targets outputs"], weights: Float[np.ndarray, " targets"]
) -> float:
    """The least squared error of a constant answer: the variance of each output, their mean.

    Args:
        targets: the targets.
        weights: of each target in the loss; their sum is 1.
    """
    deviations = targets - weights @ targets
    return float(np.mean(weights @ deviations**2))
