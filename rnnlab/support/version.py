"""Versions."""

__version__ = "0.1.0"

# Part of every run's id; raised whenever the numbers of a run, or the files that hold them, change.
RESULTS_VERSION = 3
