"""Training a cell on a task, and recording gradients meanwhile."""
