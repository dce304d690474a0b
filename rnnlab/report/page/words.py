"""What the curves of a page are called, and what they mean."""

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
        meaning: in a sentence.
        isLog: whether its values are logarithms, base 10.
    """

    label: str
    short: str
    meaning: str
    isLog: bool = False


def _gates(gate: str, of: str) -> Words:
    return Words(f"mean {gate}_t", gate, f"Mean of {gate}_t over units and examples.")


def _share(name: str, of: str) -> Words:
    meaning = (
        f"‖Σ indirect‖/‖total‖ (Frobenius) of ∂{of}_t/∂{of}_{{t−1}}: how much of one step goes "
        "through the gates. Mean over examples."
    )
    return Words("share of the indirect path", "share", meaning)


def _path(path: str, of: str) -> Words:
    what = PATHS.get(path, f"the path through {path}")
    meaning = f"Spectral norm of {what} in ∂{of}_t/∂{of}_{{t−1}}. Mean over examples."
    return Words(f"spectral norm of {what}", path, meaning)


def _decay(part: str, of: str) -> Words:
    if part == "sensitivity":
        norm, what = f"‖∂{of}_T/∂{of}_t‖", "How much a change at t changes the last step T."
    elif part == "stack sensitivity":
        norm, what = f"‖∂{of}_T/∂{of}_t‖, stack", "The same of the top layer, through all layers."
    else:
        norm, what = f"‖∂L/∂{part}_t‖", "Total derivative of the memory loss."
    meaning = f"{what} Mean of log10 over examples; a line ends where it reads zero."
    return Words(f"log10 {norm}", norm, meaning, isLog=True)


# In the order in which they stand on the page.
GROUPS: dict[str, Callable[[str, str], Words]] = {
    "decay": _decay,
    "paths": _path,
    "share": _share,
    "gates": _gates,
}


def words_of(name: Name) -> Words:
    """The words for a curve."""
    return GROUPS[name.group](name.name, name.of)
