"""Losses at each time step, and those of the best answers without the inputs so far."""

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
    classes: Int[np.ndarray, " targets"],
    weights: Float[np.ndarray, " targets"],
    known: Int[np.ndarray, " targets"],
) -> float:
    """The least cross-entropy of an answer that depends on ``known`` alone, in nats.

    It is the entropy of the classes given what is known.

    Args:
        classes: the targets.
        weights: of each target in the loss; their sum is 1.
        known: what is known where the target is asked for, as a number from 0.
    """
    both, pair = np.unique(np.stack([known, classes]), axis=1, return_inverse=True)
    of_both, of_known = np.bincount(pair, weights), np.bincount(known, weights)
    return float(np.sum(of_both * np.log(of_known[both[0]] / of_both)))


def target_variance(
    targets: Float[np.ndarray, "targets outputs"],
    weights: Float[np.ndarray, " targets"],
    known: Int[np.ndarray, " targets"],
) -> float:
    """The least squared error of an answer that depends on ``known`` alone, mean over outputs.

    It is the variance of each output given what is known.

    Args:
        targets: the targets.
        weights: of each target in the loss; their sum is 1.
        known: what is known where the target is asked for, as a number from 0.
    """
    total = np.bincount(known, weights)
    sums = np.stack([np.bincount(known, weights * output) for output in targets.T], axis=1)
    means = sums / np.maximum(total, np.finfo(float).tiny)[:, None]
    return float(np.mean(weights @ (targets - means[known]) ** 2))
