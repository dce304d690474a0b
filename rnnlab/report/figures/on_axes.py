"""One decorator for the functions that draw on an axes."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

Arguments = ParamSpec("Arguments")

# The default of ``ax``: None, which ``on_axes`` replaces before the function is called.
NEW_AXES: Any = None


def add_legend(ax: Axes) -> None:
    """Add a legend beside the axes, where it hides nothing."""
    ax.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1), handlelength=3.5)


def on_axes(
    draw: Callable[Arguments, Axes], add_key: Callable[[Axes], None] = add_legend
) -> Callable[Arguments, Axes]:
    """Let a function that draws on ``ax`` be called without it.

    Where the caller gives no ``ax``, or None, the function draws on the axes of a new figure,
    which then gets a legend. Axes that are given get none, as several may share one.

    Args:
        draw: a function with a parameter ``ax``, whose default is ``NEW_AXES``; it returns ``ax``.
        add_key: what a new axes gets in place of a legend.

    Returns:
        The function, with the same name, signature and docstring.
    """
    signature = inspect.signature(draw)

    @functools.wraps(draw)
    def with_axes(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Axes:
        call = signature.bind(*args, **kwargs)
        if call.arguments.get("ax") is not None:
            return draw(*args, **kwargs)
        call.arguments["ax"] = plt.subplots(layout="constrained")[1]
        ax = draw(*call.args, **call.kwargs)
        add_key(ax)
        return ax

    return with_axes
