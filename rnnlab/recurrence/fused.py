"""One layer over time, with weight gradients computed after the backward loop, not inside it.

A cell's products a_t = z_t K, with z_t = [x_t, 1, h_{t−1}] and K = [W; b; U], are linear in K. With
δ_t = ∂L/∂a_t the gradient of K is Σ_t z_tᵀ δ_t: one large product at the end, in place of a small
one at every step. The backward loop therefore only returns δ_t and passes δ_t Uᵀ to the step
before. It reads the outputs of the cell's functions, not their inputs: the derivatives of σ and
tanh follow from their values.

This module works for any cell. It differentiates the step as written, with ``affine`` replaced by
products that are not differentiated by K; every other use of the parameters is differentiated as
usual.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_derivatives import SymbolicZero, custom_vjp_primal_tree_values
from jaxtyping import Array

from rnnlab.cells.affine import Params
from rnnlab.cells.params import is_trained
from rnnlab.recurrence.layer import Inputs, Layer, Step, plain_layer
from rnnlab.recurrence.products import Plan, Products, make_kernels, own_h, plan_products

# The backward loop keeps their values and recomputes everything else from these.
KEPT = {
    *("tanh", "logistic", "exp", "exp2", "expm1", "log", "log1p", "erf", "sin", "cos", "pow"),
    *("sqrt", "rsqrt", "cbrt", "div", "dot_general", "slice", "split"),
}


class _Run(NamedTuple):
    """The results of a run: those of a ``Layer``, and the states before each time step."""

    before: Any
    final: Any
    collected: Any


def fused_layer(step: Step, params: Any, inputs: Inputs, state: Any, slots: Any) -> Layer:
    """Run a layer, like ``plain_layer``; for reverse-mode differentiation only.

    Where parameters are no dict, or some of them are held fixed, this is ``plain_layer``.
    """
    if type(params) is not dict or not all(map(is_trained, jax.tree.leaves(params))):
        return plain_layer(step, params, inputs, state, slots)
    plan = plan_products(step, params, state, inputs[0], jax.tree.map(itemgetter(0), slots))

    @jax.custom_vjp
    def run(params: Params, inputs: Inputs, state: Any, slots: Any) -> _Run:
        return _forward(plan, step, params, inputs, state, slots)[0]

    def forward(*arguments: Any) -> tuple[_Run, _Tape]:
        return _forward(plan, step, *custom_vjp_primal_tree_values(arguments))

    run.defvjp(forward, functools.partial(_backward, plan), symbolic_zeros=True)
    before, final, collected = run(params, inputs, state, slots)
    states = jax.tree.map(lambda a, last: jnp.concatenate([a[1:], last[None]]), before, final)
    return Layer(states, final, collected)


@functools.partial(
    jax.tree_util.register_dataclass, data_fields=["varying"], meta_fields=["places", "tree"]
)
@dataclass(frozen=True)
class _Pull:
    """A step's pull-back (VJP), stored as the arrays that it reads and the way to rebuild it.

    Attributes:
        varying: the arrays that differ from step to step.
        places: for each array read, its index among those equal at all steps, or None if it varies.
        tree: the tree structure that holds all arrays.
    """

    varying: list[Array]
    places: tuple[int | None, ...]
    tree: Any

    @classmethod
    def of(cls, pull: Any, constants: Sequence[Array]) -> "_Pull":
        leaves, tree = jax.tree.flatten(pull)
        places = tuple(_place(leaf, constants) for leaf in leaves)
        varying = [leaf for leaf, place in zip(leaves, places, strict=True) if place is None]
        return cls(varying, places, tree)

    def again(self, constants: Sequence[Array]) -> Any:
        """Rebuild the pull-back."""
        varying = iter(self.varying)
        leaves = [next(varying) if p is None else constants[p] for p in self.places]
        return jax.tree.unflatten(self.tree, leaves)


def _place(leaf: Any, constants: Sequence[Array]) -> int | None:
    return next((i for i, constant in enumerate(constants) if leaf is constant), None)


class _Tape(NamedTuple):
    """The arrays that the backward loop reads: one entry per time step, except the parameters."""

    params: Params
    pull: _Pull
    operands: list[Array]


def _forward(
    plan: Plan, step: Step, params: Params, inputs: Array, state: Any, slots: Any
) -> tuple[_Run, _Tape]:
    kernels = make_kernels(plan, params)
    direct = {name: params[name] for name in plan.direct}
    constants = jax.tree.leaves((kernels, params))
    pulls: list[_Pull] = []

    def body(state: Any, at_t: Any) -> Any:
        x, slots_t = at_t

        def with_nudges(direct: Any, state: Any, x: Array, slots_t: Any, nudges: Any) -> Any:
            products = Products(params | direct, plan, kernels, nudges, x, own_h(state))
            result = step(products, state, x, slots_t)
            return result, [products.operands[group] for group in range(len(kernels))]

        nudges = [jnp.zeros_like(x, shape=(len(x), k.joined.shape[1])) for k in kernels]
        policy = functools.partial(_is_kept, len(x))
        kept = jax.checkpoint(with_nudges, policy=policy, prevent_cse=False)
        (after, collected), pull, operands = jax.vjp(
            kept, direct, state, x, slots_t, nudges, has_aux=True
        )
        pulled = _Pull.of(pull, constants)
        pulls.append(replace(pulled, varying=[]))
        return after, (state, collected, pulled.varying, operands)

    final, (before, collected, varying, operands) = lax.scan(body, state, (inputs, slots))
    pull = replace(pulls[-1], varying=varying)
    return _Run(before, final, collected), _Tape(params, pull, operands)


def _is_kept(batch: int, primitive: Any, *operands: Any, **_: Any) -> bool:
    """Whether a value is one of ``KEPT`` and has a batch axis; others are equal at all steps."""
    # JAX rounds what it keeps by an operation that takes real numbers only.
    is_real = not any(jnp.issubdtype(a.dtype, jnp.complexfloating) for a in operands)
    has_batch = any(a.shape[:1] == (batch,) for a in operands)
    return primitive.name in KEPT and is_real and has_batch


@jax.default_matmul_precision("highest")
def _backward(plan: Plan, tape: _Tape, cotangent: _Run) -> Any:
    kernels = make_kernels(plan, tape.params)
    constants = jax.tree.leaves((kernels, tape.params))
    by_time = _AtEachStep((cotangent.before, cotangent.collected))

    def body(carry: Any, at_t: Any) -> Any:
        by_state, by_direct = carry
        pull, given = at_t
        by_before, by_collected = by_time.at_step(given)
        direct, state, x, slots, deltas = pull.again(constants)((by_state, by_collected))
        by_state = jax.tree.map(jnp.add, state, by_before)
        return (by_state, jax.tree.map(jnp.add, by_direct, direct)), (x, slots, deltas)

    nothing = jax.tree.map(jnp.zeros_like, {name: tape.params[name] for name in plan.direct})
    start = (jax.tree.map(_as_array, cotangent.final), nothing)
    (by_state, by_direct), (by_inputs, by_slots, deltas) = lax.scan(
        body, start, (tape.pull, by_time.given), reverse=True
    )
    by_params = _by_params(plan, tape.params, tape.operands, deltas)
    through_affine = {name: by_params[name] for name in plan.direct}
    by_params |= jax.tree.map(jnp.add, through_affine, by_direct)
    return by_params, by_inputs, by_state, by_slots


def _by_params(
    plan: Plan, params: Params, operands: list[Array], deltas: list[Array]
) -> dict[str, Any]:
    """Compute Σ_t z_tᵀ δ_t for each kernel, and split it into the parameters' gradients."""

    def joined(params: Params) -> list[Array]:
        return [kernel.joined for kernel in make_kernels(plan, params)]

    def summed(z: Array, delta: Array) -> Array:
        return z.reshape(-1, z.shape[-1]).T @ delta.reshape(-1, delta.shape[-1])

    kernels, take_apart = jax.vjp(joined, params)
    sums = map(summed, operands, deltas)
    (by_params,) = take_apart([s.astype(k.dtype) for s, k in zip(sums, kernels, strict=True)])
    return dict(by_params)


class _AtEachStep:
    """Cotangents with a leading time axis, of which some are known to be zero.

    Attributes:
        given: the cotangents that are not known to be zero; None in place of the others.
    """

    def __init__(self, tree: Any) -> None:
        self._leaves = jax.tree.leaves(tree)
        self._tree = jax.tree.structure(tree)
        self.given = [None if isinstance(a, SymbolicZero) else a for a in self._leaves]

    def at_step(self, given: list[Array | None]) -> Any:
        """All cotangents of one step, from those that were given."""
        leaves = [
            jnp.zeros(like.shape[1:], like.dtype) if a is None else a
            for a, like in zip(given, self._leaves, strict=True)
        ]
        return jax.tree.unflatten(self._tree, leaves)


def _as_array(cotangent: Any) -> Array:
    if isinstance(cotangent, SymbolicZero):
        return jnp.zeros(cotangent.shape, cotangent.dtype)
    return jnp.asarray(cotangent)
