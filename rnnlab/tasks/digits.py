"""Handwritten digits, read pixel by pixel."""

import functools
from typing import ClassVar

import numpy as np
from jaxtyping import Array, Float, Int

from rnnlab.support.errors import UserError
from rnnlab.tasks.data_set import DataSet, DataTask, Examples
from rnnlab.tasks.losses import class_entropy, cross_entropy, is_right

PIXELS = 64
BRIGHTEST = 16
PERMUTATION_SEED = 0


class Digits(DataTask):
    """Name the handwritten digit whose pixels were shown one by one.

    The 1,797 images of 8 × 8 pixels that scikit-learn brings along (Alpaydin & Kaynak 1998), from
    left to right and from top to bottom: 64 steps of one brightness in [0, 1]. The small sister of
    sequential and permuted MNIST (Le et al. 2015).

    Attributes:
        permuted: show the pixels in an order that is random, but the same for all images and seeds
            (``numpy.random.default_rng(0).permutation(64)``).
        evaluation_share: share of the images that is held out, rounded to whole images.

    Raises:
        UserError: scikit-learn is not installed.
    """

    metric_name: ClassVar[str] = "accuracy"
    output_steps: ClassVar[slice] = slice(-1, None)

    permuted: bool = False

    @property
    def data(self) -> DataSet:
        """Images (1797, 64, 1), and which digits they show (1797,)."""
        return _digits(self.permuted)

    @property
    def output_size(self) -> int:
        """The ten digits."""
        return 10

    @property
    def baseline(self) -> float:
        """Entropy in nats of the digits given the pixel that is shown last, in this data set.

        That of their frequencies alone is ln 10, less 1e-4.
        """
        inputs, digits = self.data.examples
        _, pixel = np.unique(inputs[:, -1, 0], return_inverse=True)
        return class_entropy(digits, np.full(len(digits), 1 / len(digits)), pixel)

    @property
    def read_step(self) -> int:
        """The last step, 63."""
        return PIXELS - 1

    def loss(self, outputs: Float[Array, "steps 10"], target: Int[Array, ""]) -> Float[Array, ""]:
        """Cross-entropy in nats of the last output."""
        return cross_entropy(outputs[-1:], target[None])[0]

    def metric(self, outputs: Float[Array, "steps 10"], target: Int[Array, ""]) -> Float[Array, ""]:
        """Whether the digit is right."""
        return is_right(outputs[-1:], target[None])[0]


@functools.cache
def _digits(permuted: bool) -> DataSet:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise UserError("digits needs scikit-learn: pip install 'rnnlab[digits]'") from None
    images, digits = load_digits(return_X_y=True)
    order = np.random.default_rng(PERMUTATION_SEED).permutation(PIXELS)
    shown = images[:, order] if permuted else images
    inputs = (shown[:, :, None] / BRIGHTEST).astype(np.float32)
    name = "permuted digits" if permuted else "digits"
    return DataSet(name, name, Examples(inputs, digits.astype(np.int32)))
