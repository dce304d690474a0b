"""Cells and parameters of networks that were trained elsewhere."""
