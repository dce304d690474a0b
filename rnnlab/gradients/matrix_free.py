"""Norms and spectral radii of linear maps, from products with vectors instead of their matrices."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float

from rnnlab.gradients.norms import by_lapack, log10_of

# Number of products with vectors from which the largest singular value or eigenvalue is computed.
KRYLOV_SINGULAR, KRYLOV_EIGEN = 96, 128
# Number of columns whose squares are summed at once.
COLUMNS = 64

Vectors = Float[Array, "*leading size"]
Map = Callable[[Vectors], Vectors]


def krylov(apply: Map, start: Vectors, steps: int) -> Float[Array, "*leading steps steps"]:
    """Project A on the space of start, A start, A² start, … with orthonormal basis (Arnoldi 1951).

    The eigenvalues of the projection converge to the outermost ones of A, fast for a symmetric A.
    Every vector is orthogonalised twice, which is enough in floating point (Giraud et al. 2005).
    Where only rounding error is left of a vector, the space is complete: the following entries
    are 0.

    Args:
        apply: the linear map A, applied to vectors along the last axis.
        start: the first vectors of the spaces.
        steps: number of products with A.
    """
    unit, _ = _normalised(start)
    basis = jnp.zeros((steps + 1, *start.shape), start.dtype).at[0].set(unit)

    def step(basis: Array, k: Array) -> tuple[Array, Array]:
        moved = apply(basis[k])
        rounding = jnp.finfo(moved.dtype).eps * moved.shape[-1] * jnp.linalg.norm(moved, axis=-1)
        first = jnp.einsum("k...i,...i->k...", basis, moved)
        moved = moved - jnp.einsum("k...,k...i->...i", first, basis)
        second = jnp.einsum("k...i,...i->k...", basis, moved)
        moved = moved - jnp.einsum("k...,k...i->...i", second, basis)
        unit, length = _normalised(moved, rounding)
        return basis.at[k + 1].set(unit), (first + second).at[k + 1].set(length)

    _, columns = lax.scan(step, basis, jnp.arange(steps))
    return jnp.moveaxis(columns[:, :-1], (0, 1), (-1, -2))


def _normalised(
    vectors: Vectors, least: float | Array = 0.0
) -> tuple[Vectors, Float[Array, "*leading"]]:
    """Unit vectors and their lengths; both are 0 where a length is at most ``least``."""
    length = jnp.linalg.norm(vectors, axis=-1)
    length = jnp.where(length <= least, 0, length)
    is_left = length[..., None] != 0
    return jnp.where(is_left, vectors / jnp.where(is_left, length[..., None], 1), 0), length


def random_start(shape: tuple[int, ...], dtype: jnp.dtype) -> Vectors:
    """Normal random vectors, which have a part in every direction; the same at every call."""
    return jax.random.normal(jax.random.key(0), shape, dtype)


def greatest_eigenvalue(apply: Map, start: Vectors, steps: int) -> Float[Array, "*leading"]:
    """The greatest eigenvalue of a symmetric map without negative eigenvalues."""
    small = krylov(apply, start, min(steps, start.shape[-1]))
    symmetric = (small + jnp.swapaxes(small, -1, -2)) / 2
    greatest = by_lapack(jnp.linalg.eigvalsh, symmetric)[..., -1]
    return jnp.where(jnp.isfinite(symmetric).all(axis=(-2, -1)), greatest, jnp.nan)


def spectral_norm_of(push: Map, like: Vectors) -> Float[Array, "*leading"]:
    """‖A‖₂, the root of the greatest eigenvalue of Aᵀ A.

    Args:
        push: the linear map A; JAX must be able to transpose it.
        like: vectors of the shape that it takes.
    """
    pull = jax.linear_transpose(push, like)
    start = random_start(like.shape, like.dtype)
    # Squares of small numbers would underflow to 0.
    size = jnp.max(jnp.abs(push(start)), axis=-1, keepdims=True)
    unit = jnp.where(size > 0, size, 1)
    greatest = greatest_eigenvalue(lambda v: pull(push(v) / unit)[0] / unit, start, KRYLOV_SINGULAR)
    return unit[..., 0] * jnp.sqrt(jnp.maximum(greatest, 0))


def eigenvalues_of(push: Map, like: Vectors) -> Complex[Array, "*leading values"]:
    """Approximations of the largest-modulus eigenvalues of a map on vectors of this shape."""
    start = random_start(like.shape, like.dtype)
    small = krylov(push, start, min(KRYLOV_EIGEN, like.shape[-1]))
    return by_lapack(jnp.linalg.eigvals, small)


def spectral_radius_of(push: Map, like: Vectors) -> Float[Array, "*leading"]:
    """The largest modulus of an eigenvalue of a map on vectors of this shape."""
    return jnp.abs(eigenvalues_of(push, like)).max(axis=-1)


def frobenius_norms_of(
    push: Callable[[Float[Array, "batch size"]], dict[str, Array]], like: Float[Array, "batch size"]
) -> dict[str, Float[Array, " batch"]]:
    """‖A‖_F of several linear maps at once, from all their columns, computed in blocks.

    Args:
        push: maps vectors (batch, size) to vectors by name.
        like: vectors of the shape that it takes.
    """
    batch, size = like.shape
    indices = jnp.arange(-(-size // COLUMNS) * COLUMNS).reshape(-1, COLUMNS)

    def columns(indices: Array) -> dict[str, tuple[Array, Array]]:
        basis = jax.nn.one_hot(indices, size, dtype=like.dtype)
        moved = jax.vmap(push)(jnp.broadcast_to(basis[:, None], (COLUMNS, batch, size)))
        return {name: _scaled_sum(jnp.abs(v), axes=(0, 2)) for name, v in moved.items()}

    of_blocks = lax.map(columns, indices)
    norms = {}
    for name, (largest, squares) in of_blocks.items():
        together = largest.max(axis=0)
        ratio = largest / jnp.where(together > 0, together, 1)
        total = jnp.sum(squares * ratio**2, axis=0)
        norm = jnp.where(together > 0, 10 ** log10_of(together, total), 0)
        # A maximum on a CPU may pass over NaN; the sum does not.
        norms[name] = jnp.where(jnp.isnan(total), jnp.nan, norm)
    return norms


def _scaled_sum(sizes: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    """The largest of some numbers ≥ 0, and the sum of squares of their ratios to it."""
    largest = sizes.max(axis=axes)
    scale = jnp.where(largest > 0, largest, 1)
    return largest, jnp.sum((sizes / scale[None, :, None]) ** 2, axis=axes)
