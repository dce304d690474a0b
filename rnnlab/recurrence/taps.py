"""Taps: statistics of adjoints, computed in a backward pass without storing the adjoints.

A tap is an identity on a value. In the backward pass it passes the value's adjoint on unchanged,
and returns a statistic of it as the "gradient" with respect to a *slot*: an argument of zeros that
no result uses. One backward pass then yields parameter gradients and statistics, with no callback
in compiled code.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
from jaxtyping import Array

Statistic = Callable[[Array], Any]


@functools.partial(
    jax.tree_util.register_dataclass, data_fields=["values"], meta_fields=["statistic"]
)
@dataclass(frozen=True)
class Slot:
    """The argument through which a tap returns a statistic.

    Attributes:
        statistic: a function of an adjoint.
        values: zeros, of the shape that ``statistic`` returns.
    """

    statistic: Statistic
    values: Any


Slots = dict[str, Slot]


def tap(value: Array, slot: Slot) -> Array:
    """Return ``value``; in the backward pass the slot's cotangent is the adjoint's statistic."""
    return _tap(slot.statistic, value, slot.values)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _tap(statistic: Statistic, value: Array, values: Any) -> Array:
    return value


def _tap_forward(statistic: Statistic, value: Array, values: Any) -> tuple[Array, None]:
    return value, None


def _tap_backward(statistic: Statistic, _: None, adjoint: Array) -> tuple[Array, Any]:
    return adjoint, statistic(adjoint)


_tap.defvjp(_tap_forward, _tap_backward)
