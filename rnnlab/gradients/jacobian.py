"""∂c_t/∂c_{t−1} at every time step: direct, through each gate, total."""

import functools
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array, Float

from rnnlab.cells import Cell, dynamics_of
from rnnlab.cells.jacobian import StepJacobian
from rnnlab.cells.state import flatten
from rnnlab.gradients.large_states import is_large, path_sizes_by_products
from rnnlab.gradients.norms import by_lapack, frobenius_norm, spectral_norm
from rnnlab.gradients.paths import batch_jacobian, flat_step, scan_paths
from rnnlab.recurrence.own_cells import check_own_cell
from rnnlab.recurrence.stack import Inputs, Tape, as_inputs, check_finite, record_tapes


class Jacobians:
    """The one-step Jacobians of a layer, computed on access.

    Entry t is the derivative of step t's values by step t − 1's, entry 0 by the initial state;
    J[i, j] = ∂(out)_i/∂(in)_j. The carry is c where the cell has one, else h. Arrays have a leading
    layer axis when the cell has several layers; each layer's inputs are then held constant.
    """

    def __init__(self, cell: Cell, tapes: list[Tape]) -> None:
        self._cell, self._tapes = cell, tapes

    @cached_property
    def direct(self) -> Float[Array, "*shape size"]:
        """The direct path, a diagonal for a gate (f_t of an LSTM, z_t of a GRU), else a matrix.

        Raises:
            ValueError: the cell has no direct path.
        """
        if not self._cell.has_direct_path:
            kind, carry = type(self._cell).__name__, self._cell.carry
            raise ValueError(
                f"{kind} has no direct path: {carry}_t depends on {carry}_t−1 only through what "
                "indirect lists (a cell declares one by `direct`, the name of an observed gate, or "
                "by the method `direct_path`)"
            )
        return part_matrices(self._cell, self._tapes, "direct")

    @cached_property
    def indirect(self) -> dict[str, Float[Array, "*layers time batch hidden hidden"]]:
        """∂c_t/∂c_{t−1} through each gate; 0 at t = 0 in an LSTM, whose initial h is constant."""
        return part_matrices(self._cell, self._tapes, "indirect")

    @cached_property
    def total(self) -> Float[Array, "*layers time batch hidden hidden"]:
        """∂c_t/∂c_{t−1} = diag(direct) + Σ indirect, with o_{t−1} held constant."""
        return part_matrices(self._cell, self._tapes, "total")

    @cached_property
    def state(self) -> Float[Array, "*layers time batch state state"]:
        """∂(h, c)_t/∂(h, c)_{t−1}, h first; for a cell without c, ∂h_t/∂h_{t−1}."""
        return part_matrices(self._cell, self._tapes, "state")

    @cached_property
    def stack(self) -> Float[Array, "time batch states states"]:
        """The Jacobian of all layers' states, lowest layer first, its inputs held constant."""
        return _stack_jacobians(self._cell, self._tapes)

    def summary(self, spectral_radius: bool = False) -> pd.DataFrame:
        """Sizes of the parts, without storing the matrices.

        Args:
            spectral_radius: whether to add the spectral radius of ``state``; several times slower.

        Returns:
            One row for each layer, t and example: for the parts direct, indirect, total and each
            gate the columns ``<part>_spectral`` (spectral norm) and ``<part>_frobenius``
            (Frobenius norm / √hidden); ``share``, ‖Σ indirect‖_F/‖total‖_F.
        """
        return sizes_frame(_sizes(self._cell, self._tapes, spectral_radius))


def jacobians(cell: Cell, params: Any, inputs: Inputs, initial_state: Any = None) -> Jacobians:
    """∂c_t/∂c_{t−1} by path, at every time step of every example.

    Through gate k, with the LSTM's equations (Hochreiter & Schmidhuber 1997; Gers et al. 2000),
    it is diag(∂c_t/∂a_k) U_kᵀ diag(o_{t−1} ⊙ (1 − tanh² c_{t−1})), with a_k the gate's
    pre-activation and U_k as in the parameters, which h multiplies from the left. User-defined
    cells are differentiated automatically.

    Args:
        cell: the cell.
        params: its parameters, as ``cell.init`` makes them.
        inputs: (time, batch, features).
        initial_state: as for ``unroll``.

    Raises:
        ValueError: inputs of another rank or number of features; parameters, inputs or states that
            are not finite; a cell that mixes examples.
    """
    cell, inputs = dynamics_of(cell), as_inputs(inputs)
    check_own_cell(cell, params, inputs)
    tapes, states = record_tapes(cell, params, inputs, initial_state)
    check_finite(params=params, inputs=inputs, states=states)
    return Jacobians(cell, tapes)


def path_sizes(
    cell: Cell, tape: Tape, spectral_radius: bool
) -> dict[str, Float[Array, "time batch"]]:
    """Compute the columns of ``Jacobians.summary`` for one layer."""
    if is_large(cell):
        return path_sizes_by_products(cell, tape, spectral_radius)
    return scan_paths(cell, tape, functools.partial(_sizes_at, spectral_radius=spectral_radius))


def _sizes_at(paths: StepJacobian, spectral_radius: bool) -> dict[str, Float[Array, " batch"]]:
    indirect, total = paths.all_indirect, paths.total
    units = total.shape[-1]
    sizes = {}
    if paths.direct is not None:
        is_diagonal = paths.direct.ndim == 2
        entries = paths.direct[:, None] if is_diagonal else paths.direct
        sizes["direct_spectral"] = (
            jnp.max(jnp.abs(paths.direct), axis=-1) if is_diagonal else spectral_norm(paths.direct)
        )
        sizes["direct_frobenius"] = frobenius_norm(entries) / units**0.5
    for part, matrix in {"indirect": indirect, "total": total, **paths.indirect}.items():
        sizes[f"{part}_spectral"] = spectral_norm(matrix)
        sizes[f"{part}_frobenius"] = frobenius_norm(matrix) / units**0.5
    sizes["share"] = frobenius_norm(indirect) / frobenius_norm(total)
    if spectral_radius:
        sizes["spectral_radius"] = jnp.abs(by_lapack(jnp.linalg.eigvals, paths.state)).max(axis=-1)
    return sizes


def sizes_frame(sizes: list[dict[str, Float[Array, "time batch"]]]) -> pd.DataFrame:
    """One row for each layer, t and example, from the sizes of each layer."""
    frames = []
    for layer, columns in enumerate(sizes):
        shape = next(iter(columns.values())).shape
        t, example = (axis.ravel() for axis in np.indices(shape))
        keys = {"layer": layer, "t": t, "example": example}
        frames.append(pd.DataFrame(keys | {k: np.ravel(v) for k, v in columns.items()}))
    return pd.concat(frames, ignore_index=True)


@functools.partial(jax.jit, static_argnums=(0, 2))
def _sizes(cell: Cell, tapes: list[Tape], spectral_radius: bool) -> list[dict[str, Array]]:
    return [path_sizes(cell, tape, spectral_radius) for tape in tapes]


@functools.partial(jax.jit, static_argnums=(0, 2))
def part_matrices(cell: Cell, tapes: list[Tape], part: str) -> Any:
    """One part of ``StepJacobian`` at every time step; a leading layer axis for several layers."""
    by_layer = [scan_paths(cell, tape, lambda paths: getattr(paths, part)) for tape in tapes]
    if cell.layers == 1:
        return by_layer[0]
    return jax.tree.map(lambda *layer: jnp.stack(layer), *by_layer)


@functools.partial(jax.jit, static_argnums=0)
def _stack_jacobians(cell: Cell, tapes: list[Tape]) -> Float[Array, "time batch states states"]:
    params = [tape.params for tape in tapes]

    def at(read: Any) -> Array:
        before, x = read
        return batch_jacobian(lambda flat: flat_step(cell, params, flat, x), flatten(*before))

    return jax.lax.map(at, ([tape.before for tape in tapes], tapes[0].inputs))
