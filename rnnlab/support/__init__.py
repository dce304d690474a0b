"""Helpers for all other packages: errors, files, the machine, user code, text."""
