"""Draws the figure of docs/concepts/exponents.md: sensitivities; exponents over more steps.

python docs/concepts/exponents_figure.py
"""

import jax
from matplotlib.axes import Axes
from two_panels import two_panels

from rnnlab import LSTM, Adding, lyapunov_exponents, sensitivity
from rnnlab.report.figures.palette import category, styles_of

EXAMPLES = 4
LENGTH = 200
LENGTHS = (50, 100, 200, 500, 1000)
BIASES = (1.0, 3.0, 5.0)


def inputs_of(length: int) -> jax.Array:
    """Inputs of the adding problem, (time, batch, features)."""
    keys = jax.random.split(jax.random.key(1), EXAMPLES)
    return jax.vmap(Adding(length=length).sample)(keys)[0].swapaxes(0, 1)


def three_products(ax: Axes) -> None:
    """The whole sensitivity beside its two approximations, with b_f = 1."""
    cell = LSTM(hidden=32, forget_bias=1.0)
    inputs = inputs_of(LENGTH)
    found = sensitivity(cell, cell.init(jax.random.key(0), 2), inputs)
    shown = {
        r"$\partial c_T/\partial c_t$": found.log10_total,
        r"$\prod \partial c_k/\partial c_{k-1}$": found.log10_cell_product,
        r"greatest $\prod f_k$": found.log10_direct,
    }
    for index, (name, decades) in enumerate(shown.items()):
        assert decades is not None
        backwards = decades.mean(axis=1)[::-1]
        ax.plot(backwards, **category(index).line | {"marker": ""}, label=name)
    ax.set(xlabel="steps back in time, $T-t$", ylabel=r"$\log_{10}$ of the norm")
    ax.set_title("sensitivity, $b_f$ = 1")


def settling(ax: Axes) -> None:
    """The greatest finite-time exponent against the length of the sequence."""
    looks = styles_of([f"b_f = {forget_bias:g}" for forget_bias in BIASES]).values()
    for forget_bias, style in zip(BIASES, looks, strict=True):
        cell = LSTM(hidden=32, forget_bias=forget_bias)
        params = cell.init(jax.random.key(0), 2)
        found = [lyapunov_exponents(cell, params, inputs_of(length), k=1) for length in LENGTHS]
        top = [float(each.exponents.mean()) for each in found]
        ax.plot(LENGTHS, top, **style.line, label=rf"$b_f$ = {forget_bias:g}")
    ax.axhline(0, color="0.6", linewidth=0.6, zorder=0)
    ax.set(xscale="log", xlabel="length of the sequence, T", ylabel="top exponent, per step")
    ax.set_title("finite-time Lyapunov exponent")


if __name__ == "__main__":
    two_panels(__file__, three_products, settling)
