"""What the instrument starts with, its sliders, and what it says."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Slider(NamedTuple):
    """A slider.

    Attributes:
        name: of what it sets.
        label: the words beside it.
        low: its least value.
        high: its greatest value.
        step: from one value to the next.
        unit: after the value.
        cells: the cells that have it.
        without: switches that set the same, and so hide it.
    """

    name: str
    label: str
    low: float
    high: float
    step: float
    unit: str = ""
    cells: tuple[str, ...] = ("LSTM", "GRU", "RNN")
    without: tuple[str, ...] = ()


class Choice(NamedTuple):
    """A few values side by side; ``options`` are the words of each value, which is a text."""

    name: str
    label: str
    options: Mapping[str, str]
    cells: tuple[str, ...] = ("LSTM", "GRU", "RNN")
    without: tuple[str, ...] = ()


def _same(*values: str) -> dict[str, str]:
    return {value: value for value in values}


HIDDEN = 32
SEEDS = (0, 1, 2)
SWITCH = {"": "off", "true": "on"}
CHOICES = (
    Choice("cell", "Cell", _same("LSTM", "GRU", "RNN")),
    Choice("sequence", "Sequence", _same("adding", "copy")),
    Choice("kernel", "Kernels", _same("orthogonal", "uniform")),
    Choice("seed", "Seed", {str(index): str(seed) for index, seed in enumerate(SEEDS)}),
    Choice("tie", "Tie b_i = −b_f", SWITCH, ("LSTM",), ("chrono",)),
    Choice("chrono", "Chrono", SWITCH, ("LSTM", "GRU")),
)
START: dict[str, Any] = {
    "cell": "LSTM",
    "kernel": "orthogonal",
    "seed": 0,
    "sequence": "adding",
    "T": 100,
    "b_f": 1.0,
    "b_i": 0.0,
    "b_o": 0.0,
    "b_z": 1.0,
    "gain": 1.0,
    "tie": False,
    "chrono": False,
}
SLIDERS = (
    Slider("b_f", "forget bias b_f", -8, 8, 0.1, "", ("LSTM",), ("chrono",)),
    Slider("b_z", "update bias b_z", -8, 8, 0.1, "", ("GRU",), ("chrono",)),
    Slider("b_i", "input bias b_i", -8, 8, 0.1, "", ("LSTM",), ("chrono", "tie")),
    Slider("b_o", "output bias b_o", -8, 8, 0.1, "", ("LSTM",)),
    Slider("gain", "recurrent gain", 0.05, 3, 0.05),
    Slider("T", "sequence length T", 25, 500, 1, " steps"),
)
LIMITS = {slider.name: (slider.low, slider.high) for slider in SLIDERS}
# {left}: what of the gradient at the last step is left at the first; {gates}: by the gates alone;
# {keep}: the mean of the gate; {norm}: the mean norm of one step; {back}: steps from last to first;
# {lower}, {higher}: {left} at a gain that is less or greater by 0.2.
PRESETS: tuple[tuple[str, dict[str, Any], str], ...] = (
    (
        "b_f = 0 dies",
        {"b_f": 0.0},
        "With b_f = 0 the forget gate keeps {keep} of c_t at each step. Of the gradient, {left} is "
        "left {back} steps back: it dies.",
    ),
    (
        "b_f = 1 fades",
        {"b_f": 1.0},
        "With b_f = 1 the forget gate keeps {keep} a step, the mean over units; of the unit that "
        "forgets least, the gates alone would leave {gates}. But "
        "the paths through h_t carry more: {left} is left {back} steps back. The gradient fades.",
    ),
    (
        "b_f = 5 alone grows",
        {"b_f": 5.0},
        "With b_f = 5 the forget gate keeps {keep} a step, and the paths through h_t come on top "
        "of it: a step stretches by {norm}, and {back} steps back the gradient has grown {left} "
        "times.",
    ),
    (
        "tied is neutral",
        {"b_f": 5.0, "tie": True},
        "With b_i = −b_f the input gate closes as the forget gate opens. A step stretches by "
        "{norm}, and {left} is left {back} steps back: the gradient neither dies nor grows.",
    ),
    (
        "the RNN on the edge",
        {"cell": "RNN", "gain": 1.2},
        "An RNN has no gate to hold on by: at a gain of 1.2, {left} is left {back} steps back, at "
        "1.0 only {lower}, at 1.4 already {higher}. It lives on the edge "
        "between dying and growing.",
    ),
)
# Title of each plot, and what to look at.
PLOTS = {
    "reach": (
        "What is left of the gradient, going back from the end",
        "Follow the lines from left to right: a line that falls is a gradient that vanishes, one "
        "that rises a gradient that explodes. Only the exact line is the truth.",
    ),
    "zero": (
        "Eigenvalues at the zero state",
        "A point outside the grey unit circle makes the zero state unstable. The dashed ring is "
        "predicted: the biases move it, and the gain widens it.",
    ),
    "step": (
        "One step back",
        "Above 1 a step can stretch the gradient; below 1 it shrinks it.",
    ),
    "shares": (
        "The share of each path",
        "Which path makes up the step: the gate itself, or the way through h_{t−1} and another "
        "gate?",
    ),
    "gates": (
        "The gates",
        "At 1 a gate lets all pass, at 0 nothing. f_t of an LSTM and z_t of a GRU keep the state.",
    ),
    "states": (
        "The states",
        "Large states flatten tanh, and then less of the gradient passes.",
    ),
}


# Carry, the gate that keeps it, the paths through h_{t−1}, all gates, all states.
CELLS = {
    "LSTM": ("c", "f", "fig", "fio", "ch"),
    "GRU": ("h", "z", "zrn", "zr", "h"),
    "RNN": ("h", "", "h", "", "h"),
}


# What only the markup needs of these texts.
OF_MARKUP = ("sets", "choices", "sliders", "presets")


def texts(settings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """These texts as data of the page, which starts with the first of these settings of results."""
    start = START | (settings[0]["choice"] if settings else {})
    cells = {name: _of_cell(*letters) for name, letters in CELLS.items()}
    return {
        "start": _in_words(start),
        "sets": _sets(start | {"of": 0}),
        "choices": [choice._asdict() for choice in CHOICES],
        "sliders": [slider._asdict() for slider in SLIDERS],
        "presets": [_preset(*preset) for preset in PRESETS],
        "plots": {name: _titled(name, cells, *words) for name, words in PLOTS.items()},
        "cells": cells,
        "settings": [
            dict(own) | {"sets": _sets(START | own["choice"] | {"of": index})}
            for index, own in enumerate(settings)
        ],
    }


def _preset(name: str, changes: Mapping[str, Any], text: str) -> dict[str, Any]:
    """A preset leaves the seed and the sequence as they are."""
    choice = {**START, **changes}
    sets = _sets({key: choice[key] for key in choice if key not in ("seed", "sequence")})
    return {"name": name, "sets": sets, "text": text}


def _titled(name: str, cells: Mapping[str, Any], title: str, lead: str) -> dict[str, str]:
    """The words of a plot, and the cells that have something to draw in it."""
    drawn = [cell for cell, own in cells.items() if name == "zero" or own["plots"][name]["lines"]]
    return {"title": title, "lead": lead, "cells": " ".join(drawn)}


def _sets(choice: Mapping[str, Any]) -> dict[str, Any]:
    """A choice as values of the page's inputs, by their names."""
    return {f"x.{name}": value for name, value in _in_words(choice).items()}


def _in_words(choice: Mapping[str, Any]) -> dict[str, Any]:
    """A choice in which all values but those of sliders are texts."""
    return {name: own if name in LIMITS else _as_text(own) for name, own in choice.items()}


def _as_text(value: Any) -> str:
    return ("true" if value else "") if isinstance(value, bool) else str(value)


def _of_cell(carry: str, keeps: str, paths: str, gates: str, states: str) -> dict[str, Any]:
    """The texts and plots of a cell; ``cards`` are pairs of a label and a word of the presets."""
    alone = f"; by {keeps}_t alone it would be {{gates}} times, in the unit that forgets least."
    cards = {
        f"left {{back}} steps back: ‖∂{carry}_T/∂{carry}_{{0}}‖": "left",
        **({f"the same by Π {keeps}_t alone": "gates"} if keeps else {}),
        **({"by the product of ∂c_t/∂c_{t−1}": "product"} if carry == "c" else {}),
        f"norm of one step ∂{carry}_t/∂{carry}_{{t−1}}, mean": "norm",
        "critical gain of these kernels": "critical",
        "critical gain, closed form": "closed",
    }
    return {
        "keeps": keeps,
        "text": "{back} steps back, the gradient is {left} times what it was at the end"
        + (alone if keeps else "; there is no gate on the way."),
        "cards": list(cards.items()),
        "plots": _plots(carry, keeps, paths, gates, states),
    }


def _plots(carry: str, keeps: str, paths: str, gates: str, states: str) -> dict[str, Any]:
    """Plots of lines: axes, and of each line its label, the group of numbers and the name in it."""
    reach = {"exact, by every path": ("norms", "total")}
    step = {"total": ("oneStep", "total")}
    shares = {f"through {path}_t": ("shares", path) for path in paths}
    if keeps:
        reach[f"Π {keeps}_t, the gate alone"] = ("norms", "direct")
        step[f"{keeps}_t alone"] = ("oneStep", "direct")
        direct, all_others = ("shares", "direct"), ("shares", "indirect")
        shares = {f"direct: {keeps}_t": direct, "all indirect": all_others, **shares}
    if carry == "c":
        reach["product of ∂c_t/∂c_{t−1}"] = ("norms", "product")
    norm = f"log10 ‖∂{carry}_T/∂{carry}_t‖"
    one_step = f"‖∂{carry}_t/∂{carry}_{{t−1}}‖"
    means = {f"{gate}_t": ("gates", gate) for gate in gates}
    sizes = {f"{state}_t": ("states", state) for state in states}
    return {
        "reach": _plot(norm, reach, _include(-1.0, 1.0), x="steps back", measured="sensitivity"),
        "step": _plot(one_step, step, _include(0.0, 1.1), measured="oneStep", level=1),
        "shares": _plot("Frobenius norm over the total's", shares, _include(0.0, 1.0)),
        "gates": _plot("mean over units", means, {"range": [0, 1]}),
        "states": _plot("root mean square over units", sizes, _include(0.0)),
    }


def _plot(y: str, lines: Mapping[str, Any], axis: Any, x: str = "t", **more: Any) -> dict[str, Any]:
    return {"x": x, "y": y, "axis": axis, "lines": list(lines.items()), **more}


def _include(*values: float) -> dict[str, Any]:
    """A y axis whose range has these values in it."""
    return {"autorangeoptions": {"include": values}}
