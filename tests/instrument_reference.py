"""The instrument's numbers by rnnlab itself, in float64, from the settings alone."""

import jax
import jax.numpy as jnp
import numpy as np

import rnnlab
from rnnlab import GRU, LSTM, Adding, Copying, VanillaRNN, theory
from rnnlab.recurrence.stack import unroll_observed

DEFAULTS = {
    "cell": "LSTM",
    "kernel": "orthogonal",
    "seed": 0,
    "sequence": "adding",
    "T": 100,
    "b_f": 1.0,
    "b_i": 0.0,
    "b_o": 0.0,
    "b_z": 0.0,
    "gain": 1.0,
    "tie": False,
    "chrono": False,
}
# All cells, both families and sequences, every seed, tie, chrono, gains, and T up to 500.
SETTINGS = [
    {"b_f": 0.0},
    {"b_f": 1.0, "seed": 1},
    {"b_f": 5.0, "seed": 2},
    {"b_f": 5.0, "tie": True},
    {"b_f": 1.0, "kernel": "uniform", "sequence": "copy"},
    {"b_f": 3.0, "kernel": "uniform", "seed": 1, "b_i": -1.0, "b_o": 1.5},
    {"b_f": -6.0, "T": 500},
    {"b_f": 2.0, "T": 500, "tie": True, "sequence": "copy", "seed": 1},
    {"b_f": 0.3, "gain": 2.0, "b_i": 1.1, "T": 60},
    {"b_f": 4.0, "gain": 0.05, "T": 333, "seed": 2},
    {"chrono": True},
    {"chrono": True, "T": 500, "sequence": "copy", "seed": 2},
    {"chrono": True, "T": 250, "kernel": "uniform", "seed": 1, "gain": 1.7},
    {"cell": "GRU"},
    {"cell": "GRU", "b_z": 3.0, "T": 500, "seed": 1},
    {"cell": "GRU", "b_z": -6.0, "T": 500, "sequence": "copy", "kernel": "uniform"},
    {"cell": "GRU", "chrono": True, "T": 200, "sequence": "copy", "seed": 2, "gain": 1.3},
    {"cell": "RNN"},
    {"cell": "RNN", "gain": 1.2, "sequence": "copy", "T": 80, "seed": 1},
    {"cell": "RNN", "gain": 0.5, "T": 500, "kernel": "uniform", "seed": 2},
    {"cell": "RNN", "gain": 2.5, "T": 25, "sequence": "copy", "kernel": "uniform"},
]


def cell_of(s):
    """The cell of the library, with every option by its name."""
    t_max = s["T"] if s["sequence"] == "adding" else 1.5 * (s["T"] - 20)
    input_kernel = {"orthogonal": "glorot", "uniform": "uniform"}[s["kernel"]]
    common = {
        "hidden": 32,
        "recurrent_kernel": s["kernel"],
        "input_kernel": input_kernel,
        "recurrent_gain": float(s["gain"]),
    }
    if s["cell"] == "RNN":
        return VanillaRNN(**common)
    chrono = {"t_max": float(t_max)} if s["chrono"] else {}
    if s["cell"] == "GRU":
        return GRU(update_bias="chrono" if s["chrono"] else s["b_z"], **chrono, **common)
    input_bias = "tied" if s["chrono"] or s["tie"] else s["b_i"]
    forget_bias = "chrono" if s["chrono"] else s["b_f"]
    biases = {"forget_bias": forget_bias, "input_bias": input_bias, "output_bias": s["b_o"]}
    return LSTM(**biases, **chrono, **common)


def inputs_of(s):
    """The sequence, from rnnlab's tasks; the adding problem's marks keep their place in a half."""
    key, T = jax.random.key(s["seed"]), s["T"]
    if s["sequence"] == "copy":
        return Copying(length=T - 20, symbols=10).sample(key)[0]
    values = Adding(length=T).sample(key)[0][:, 0]
    first, second = np.asarray(jax.random.uniform(key, (2,)), float)
    half = T // 2
    marks = np.zeros(T)
    marks[[int(first * half), half + int(second * (T - half))]] = 1
    return jnp.stack([values, jnp.asarray(marks, values.dtype)], axis=1)


def reference(changes):
    """What ``measure`` of instrument.js returns, by rnnlab."""
    s = DEFAULTS | changes
    cell, inputs = cell_of(s), np.asarray(inputs_of(s))
    with jax.enable_x64(True):
        params = cell.init(jax.random.key(s["seed"]), inputs.shape[-1])
        x = jnp.asarray(inputs, float)[:, None]
        found = rnnlab.sensitivity(cell, params, x)
        sizes = rnnlab.jacobians(cell, params, x).summary()
        names = {"LSTM": "fio", "GRU": "zr", "RNN": ""}[s["cell"]]
        keep = {name: lambda value: value for name in (*names, *cell.State._fields)}
        seen = unroll_observed(cell, params, x, collect=keep).collected
        return {
            "norms": {
                "total": np.asarray(found.log10_total)[:, 0],
                "direct": _first(found.log10_direct),
                "product": np.asarray(found.log10_cell_product)[:, 0],
            },
            "oneStep": {part: _column(sizes, f"{part}_spectral") for part in ("total", "direct")},
            "shares": _shares(sizes),
            "states": {
                part: np.sqrt(np.mean(np.square(seen[part])[0, :, 0], axis=-1))
                for part in cell.State._fields
            },
            "gates": {k: np.mean(seen[k][0, :, 0], axis=-1) for k in names},
            "eigenvalues": theory.fixed_point_eigenvalues(cell, params),
            "ring": theory.eigenvalue_ring(cell, params),
            "lossOfStability": s["gain"] * theory.critical_factor(cell, params),
            "criticalGain": _critical_gain(s),
        }


def _first(norms):
    return None if norms is None else np.asarray(norms)[:, 0]


def _column(frame, name):
    return frame[name].to_numpy() if name in frame else None


def _shares(sizes):
    columns = [c.removesuffix("_frobenius") for c in sizes if c.endswith("_frobenius")]
    whole = sizes["total_frobenius"]
    return {c: (sizes[f"{c}_frobenius"] / whole).to_numpy() for c in columns if c != "total"}


def _critical_gain(s):
    """Of a real positive eigenvalue; the GRU's and the RNN's from their equations."""
    if s["cell"] == "RNN":
        return 1.0
    if s["cell"] == "GRU":
        return 2.0
    if s["chrono"]:
        return 2.0 * (1 + np.exp(-s["b_o"])) / 2
    b_i = -s["b_f"] if s["tie"] else s["b_i"]
    return float(theory.critical_gain(s["b_f"], b_i, s["b_o"]))
