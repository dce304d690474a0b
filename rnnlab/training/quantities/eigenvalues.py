"""Eigenvalues of one step's Jacobian of the whole state."""

import functools
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array, Complex

from rnnlab.cells import Cell
from rnnlab.gradients.large_states import greatest_eigenvalues, is_large
from rnnlab.gradients.paths import scan_paths
from rnnlab.gradients.theory import eigenvalue_ring
from rnnlab.recurrence.stack import Inputs, record_tapes
from rnnlab.training.quantities.jacobian_paths import JACOBIANS
from rnnlab.training.quantities.quantity import AtStartAndEnd


class Eigenvalues(AtStartAndEnd):
    """Eigenvalues of the state's Jacobian at the first example's middle step, and their ring."""

    name = "eigenvalues"
    meaning = (
        "eigenvalues of ∂(h, c)_t/∂(h, c)_{t−1}, of each layer by itself, on the first example of "
        "the evaluation set; the greatest 128, about, of a layer with more than 1,000 real entries"
    )
    option = JACOBIANS
    columns: ClassVar = {
        "step": "of training: the first or the last",
        "t": "time step: the middle one",
        "layer": "from 0, the lowest",
        "real": "real part",
        "imag": "imaginary part",
        "ring_centre": "centre of the ring predicted at the zero state",
        "ring_radius": "its radius",
    }

    def of_cell(self, cell: Cell, params: Any, inputs: Inputs, step: int) -> pd.DataFrame:
        """One row for each layer and eigenvalue."""
        middle = inputs.shape[0] // 2
        frames = []
        for layer, found in enumerate(_eigenvalues(cell, params, inputs[: middle + 1, :1])):
            eigenvalues = np.asarray(found)
            ring = eigenvalue_ring(cell, params if cell.layers == 1 else params[layer])
            columns = {
                "step": step,
                "t": middle,
                "layer": layer,
                "real": eigenvalues.real,
                "imag": eigenvalues.imag,
                "ring_centre": ring.centre,
                "ring_radius": ring.radius,
            }
            frames.append(pd.DataFrame(columns))
        return pd.concat(frames, ignore_index=True)


@functools.partial(jax.jit, static_argnums=0)
def _eigenvalues(cell: Cell, params: Any, inputs: Inputs) -> list[Complex[Array, " state"]]:
    """Eigenvalues of each layer's state Jacobian at the last step, for a single example."""
    tapes, _ = record_tapes(cell, params, inputs)
    if is_large(cell):
        return [greatest_eigenvalues(cell, tape) for tape in tapes]
    states = [scan_paths(cell, tape, lambda paths: paths.state[0])[-1] for tape in tapes]
    return [jnp.linalg.eigvals(state) for state in states]
