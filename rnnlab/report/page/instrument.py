"""The instrument: the kernels and sequences that the page computes with, as rnnlab draws them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from rnnlab.cells import LSTM
from rnnlab.cells.initializers import InputKernel, RecurrentKernel
from rnnlab.report.page.html import packed, page_html
from rnnlab.report.page.instrument_texts import HIDDEN, OF_MARKUP, SEEDS, texts
from rnnlab.report.page.measured import measured_data
from rnnlab.report.page.settings import Setting
from rnnlab.report.page.templates import render
from rnnlab.support.files import storage_errors, write_text
from rnnlab.support.jax_settings import own_settings
from rnnlab.tasks import Adding, Copying

LONGEST = 500
# Names of initial kernels: recurrent, input. rnnlab's default, and PyTorch's choice.
FAMILIES: dict[str, tuple[RecurrentKernel, InputKernel]] = {
    "orthogonal": ("orthogonal", "glorot"),
    "uniform": ("uniform", "uniform"),
}
# The first kernels are those of a GRU (r, z, n) and of an RNN (h) as well.
GATES = "ifgo"
ADDING, COPYING = Adding(length=LONGEST), Copying(length=LONGEST)


def write_instrument(path: Path) -> Path:
    """Write the page of the instrument alone."""
    data = {"explore": instrument_data()}
    body, own = render("explore.html", **data), {"explore": of_script(data["explore"])}
    text = page_html("rnnlab explore", body, "explore.js", own)
    with storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    return path


def of_script(explore: Mapping[str, Any]) -> dict[str, Any]:
    """The part of ``instrument_data`` that the script reads; the rest is the markup's."""
    return {key: own for key, own in explore.items() if key not in OF_MARKUP}


def instrument_data(settings: Sequence[Setting] = ()) -> dict[str, Any]:
    """The part ``explore`` of the page's data: kernels, sequences, texts; see docs/explore.md.

    Args:
        settings: of results, which the reader can choose, with what was measured of them.
    """
    with own_settings(double=False):
        return {
            "hidden": HIDDEN,
            "families": list(FAMILIES),
            "recurrent": packed(_kernels("U", ADDING.input_size)),
            "input": {
                "adding": packed(_kernels("W", ADDING.input_size)),
                "copy": packed(_kernels("W", COPYING.input_size)),
            },
            "chrono": packed(_each_seed(_chrono_draws)),
            "adding": {
                "values": packed(_each_seed(lambda key: ADDING.sample(key)[0][:, 0])),
                "places": packed(_each_seed(lambda key: jax.random.uniform(key, (2,)))),
            },
            "copy": packed(_each_seed(_symbols)),
            "symbols": COPYING.symbols,
            "classes": COPYING.input_size,
            **texts(measured_data(settings)),
        }


def _each_seed(draw: Callable[[Any], Any]) -> Float[np.ndarray, "seeds *shape"]:
    return np.stack([np.asarray(draw(jax.random.key(seed)), np.float32) for seed in SEEDS])


def _kernels(prefix: str, inputs: int) -> Float[np.ndarray, "families seeds gates hidden rows"]:
    """The kernels of an LSTM with this number of input features, transposed."""
    drawn = []
    for recurrent, input_kernel in FAMILIES.values():
        cell = LSTM(hidden=HIDDEN, recurrent_kernel=recurrent, input_kernel=input_kernel)
        params = [cell.init(jax.random.key(seed), inputs) for seed in SEEDS]
        drawn.append([[own[f"{prefix}_{k}"] for k in GATES] for own in params])
    return np.array(drawn, np.float32).swapaxes(-1, -2)


def _chrono_draws(key: Any) -> Any:
    """Numbers v in [0, 1), from which chrono's u = 1 + v (t_max − 2)."""
    bias_key = jax.random.split(key, 3)[2]
    return jax.random.uniform(bias_key, (HIDDEN,))


def _symbols(key: Any) -> Any:
    """The classes of the symbols of a copy sequence."""
    return COPYING.sample(key)[0][: COPYING.symbols].argmax(axis=1)
