"""What the curves of a page are called."""

from collections.abc import Callable
from typing import NamedTuple

from rnnlab.report.page.tables import Name

PATHS = {
    "direct": "the direct path",
    "indirect": "the sum of the paths through gates",
    "total": "the sum of all paths",
}


class Words(NamedTuple):
    """Texts of a curve.

    Attributes:
        label: of its axis.
        short: where one of several is chosen.
        isLog: whether its values are logarithms, base 10.
    """

    label: str
    short: str
    isLog: bool = False


def _gates(gate: str, of: str) -> Words:
    return Words(f"mean {gate}_t", gate)


def _share(name: str, of: str) -> Words:
    return Words("share of the indirect path", "share")


def _path(path: str, of: str) -> Words:
    return Words(f"spectral norm of {PATHS.get(path, f'the path through {path}')}", path)


def _exponents(name: str, of: str) -> Words:
    return Words("exponent, per step", name)


def _decay(part: str, of: str) -> Words:
    norms = {
        "sensitivity": f"‖∂{of}_T/∂{of}_t‖",
        "stack sensitivity": f"‖∂{of}_T/∂{of}_t‖, stack",
    }
    norm = norms.get(part, f"‖∂L/∂{part}_t‖")
    return Words(f"log10 {norm}", norm, isLog=True)


# In the order in which they stand on the page.
GROUPS: dict[str, Callable[[str, str], Words]] = {
    "decay": _decay,
    "paths": _path,
    "share": _share,
    "gates": _gates,
    "lyapunov": _exponents,
}


def words_of(name: Name) -> Words:
    """The words for a curve."""
    return GROUPS[name.group](name.name, name.of)
