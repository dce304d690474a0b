"""Sizes of Jacobians and of their products for large states, without making a matrix.

The numbers are those of ``gradients.jacobian`` and ``gradients.sensitivity``; spectral norms and
radii come from Krylov spaces (``gradients.matrix_free``).
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

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
    frobenius_norms_of,
    greatest_eigenvalue,
    random_start,
    spectral_norm_of,
    spectral_radius_of,
)
from rnnlab.gradients.paths import CarryMove, Vectors, carry_moves, flat_step, others_moves
from rnnlab.gradients.scaled import (
    EXPONENT_OF_ZERO,
    LOG10_2,
    Scaled,
    rescale,
    times_power_of_two,
)
from rnnlab.recurrence.stack import Tape
from rnnlab.recurrence.step import observed_step

# Real entries of one layer's state, above which no matrix is made.
LARGE = 1000
KRYLOV_PRODUCT = 32

Entering = Float[Array, "batch entering"]
# (what a step reads, carried vectors, entering vectors) → carried vectors; linear in the last two.
ProductStep = Callable[[Any, Vector, Entering], Vector]


def is_large(cell: Cell) -> bool:
    """Whether the state of a layer has more than ``LARGE`` real entries."""
    return state_size(cell) > LARGE


@jax.default_matmul_precision("highest")
def path_sizes_by_products(
    cell: Cell, tape: Tape, spectral_radius: bool
) -> dict[str, Float[Array, "time batch"]]:
    """The columns of ``Jacobians.summary``, for one layer."""

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


def _with_the_step_before(tape: Tape) -> Any:
    """What a step reads, behind what the step before it read and whether there is one."""
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
        log10_norms_of_products(at_layer(layer), reads, flats[0], sizes[to], read_out)
        for layer in range(len(tapes))
    ]


def _nudged_step(
    cell: Cell, params: list[Any], flat: Vector, x: Array, nudges: dict[int, tuple[str, Entering]]
) -> Vector:
    """``flat_step`` where a part of a layer's new state is nudged where it is observed."""
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
    """log10‖Π ∂c_k/∂c_{k−1}‖₂ of one layer."""

    def step(read: Any, carried: Vector, entering: Entering) -> Vector:
        return _carry_push(cell, tape.params, read)(carried).total + entering

    return _carry_products(cell, tape, step)


def direct_product_by_products(cell: Cell, tape: Tape) -> Float[Array, "time batch"]:
    """log10‖Π_{k>t} D_k‖₂, D_k the direct path of step k, of one layer."""

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
    return log10_norms_of_products(step, reads, like, like.shape[-1], lambda carried: carried)


@jax.default_matmul_precision("highest")
def log10_norms_of_products(
    step: ProductStep,
    reads: Any,
    like: Vector,
    size: int,
    read_out: Callable[[Vector], Array],
) -> Float[Array, "time batch"]:
    """log10‖R A_T ⋯ A_{t+1} E_t‖₂ for every t, all at once, from products with vectors.

    Row t is a vector that enters at step t and is carried on to the end, as a mantissa with an
    exponent; the way back is the transpose.

    Args:
        step: A_k of carried vectors plus E_k of entering ones.
        reads: what each step reads, with a leading time axis.
        like: carried vectors of one row, (batch, size carried).
        size: of entering vectors.
        read_out: R, of carried vectors.
    """
    time, batch = len(jax.tree.leaves(reads)[0]), len(like)
    rows = jnp.arange(time)[:, None]
    nothing = Scaled(
        jnp.zeros((time, *like.shape), like.dtype), jnp.full((time, batch), EXPONENT_OF_ZERO)
    )
    entering_like = jnp.zeros((batch, size), like.dtype)
    pull_out = jax.linear_transpose(read_out, like)

    def forth(v: Array) -> Scaled:
        def body(carried: Scaled, at: Any) -> tuple[Scaled, None]:
            k, read = at
            enters = rows == k
            entering = jnp.where(enters[..., None], v, 0)
            moved = jax.vmap(lambda c, e: step(read, c, e))(carried.mantissa, entering)
            exponent = jnp.where(enters, 0, carried.exponent)
            return rescale(Scaled(moved, exponent)), None

        return lax.scan(body, nothing, (rows[:, 0], reads))[0]

    def back(out: Scaled) -> Scaled:
        def body(adjoint: Scaled, at: Any) -> tuple[Scaled, Scaled]:
            k, read = at
            pull = jax.linear_transpose(lambda c, e: step(read, c, e), like, entering_like)
            before, entered = jax.vmap(pull)(adjoint.mantissa)
            return rescale(Scaled(before, adjoint.exponent)), Scaled(
                entered[k], adjoint.exponent[k]
            )

        return lax.scan(body, out, (rows[:, 0], reads), reverse=True)[1]

    def normal(v: Array) -> Scaled:
        """Pᵀ P of each row's vector."""
        there = forth(v)
        out = jax.vmap(lambda carried: pull_out(read_out(carried))[0])(there.mantissa)
        return rescale(_on_top(back(rescale(Scaled(out, jnp.zeros_like(there.exponent)))), there))

    start = random_start((time, batch, size), like.dtype)
    unit = normal(start).exponent

    def apply(v: Array) -> Array:
        found = normal(v)
        return times_power_of_two(found.mantissa, found.exponent - unit)

    greatest = greatest_eigenvalue(apply, start, KRYLOV_PRODUCT)
    return jnp.where(
        unit > EXPONENT_OF_ZERO // 2,
        (jnp.log10(jnp.maximum(greatest, 0)) + LOG10_2 * unit) / 2,
        -jnp.inf,
    )


def _on_top(x: Scaled, y: Scaled) -> Scaled:
    """x with the exponent of y added to its own."""
    return Scaled(x.mantissa, x.exponent + y.exponent)
