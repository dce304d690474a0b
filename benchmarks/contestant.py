"""A process in which one library trains; told on standard input when to, by ``arena.py``.

    python contestant.py PEER CELL TIME BATCH HIDDEN RECORDED DEVICE

Commands, a line each: ``memory``, which comes first, trains and says how many bytes of memory that
took; ``check FILE`` writes loss and gradient; ``time CALLS`` trains for ten steps a call and says
how many seconds they took.
"""

import ctypes
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import peers
from workload import Shape, weights


def status(field: str) -> int:
    """A figure of this process in bytes, from the kernel."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(field + ":")]
    return int(line.split()[1]) * 1024


def memory(contestant: Any, device: str) -> int:
    """Bytes that the first training takes at most, its code compiled before."""
    if device == "gpu":
        contestant.train()
        return int(contestant.bytes_on_gpu())
    ctypes.CDLL(None).malloc_trim(0)  # what compiling left
    Path("/proc/self/clear_refs").write_text("5")  # VmHWM, the peak, begins again
    before = status("VmRSS")
    contestant.train()
    return max(status("VmHWM") - before, 1)


def check(contestant: Any, file: str) -> str:
    """Write loss and gradient."""
    loss, gradient = contestant.check()
    arrays: dict[str, Any] = {name: np.asarray(array) for name, array in gradient.items()}
    np.savez(file, **(arrays | {"loss": np.asarray(loss)}))
    return "checked"


def seconds(contestant: Any, calls: int) -> float:
    """Wall time of training."""
    begun = time.perf_counter()
    for _ in range(calls):
        contestant.train()
    return time.perf_counter() - begun


def main() -> None:
    """Build, then do what is asked."""
    name, cell, *shape, recorded, device = sys.argv[1:]
    size = Shape(*map(int, shape))
    contestant = peers.peer(name).Contestant(cell, size, weights(cell, size), recorded)
    answers: dict[str, Callable[..., Any]] = {
        "memory": lambda: memory(contestant, device),
        "check": lambda file: check(contestant, file),
        "time": lambda calls: seconds(contestant, int(calls)),
    }
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        command, *arguments = line.split()
        print(json.dumps(answers[command](*arguments)), flush=True)


if __name__ == "__main__":
    main()
