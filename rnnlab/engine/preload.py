"""Code that Dask runs in each local worker process before anything else."""

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

from rnnlab.engine.interrupt import SIGNALS

CORE = "RNNLAB_CORE"
# Up to 1000: if memory runs out, the system kills a worker, not the process that stores results.
OUT_OF_MEMORY_SCORE = "800"


def dask_setup(worker: Any) -> None:
    """Keep to one core, leave signals to the main process, and end first when memory runs out."""
    for number in SIGNALS:  # a terminal or SLURM sends them to all processes
        signal.signal(number, signal.SIG_IGN)
    sys.unraisablehook = lambda _: None  # Dask's clients complain when the process ends
    core = os.environ.get(CORE)
    if core and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OUT_OF_MEMORY_SCORE)
