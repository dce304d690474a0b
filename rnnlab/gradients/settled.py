"""The mean of growth in the long run, where it can be told from these steps."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float
from scipy.stats import t as student

BLOCKS = 10
BLOCK_TIMES = 8.0
AGREEMENT = 2.0
QUANTILE = float(student.ppf(0.975, BLOCKS - 1))

Means = Float[Array, "batch k"]


class LongRun(NamedTuple):
    """Means in the long run, their 95 % intervals, and where they are settled at this length."""

    mean: Means
    low: Means
    high: Means
    is_settled: Bool[Array, "batch k"]


def long_run(growth: Float[Array, "time batch k"]) -> LongRun:
    """The mean in the long run, from two passes over the same inputs, one after the other.

    The transient counts as over where the halves of the second pass agree to within ``AGREEMENT``
    standard errors of their difference, twice that of the mean, and the second halves of both
    passes, which read the same inputs, to within a quarter of this. The error of the mean is from
    the means of ``BLOCKS`` blocks of the second pass, which count as nearly independent where a
    block is ``BLOCK_TIMES`` times as long as the growth's correlation time.

    Returns:
        The mean over the second pass, and an interval as wide as Student's t of the blocks and the
        difference of the passes make it; what blocks still share of their memory widens it.
    """
    first, second = jnp.split(growth, 2)
    time = len(second)
    if time < 2 * BLOCKS:
        nothing = jnp.zeros(growth.shape[1:], growth.dtype)
        return LongRun(nothing, nothing, nothing, jnp.zeros(nothing.shape, bool))
    is_finite = jnp.isfinite(growth).all(axis=0)
    first, second = (jnp.where(is_finite, pass_, 0) for pass_ in (first, second))
    mean = second.mean(axis=0)
    blocks = jnp.stack([block.mean(axis=0) for block in jnp.array_split(second, BLOCKS)])
    rounding = 8 * jnp.finfo(growth.dtype).eps * jnp.maximum(1, jnp.abs(second).max(axis=0))
    error = jnp.std(blocks, axis=0, ddof=1) / BLOCKS**0.5 + rounding
    half = BLOCKS // 2
    memory = jnp.where(jnp.std(second, axis=0) <= rounding, 1, correlation_time(second))
    between_halves = blocks[:half].mean(axis=0) - blocks[half:].mean(axis=0)
    between_passes = first[time // 2 :].mean(axis=0) - second[time // 2 :].mean(axis=0)
    is_settled = (
        is_finite
        & (jnp.abs(between_halves) <= AGREEMENT * 2 * error)
        & (jnp.abs(between_passes) <= AGREEMENT / 2 * error)
        & (time / BLOCKS >= BLOCK_TIMES * memory)
    )
    width = jnp.hypot(QUANTILE * error * (1 + memory * BLOCKS / time), between_passes)
    return LongRun(mean, mean - width, mean + width, is_settled)


def correlation_time(x: Float[Array, "time batch k"]) -> Means:
    """The sum of the autocorrelations at all lags, in steps, at least 1.

    Over the initial positive sequence (Geyer 1992, Practical Markov chain Monte Carlo).
    """
    time = len(x)
    spectrum = jnp.abs(jnp.fft.rfft(x - x.mean(axis=0), 2 * time, axis=0)) ** 2
    covariance = jnp.fft.irfft(spectrum, axis=0)[: 2 * (time // 2)]
    correlation = covariance / jnp.maximum(covariance[0], jnp.finfo(x.dtype).tiny)
    pairs = correlation[::2] + correlation[1::2]
    return jnp.maximum(1, 2 * (pairs * jnp.cumprod(pairs > 0, axis=0)).sum(axis=0) - 1)
