"""Claims: the numbers that they rest on, and the verdict."""
