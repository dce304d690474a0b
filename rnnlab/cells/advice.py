"""The advice of a diagnosis about gates that keep the state."""

import math

from rnnlab.cells.closed_forms import bias_to_keep

# log10 of the smallest fraction of a gradient that counts as having reached a step.
REACHED = -3.0


def keeping_biases(symbol: str, wanted: int) -> str:
    """The biases at which the direct path alone keeps 10⁻³ and 1/e over this number of steps."""
    least, kept = (bias_to_keep(kept, wanted) for kept in (10**REACHED, math.exp(-1)))
    return (
        f"with {symbol} = {least:.2f} the direct path alone keeps 10⁻³ of the gradient, and with "
        f"{symbol} = {kept:.2f} it keeps 1/e; indirect paths often add to it"
    )
