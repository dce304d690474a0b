"""Fails if recording, or the fused recurrence, has become slow: ratios within one run.

python benchmarks/regression.py
"""

import sys
from contextlib import ExitStack

import numpy as np
from arena import Process, take_turns
from machine import cores
from workload import Shape

CELLS = ("rnn", "lstm", "gru", "gru before")
SHAPE = Shape(200, 64, 128)
# At 200 steps the RNN's norms fall below 1e-30, where all are measured a second time: 2.2 times the
# work of a step. Here they do not.
SHORTER = {"rnn": Shape(80, 64, 128)}
ROUNDS = 10
VARIANTS = ("nothing", "norms and gates", "nothing, plain")
MOST_OF_RECORDING, MOST_OF_FUSING = 1.15, 1.05


def ratios(cell: str) -> tuple[float, float]:
    """Recorded to unrecorded, and fused to plain."""
    shape = SHORTER.get(cell, SHAPE)
    with ExitStack() as stack:
        teams = [
            [stack.enter_context(Process("rnnlab", cell, shape, variant, cores()[:1], "cpu"))]
            for variant in VARIANTS
        ]
        fused, recorded, plain = take_turns(teams, 1, ROUNDS).T
    return float(np.median(recorded / fused)), float(np.median(fused / plain))


def main() -> None:
    """Print the ratios; end with 1 if one exceeds its limit."""
    is_slow = False
    for cell in CELLS:
        recording, fusing = ratios(cell)
        print(
            f"{cell:11} recorded/unrecorded {recording:.3f}, fused/plain {fusing:.3f}", flush=True
        )
        is_slow |= recording > MOST_OF_RECORDING or fusing > MOST_OF_FUSING
    if is_slow:
        sys.exit(f"too slow: at most {MOST_OF_RECORDING} and {MOST_OF_FUSING}")


if __name__ == "__main__":
    main()
