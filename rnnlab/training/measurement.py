"""What is measured of a cell with given parameters on given inputs, as tidy data frames."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array, Complex

from rnnlab.cells import Cell
from rnnlab.cells.state import state_size
from rnnlab.gradients.lyapunov import average_growth, log_growth
from rnnlab.gradients.paths import scan_paths
from rnnlab.gradients.theory import eigenvalue_ring
from rnnlab.recurrence.stack import Inputs, record_tapes
from rnnlab.training.frames import jacobians_frame
from rnnlab.training.recording import path_statistics

MOST_EXPONENTS = 64

Tables = dict[str, pd.DataFrame]


def measure(cell: Cell, params: Any, inputs: Inputs, step: int) -> Tables:
    """The tables ``jacobians``, ``lyapunov`` and ``eigenvalues`` of one set of parameters.

    Args:
        cell: the cell.
        params: its parameters.
        inputs: what it reads, (time, batch, features).
        step: of training, at which it has these parameters.
    """
    statistics = _path_statistics(cell, params, inputs)
    columns = {name: np.asarray(values)[None] for name, values in statistics.items()}
    jacobians = jacobians_frame(columns, [step], cell.carry)
    return {"jacobians": jacobians} | spectra(cell, params, inputs, step)


_path_statistics = jax.jit(path_statistics, static_argnums=0)


def spectra(cell: Cell, params: Any, inputs: Inputs, step: int) -> Tables:
    """The tables ``lyapunov`` and ``eigenvalues``; see ``measure``."""
    frames = {
        "lyapunov": _lyapunov_frame(cell, params, inputs),
        "eigenvalues": _eigenvalues_frame(cell, params, inputs),
    }
    for frame in frames.values():
        frame.insert(0, "step", step)
    return frames


def _lyapunov_frame(cell: Cell, params: Any, inputs: Inputs) -> pd.DataFrame:
    """The greatest exponents, 64 at most: one row for each example and index."""
    k = min(MOST_EXPONENTS, cell.layers * state_size(cell))
    found = average_growth(log_growth(cell, params, inputs, k, None)[0])
    example, index = (axis.ravel() for axis in np.indices(found.exponents.shape))
    return pd.DataFrame(
        {
            "example": example,
            "index": index,
            "exponent": np.ravel(found.exponents),
            "standard_error": np.ravel(found.standard_error),
        }
    )


def _eigenvalues_frame(cell: Cell, params: Any, inputs: Inputs) -> pd.DataFrame:
    """Of the state's Jacobian at the middle step of the first example, with the predicted ring."""
    middle = inputs.shape[0] // 2
    frames = []
    for layer, found in enumerate(_eigenvalues(cell, params, inputs[: middle + 1, :1])):
        eigenvalues = np.asarray(found)
        ring = eigenvalue_ring(cell, params if cell.layers == 1 else params[layer])
        frames.append(
            pd.DataFrame(
                {
                    "t": middle,
                    "layer": layer,
                    "real": eigenvalues.real,
                    "imag": eigenvalues.imag,
                    "ring_centre": ring.centre,
                    "ring_radius": ring.radius,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


@functools.partial(jax.jit, static_argnums=0)
def _eigenvalues(cell: Cell, params: Any, inputs: Inputs) -> list[Complex[Array, " state"]]:
    """Of each layer's state Jacobian at the last of these steps, of the only example."""
    tapes, _ = record_tapes(cell, params, inputs)
    states = [scan_paths(cell, tape, lambda paths: paths.state[0])[-1] for tape in tapes]
    return [jnp.linalg.eigvals(state) for state in states]
