"""The matrix products of a cell's step, x W + h U + b, planned before the loop over time.

All products of the same x_t and h_{t−1} become one: [x_t, 1, h_{t−1}] K, kernels side by side.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from rnnlab.cells.affine import Params, affine, side_by_side

Gates = tuple[str, ...]


class Call(NamedTuple):
    """A call of ``affine`` in a step.

    Attributes:
        gates: the names of its kernels.
        widths: the number of units of each gate.
        x: whether the call has an input.
        h: whether the call has a hidden state.
        known: whether both are the step's own x_t and h_{t−1}, known before the step begins.
    """

    gates: Gates
    widths: tuple[int, ...]
    x: bool
    h: bool
    known: bool


class Plan(NamedTuple):
    """The use that a step makes of its parameters.

    Attributes:
        groups: the calls that form one product each, in the order of their first call.
        places: for each call, its group and the index of its first gate in that group.
        direct: parameters that the step reads without ``affine``.
        features: the number of features of x_t.
    """

    groups: tuple[tuple[Call, ...], ...]
    places: tuple[tuple[int, int], ...]
    direct: tuple[str, ...]
    features: int


class Kernel(NamedTuple):
    """``joined`` = [W; b; U]; W or U is None where the product does not have it."""

    joined: Float[Array, "rows units"]
    W: Float[Array, "features units"] | None
    U: Float[Array, "hidden units"] | None


class _Parameters(dict[str, Any]):
    """Parameters that compute the products of ``affine``; a copy of them is an ordinary dict.

    They are read-only, since ``affine`` would not notice a change.
    """

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise TypeError("a step must not change its params: change a copy of them, {**params}")

    __setitem__ = __delitem__ = __ior__ = _refuse
    update = setdefault = pop = popitem = clear = _refuse

    def __copy__(self) -> dict[str, Any]:
        return dict(self)

    def tree_flatten(self) -> tuple[tuple[dict[str, Any]], None]:
        return (dict(self),), None

    @classmethod
    def tree_unflatten(cls, _: None, children: tuple[dict[str, Any]]) -> dict[str, Any]:
        return children[0]


@jax.tree_util.register_pytree_node_class
class _Listening(_Parameters):
    """Records the calls of ``affine``, and returns zeros."""

    def __init__(self, params: Params, x: Array, h: Array | None) -> None:
        super().__init__(params)
        self.x, self.h = x, h
        self.calls: list[Call] = []

    def affine(self, gates: Gates, x: Array | None, h: Array | None) -> list[Array]:
        outputs = jax.eval_shape(lambda p, x, h: affine(p, gates, x, h), dict(self), x, h)
        known = (x is None or x is self.x) and (h is None or h is self.h)
        widths = tuple(output.shape[-1] for output in outputs)
        self.calls.append(Call(gates, widths, x is not None, h is not None, known))
        return [jnp.zeros(output.shape, output.dtype) for output in outputs]


def plan_products(
    step: Callable[..., Any], params: Params, state: Any, x: Array, slots: Any
) -> Plan:
    """Trace one step to see which products it forms.

    Args:
        step: ``(params, state, x, slots) → anything``.
        params: parameters of one layer.
        state: an array tree shaped like the state before a step.
        x: an array shaped like an input.
        slots: arrays shaped like the slots of one step.
    """
    calls: list[Call] = []

    def listen(params: Params, state: Any, x: Array, slots: Any) -> Any:
        listening = _Listening(params, x, own_h(state))
        result = step(listening, state, x, slots)
        calls.extend(listening.calls)
        return result

    traced = jax.make_jaxpr(listen)(params, state, x, slots).jaxpr
    readers = [*(equation.invars for equation in traced.eqns), traced.outvars]
    used = {id(variable) for variables in readers for variable in variables}
    variables = iter(traced.invars)
    is_read = {
        name: sum(id(next(variables)) in used for _ in jax.tree.leaves(params[name])) > 0
        for name in sorted(params)
    }
    direct = tuple(name for name in is_read if is_read[name])
    groups, places = _group(calls)
    return Plan(groups, places, direct, x.shape[-1])


def own_h(state: Any) -> Array | None:
    """The part of the state called h; the products of a step that read it are computed together."""
    return getattr(state, "h", None)


def _group(
    calls: Sequence[Call],
) -> tuple[tuple[tuple[Call, ...], ...], tuple[tuple[int, int], ...]]:
    """Join calls whose operands are known before the step: those with h, and those of x alone."""
    groups: dict[Any, list[Call]] = {}
    places = []
    for number, call in enumerate(calls):
        key = call.h if call.known else f"call {number}"
        group = groups.setdefault(key, [])
        places.append((list(groups).index(key), sum(len(other.gates) for other in group)))
        group.append(call)
    return tuple(map(tuple, groups.values())), tuple(places)


def make_kernels(plan: Plan, params: Params) -> list[Kernel]:
    """The kernels of each group side by side; zeros where a call lacks an operand of the others."""

    def input_kernels(call: Call) -> Array:
        if call.x:
            return side_by_side(params, "W", call.gates)
        dtype = side_by_side(params, "bias", call.gates).dtype
        return jnp.zeros((plan.features, sum(call.widths)), dtype)

    kernels = []
    for group in plan.groups:
        W = U = None
        if any(call.x for call in group):
            W = jnp.concatenate(list(map(input_kernels, group)), axis=-1)
        if group[0].h:
            U = jnp.concatenate([side_by_side(params, "U", c.gates) for c in group], axis=-1)
        bias = jnp.concatenate([side_by_side(params, "bias", c.gates) for c in group])
        parts = [part for part in (W, bias[None], U) if part is not None]
        kernels.append(Kernel(jnp.concatenate(parts), W, U))
    return kernels


@jax.custom_vjp
def product(x: Array | None, h: Array | None, kernel: Kernel, slot: Array) -> Array:
    """[x, 1, h] K; in the backward pass the slot gets the product's cotangent, and K gets none."""
    return operand(x, h) @ kernel.joined


def operand(x: Array | None, h: Array | None) -> Float[Array, "batch rows"]:
    """[x, 1, h] without the operands that are None."""
    given = x if x is not None else h
    assert given is not None
    ones = jnp.ones((len(given), 1), given.dtype)
    return jnp.concatenate([part for part in (x, ones, h) if part is not None], axis=-1)


def _product_forward(
    x: Array | None, h: Array | None, kernel: Kernel, slot: Array
) -> tuple[Array, tuple[Array | None, Array | None]]:
    return operand(x, h) @ kernel.joined, (kernel.W, kernel.U)


def _product_backward(weights: tuple[Array | None, Array | None], delta: Array) -> Any:
    x, h = (None if K is None else delta @ K.T for K in weights)
    return x, h, None, delta


product.defvjp(_product_forward, _product_backward)


@jax.tree_util.register_pytree_node_class
class Products(_Parameters):
    """The parameters of one time step, which compute their products by a plan.

    Attributes:
        operands: [x, 1, h] of each group, complete once the step has called for all groups.
    """

    def __init__(
        self,
        params: Params,
        plan: Plan,
        kernels: Sequence[Kernel],
        slots: Sequence[Array],
        x: Array,
        h: Array | None,
    ) -> None:
        super().__init__(params)
        self.plan, self.kernels, self.slots = plan, kernels, slots
        self.operands: dict[int, Array] = {}
        self._outputs: dict[int, list[Array]] = {}
        self._places = iter(plan.places)
        for group, calls in enumerate(plan.groups):
            if calls[0].known:
                reads_x = any(call.x for call in calls)
                self._form(group, x if reads_x else None, h if calls[0].h else None)

    def affine(self, gates: Gates, x: Array | None, h: Array | None) -> list[Array]:
        """Compute the result of ``rnnlab.cells.cell.affine``."""
        group, first = next(self._places)
        if group not in self._outputs:
            self._form(group, x, h)
        return self._outputs[group][first : first + len(gates)]

    def _form(self, group: int, x: Array | None, h: Array | None) -> None:
        calls = self.plan.groups[group]
        self.operands[group] = operand(x, h)
        together = product(x, h, self.kernels[group], self.slots[group])
        widths = [width for call in calls for width in call.widths]
        self._outputs[group] = jnp.split(together, list(accumulate(widths))[:-1], axis=-1)
