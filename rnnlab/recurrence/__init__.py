"""Running cells over time: one layer, a stack of layers, and taps on the way back."""
