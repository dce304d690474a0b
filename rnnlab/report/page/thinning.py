"""Which steps, time steps, seeds and settings a page has room for."""

import math
from typing import NamedTuple

import numpy as np

# Seeds give way to their range before a page shows fewer records than this, and then points do.
FEW_STEPS, FEWEST_STEPS = 21, 5
POINTS = (200, 100, 50, 25)
RANGE = ("least", "median", "greatest")


class Plan(NamedTuple):
    """How much of each curve a page holds.

    Attributes:
        settings: how many have a line.
        each_seed: whether a setting has a line for each seed, or the least, median and greatest.
        stride: 1 of so many records is shown, beside the last.
        points: of a line, at most.
    """

    settings: int
    each_seed: bool
    stride: int
    points: int


def plan(room: int, settings: int, seeds: int, records: int, length: int) -> Plan:
    """The most that has room: first records are left out, then seeds, then points, then settings.

    Args:
        room: how many numbers.
        settings: how many there are.
        seeds: the most that a setting has.
        records: the most records of a run.
        length: the most points of a line.
    """
    few = min(seeds, len(RANGE))
    choices = [(seeds, POINTS[0], FEW_STEPS), (few, POINTS[0], FEW_STEPS)]
    choices += [(few, points, FEWEST_STEPS) for points in POINTS]
    for lines, most, fewest in choices:
        points = min(length, most)
        steps = room // max(1, settings * lines * points)
        if steps >= min(records, fewest):
            return Plan(settings, lines == seeds, stride(records, steps), points)
    fit = max(1, room // max(1, few * min(records, FEWEST_STEPS) * points))
    return Plan(fit, few == seeds, stride(records, FEWEST_STEPS), points)


def stride(many: int, most: int) -> int:
    """The least m for which every m-th of so many places, and the last, are at most so many."""
    return max(1, math.ceil((many - 1) / max(1, most - 1)))


def evenly(many: int, most: int) -> list[int]:
    """At most so many places, as evenly as can be, with the first and the last."""
    if many <= most:
        return list(range(many))
    return sorted({round(place) for place in np.linspace(0, many - 1, most)})
