"""Draws the figure of docs/concepts/adjoints.md: where float32 ends; the memory loss alone.

python docs/concepts/adjoints_figure.py
"""

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from two_panels import two_panels

from rnnlab import LSTM, Adding, Copying, gradient_flow
from rnnlab.report.figures.palette import category
from rnnlab.report.figures.style import log10_of_gradient

CELL = LSTM(hidden=32, forget_bias=0.0)
EXAMPLES = 4


def batch(task: Adding | Copying) -> tuple[jax.Array, jax.Array]:
    """Inputs (time, batch, features) and targets of a few examples."""
    inputs, targets = jax.vmap(task.sample)(jax.random.split(jax.random.key(1), EXAMPLES))
    return inputs.swapaxes(0, 1), targets


def end_of_float32(ax: Axes) -> None:
    """log10‖∂L/∂c_t‖ of the adding problem, with and without exponents."""
    inputs, _ = batch(Adding(length=400))
    params = CELL.init(jax.random.key(0), inputs.shape[-1])
    for index, scaled in enumerate((True, False)):
        flow = gradient_flow(CELL, params, inputs, lambda h: h[-1, :, 0], scaled=scaled)
        decades = flow.log10_norm["c"][::-1].mean(axis=1)
        style = category(index).line | {"marker": "", "linewidth": 1.2 + 1.5 * index}
        ax.plot(decades, **style, label="with exponents" if scaled else "float32")
    end = np.log10(np.finfo(np.float32).tiny)
    ax.axhline(end, color="0.6", linewidth=0.6, label="least float32, $2^{-126}$")
    ax.set(xlabel="steps back in time", ylabel=log10_of_gradient("c"), title="adding, T = 400")


def whole_and_memory_loss(ax: Axes) -> None:
    """log10‖∂L/∂h_t‖ of the copy task, for the whole loss and for the part that needs memory."""
    task = Copying(length=40, symbols=3)
    inputs, targets = batch(task)
    params = CELL.init(jax.random.key(0), inputs.shape[-1])
    readout = jax.nn.initializers.glorot_uniform()(
        jax.random.key(2), (CELL.hidden, task.output_size)
    )
    losses = {"whole loss": task.loss, "memory loss": task.memory_loss}
    for index, (name, of_one) in enumerate(losses.items()):
        of_batch = jax.vmap(of_one, in_axes=(1, 0))
        flow = gradient_flow(
            CELL, params, inputs, lambda h, loss=of_batch: loss(h @ readout, targets)
        )
        decades = flow.log10_norm["h"].mean(axis=1)
        ax.plot(
            jnp.arange(len(decades)), decades, **category(index).line | {"marker": ""}, label=name
        )
    ax.axvline(task.length + task.symbols - 1, color="0.6", linewidth=0.6, label="delimiter")
    ax.set(xlabel="time step t", ylabel=log10_of_gradient("h"), title="copy, T = 40, K = 3")


if __name__ == "__main__":
    two_panels(__file__, end_of_float32, whole_and_memory_loss)
