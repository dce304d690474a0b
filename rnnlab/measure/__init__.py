"""Measurements without training, and their diagnosis in words."""
