"""``python -m rnnlab``."""

from rnnlab.cli import main

main()
