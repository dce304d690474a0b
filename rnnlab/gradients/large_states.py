"""Norms of Jacobians and of their products for large states, without forming a matrix.

The numbers are those of ``gradients.jacobian`` and ``gradients.sensitivity``; spectral norms and
radii come from Krylov spaces (``gradients.matrix_free``).
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float

from rnnlab.cells.cell import Cell
from rnnlab.cells.state import (
    Vector,
    as_real,
    flatten,
    from_real,
    part_sizes,
    state_like,
    state_size,
    unflatten,
)
from rnnlab.gradients.matrix_free import (
    eigenvalues_of,
    frobenius_norms_of,
    spectral_norm_of,
    spectral_radius_of,
)
from rnnlab.gradients.paths import CarryMove, Vectors, carry_moves, flat_step, others_moves
from rnnlab.gradients.product_norms import (
    Entering,
    Products,
    ProductStep,
    log10_norms_of_products,
)
from rnnlab.recurrence.stack import Tape
from rnnlab.recurrence.step import observed_step

# Number of real entries of one layer's state above which no matrix is formed.
LARGE = 1000


def is_large(cell: Cell) -> bool:
    """Whether the state of a layer has more than ``LARGE`` real entries."""
    return state_size(cell) > LARGE


@jax.default_matmul_precision("highest")
def path_sizes_by_products(
    cell: Cell, tape: Tape, spectral_radius: bool
) -> dict[str, Float[Array, "time batch"]]:
    """Compute the columns of ``Jacobians.summary`` for one layer."""

    def at(read: Any) -> dict[str, Array]:
        before, x = read[2:4]
        push = _carry_push(cell, tape.params, read)
        like = as_real(getattr(before, cell.carry))
        sizes = _sizes(push, like)
        if spectral_radius:
            flat = flatten(before)
            _, push_state = jax.linearize(lambda f: flat_step(cell, [tape.params], f, x), flat)
            sizes["spectral_radius"] = spectral_radius_of(push_state, flat)
        return sizes

    return lax.map(at, _with_the_step_before(tape))


def greatest_eigenvalues(cell: Cell, tape: Tape) -> Complex[Array, " values"]:
    """Largest-modulus eigenvalues of the state's Jacobian at the last step, for one example."""
    before, x = jax.tree.map(lambda a: a[-1], (tape.before, tape.inputs))
    flat = flatten(before)
    _, push = jax.linearize(lambda f: flat_step(cell, [tape.params], f, x), flat)
    return eigenvalues_of(push, flat)[0]


def _with_the_step_before(tape: Tape) -> Any:
    """The arrays that each step reads: the previous step's, its own, and whether t > 0."""
    previous = jax.tree.map(lambda a: jnp.roll(a, 1, axis=0), (tape.before, tape.inputs))
    return *previous, tape.before, tape.inputs, jnp.arange(len(tape.inputs)) > 0


def _carry_push(cell: Cell, params: Any, read: Any) -> Callable[[Vector], CarryMove]:
    before_previous, x_previous, before, x, has_previous = read
    follow = others_moves(cell, params, before_previous, x_previous)

    def others_before(v: Vector) -> Vectors:
        return jax.tree.map(lambda moved: jnp.where(has_previous, moved, 0), follow(v))

    return carry_moves(cell, params, before, x, others_before)[0]


def _sizes(push: Callable[[Vector], CarryMove], like: Vector) -> dict[str, Float[Array, " batch"]]:
    def by_part(v: Vector) -> dict[str, Vector]:
        moved = push(v)
        direct = {} if moved.direct is None else {"direct": moved.direct}
        return {**direct, "indirect": moved.all_indirect, "total": moved.total, **moved.indirect}

    frobenius = frobenius_norms_of(by_part, like)
    sizes = {}
    for part in jax.eval_shape(by_part, like):

        def of_part(v: Vector, part: str = part) -> Vector:
            return by_part(v)[part]

        sizes[f"{part}_spectral"] = spectral_norm_of(of_part, like)
        sizes[f"{part}_frobenius"] = frobenius[part] / like.shape[-1] ** 0.5
    sizes["share"] = frobenius["indirect"] / frobenius["total"]
    return sizes


def total_by_products(
    cell: Cell, tapes: Sequence[Tape], of: str, to: str
) -> list[Float[Array, "time batch"]]:
    """log10‖∂of_T/∂to_t‖₂ of the top layer's ``of`` by each layer's ``to``, at every t."""
    like, params = state_like(cell), [tape.params for tape in tapes]
    sizes = dict(zip(cell.State._fields, part_sizes(like), strict=True))
    flats = jnp.concatenate([jax.vmap(flatten)(tape.before) for tape in tapes], axis=-1)

    def read_out(flat: Vector) -> Float[Array, "batch read"]:
        top = jnp.split(flat, len(tapes), axis=-1)[-1]
        return as_real(getattr(unflatten(top, like), of))

    def at_layer(layer: int) -> ProductStep:
        def step(read: Any, carried: Vector, entering: Entering) -> Vector:
            flat, x = read

            def nudged(flat: Vector, nudge: Entering) -> Vector:
                return _nudged_step(cell, params, flat, x, {layer: (to, nudge)})

            return jax.jvp(nudged, (flat, jnp.zeros_like(entering)), (carried, entering))[1]

        return step

    reads = (flats, tapes[0].inputs)
    return [
        log10_norms_of_products(Products(at_layer(layer), reads, flats[0], sizes[to], read_out))
        for layer in range(len(tapes))
    ]


def _nudged_step(
    cell: Cell, params: list[Any], flat: Vector, x: Array, nudges: dict[int, tuple[str, Entering]]
) -> Vector:
    """``flat_step`` with a small change added to a part of a layer's new state, when observed."""
    like, after = state_like(cell), []
    for layer, part in enumerate(jnp.split(flat, len(params), axis=-1)):
        replace = {}
        if layer in nudges:
            name, nudge = nudges[layer]
            replace[name] = lambda value, nudge=nudge: value + from_real(nudge, value)
        state, _ = observed_step(cell, params[layer], unflatten(part, like), x, replace)
        after.append(state)
        x = cell.output(state)
    return flatten(*after)


def carry_product_by_products(cell: Cell, tape: Tape) -> Float[Array, "time batch"]:
    """log10‖Π ∂c_k/∂c_{k−1}‖₂ for one layer."""

    def step(read: Any, carried: Vector, entering: Entering) -> Vector:
        return _carry_push(cell, tape.params, read)(carried).total + entering

    return _carry_products(cell, tape, step)


def direct_product_by_products(cell: Cell, tape: Tape) -> Float[Array, "time batch"]:
    """log10‖Π_{k>t} D_k‖₂ for one layer, with D_k the direct path of step k."""

    def step(read: Any, carried: Vector, entering: Entering) -> Vector:
        before, x = read[2:4]
        _, seen = observed_step(cell, tape.params, before, x)
        carry = from_real(carried, getattr(before, cell.carry))
        return as_real(cell.direct_path(tape.params, seen, carry)) + entering

    return _carry_products(cell, tape, step)


def _carry_products(cell: Cell, tape: Tape, step: ProductStep) -> Float[Array, "time batch"]:
    first = jax.tree.map(lambda a: a[0], tape.before)
    like = as_real(getattr(first, cell.carry))
    reads = _with_the_step_before(tape)
    products = Products(step, reads, like, like.shape[-1], lambda carried: carried)
    return log10_norms_of_products(products)
