"""Running cells over time: one layer, a stack of layers, and taps in the backward pass."""
